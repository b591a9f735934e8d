# @summary What no log, report or diff shows
type Thrash_protect::Secret = Variant[
  Thrash_protect::Line,
  Sensitive[Thrash_protect::Line],
]
