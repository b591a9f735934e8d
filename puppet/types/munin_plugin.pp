# @summary The Munin plugins
type Thrash_protect::Munin_plugin = Enum[
  'thrash_freezes',
  'thrash_majfault',
  'thrash_stall',
  'thrash_swap',
]
