# @summary The host's services, exported for a monitoring server
#
# The class `thrash_protect` has it with `export => true`. A monitoring server
# with `thrash_protect::collect` gets them; in which form is its business.
#
# @param via
#   Whether the server asks by `nrpe`, or the host sends by itself (`push`).
#
# @param host
#   What the server calls this host.
#
# @param address
#   Where it finds it.
#
# @param services
#   With `nrpe`: the services, by name, and NRPE's commands for them. With
#   `push` they are those of `thrash_protect::push`.
#
# @param exported_tag
#   Which server is meant, where there are several.
class thrash_protect::export (
  Enum['nrpe', 'push']                                           $via          = 'nrpe',
  Thrash_protect::Address                                                   $host         = $facts['networking']['fqdn'],
  Thrash_protect::Address                                                   $address      = pick($facts['networking']['ip'], $facts['networking']['ip6']),
  Hash[Thrash_protect::Service_name, Thrash_protect::Command, 1] $services     = {
    'thrash frozen'   => 'check_thrash_frozen',
    'thrash marker'   => 'check_thrash_marker',
    'thrash pressure' => 'check_thrash_pressure',
  },
  String[1]                                                      $exported_tag = 'thrash_protect',
) {
  if $via == 'push' {
    include thrash_protect::push

    $sent = {
      'check_thrash_frozen'   => pick($thrash_protect::push::frozen_service, 'thrash-protect frozen'),
      'check_thrash_pressure' => pick($thrash_protect::push::pressure_service, 'thrash-protect pressure'),
      'check_thrash_marker'   => pick($thrash_protect::push::marker_service, 'none'),
    }.filter |$command, $name| { $name != 'none' }

    $exported = $sent.reduce({}) |$all, $service| { $all + { $service[1] => $service[0] } }

    # Two that are lost are not missed yet.
    $freshness = max(180, 3 * ceiling(pick($thrash_protect::push::heartbeat, 60)))
  } else {
    $exported = $services
    $freshness = 180
  }

  @@thrash_protect::monitored { $host:
    address    => $address,
    services   => $exported,
    is_passive => $via == 'push',
    freshness  => $freshness,
    tag        => $exported_tag,
  }
}
