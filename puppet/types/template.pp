# @summary The name of a template of a monitoring server's
type Thrash_protect::Template = Pattern[/\A[A-Za-z0-9_][A-Za-z0-9_.-]*\z/]
