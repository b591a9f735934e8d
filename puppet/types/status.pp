# @summary What a check says
type Thrash_protect::Status = Enum['ok', 'warning', 'critical', 'unknown']
