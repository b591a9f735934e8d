# @summary Text that is a value in a configuration file
type Thrash_protect::Line = Pattern[/\A\S([^\n\r\0]*\S)?\z/]
