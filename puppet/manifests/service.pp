# @summary The daemon
#
# @api private
class thrash_protect::service {
  assert_private()

  $is_absent = $thrash_protect::ensure == 'absent'

  # A service whose start-up file has gone with its package cannot be asked.
  $enabled = [$is_absent, $thrash_protect::package_manage] ? {
    [true, true]  => undef,
    [true, false] => false,
    default       => $thrash_protect::service_enable,
  }
  $running = $is_absent ? {
    true    => 'stopped',
    default => $thrash_protect::service_ensure,
  }

  if $thrash_protect::service_manage {
    service { $thrash_protect::service_name:
      ensure   => $running,
      enable   => $enabled,
      provider => $thrash_protect::service_provider,
    }
  }

  # A daemon that ends thaws what it has frozen. One that was killed has left a
  # state file, or cgroups of its name.
  if $is_absent {
    $daemon = shellquote($thrash_protect::daemon)
    $run_dir = pick($thrash_protect::run_dir, '/run/thrash-protect')
    $state = shellquote("${run_dir}/state")
    $cages = "find /sys/fs/cgroup -type d -name 'thrash-protect.*.*' 2>/dev/null | grep -q ."

    exec { 'thrash-protect --thaw-all':
      command  => "${daemon} --thaw-all --config /dev/null --run-dir ${shellquote($run_dir)}",
      onlyif   => "test -x ${daemon} && { test -e ${state} || ${cages}; }",
      provider => 'shell',
      path     => ['/usr/sbin', '/usr/bin', '/sbin', '/bin'],
    }

    if $thrash_protect::service_manage {
      Service[$thrash_protect::service_name] -> Exec['thrash-protect --thaw-all']
    }
  }
}
