# @summary A limit of a Munin graph: `5` is up to 5, `1:` from 1 on, `1:5` both
type Thrash_protect::Limit = Variant[
  Integer[0],
  Float[0.0],
  Pattern[/\A(\d+(\.\d+)?)?:(\d+(\.\d+)?)?\z/],
]
