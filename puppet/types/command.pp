# @summary The name of a command of NRPE
type Thrash_protect::Command = Pattern[/\A[A-Za-z0-9_.-]+\z/]
