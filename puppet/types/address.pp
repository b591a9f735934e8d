# @summary A name or an address, with nothing in it that a file could take for more
type Thrash_protect::Address = Pattern[/\A[A-Za-z0-9:]([A-Za-z0-9.:_-]*[A-Za-z0-9:])?\z/]
