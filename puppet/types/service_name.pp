# @summary What a monitoring server calls a service: no letter that it knows
type Thrash_protect::Service_name = Pattern[/\A[A-Za-z0-9_]([A-Za-z0-9 _.-]*[A-Za-z0-9_])?\z/]
