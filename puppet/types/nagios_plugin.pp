# @summary The checks
type Thrash_protect::Nagios_plugin = Enum[
  'check_thrash_frozen',
  'check_thrash_marker',
  'check_thrash_pressure',
]
