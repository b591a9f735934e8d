# @summary Limits of one Munin graph, by field: `{'frozen_warning' => 0}`
type Thrash_protect::Limits = Hash[
  Pattern[/\A([a-z_]+_)?(warning|critical)\z/],
  Thrash_protect::Limit,
]
