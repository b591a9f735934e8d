# @summary The checks as commands of NRPE
#
# Three commands, `check_thrash_frozen`, `check_thrash_marker` and
# `check_thrash_pressure`, and those of `checks`.
#
# A limit that is not given here is the check's own default.
#
# @example Another limit, by Hiera
#   thrash_protect::nrpe::frozen_critical: 10
#
# @example With a Nagios that asks every five minutes, without Hiera
#   class { 'thrash_protect':
#     manage_nrpe => false,
#   }
#   class { 'thrash_protect::nrpe':
#     frozen_since   => 300,
#     pressure_since => 300,
#   }
#
# @param integration
#   How NRPE is told: by a `file` for each command in its directory, by
#   `nrpe::command` of the module puppet-nrpe (`nrpe_module`), or by nobody
#   (`none`), for example where an agent runs the checks.
#
# @param package_name
#   The package of the checks, if it is not the daemon's; it comes and
#   goes with that.
#
# @param server_manage
#   With `file`: whether the server of NRPE is installed and runs. Without it,
#   say `Class['thrash_protect::nrpe'] ~> Service['...']` for yours.
#
# @param server_package_name
#   The package of the server.
#
# @param service_name
#   The server's service.
#
# @param plugin_directory
#   Where the checks are.
#
# @param config_directory
#   Which directory the server reads (`include_dir`).
#
# @param sees_marker
#   Whether the service of NRPE gets the host's `/tmp` (`PrivateTmp=no`, by a
#   drop-in of systemd's), so that `check_thrash_marker` sees the marker. Without
#   it the check judges by the state file, which says the same.
#
# @param frozen_warning
#   WARNING outside of this number of frozen processes (default: 0).
#
# @param frozen_critical
#   CRITICAL likewise (default: 5).
#
# @param frozen_longest_warning
#   WARNING when one is frozen for longer, in seconds (default: 90).
#
# @param frozen_longest_critical
#   CRITICAL likewise (default: 300).
#
# @param frozen_no_daemon
#   What is said when no daemon runs (default: critical).
#
# @param frozen_since
#   Judge the worst of this many seconds, not the moment.
#
# @param frozen_orphans
#   Whether the limits also hold for what is stopped, but neither by the daemon
#   nor as a job of a shell.
#
# @param frozen_verbose
#   Whether everybody who is frozen is named.
#
# @param marker_warning
#   WARNING when the marker is older, in seconds (default: 5).
#
# @param marker_critical
#   CRITICAL likewise (default: 60).
#
# @param pressure_warning
#   WARNING when tasks wait for memory for more than this share of the time, in
#   percent (default: 10).
#
# @param pressure_critical
#   CRITICAL likewise (default: 40).
#
# @param pressure_swap_in_warning
#   WARNING when more is swapped in, in bytes per second.
#
# @param pressure_swap_in_critical
#   CRITICAL likewise.
#
# @param pressure_swap_out_warning
#   WARNING when more is swapped out, in bytes per second.
#
# @param pressure_swap_out_critical
#   CRITICAL likewise.
#
# @param pressure_refaults_warning
#   WARNING when more evicted pages come back, in pages per second.
#
# @param pressure_refaults_critical
#   CRITICAL likewise.
#
# @param pressure_major_faults_warning
#   WARNING when there are more major faults, per second.
#
# @param pressure_major_faults_critical
#   CRITICAL likewise.
#
# @param pressure_io_stall_warning
#   WARNING when tasks wait for a disk for more than this, in percent.
#
# @param pressure_io_stall_critical
#   CRITICAL likewise.
#
# @param pressure_since
#   Judge the worst of this many seconds, not the moment.
#
# @param pressure_interval
#   Watch this long where no daemon runs, in seconds (default: 1).
#
# @param timeout
#   UNKNOWN when a check takes longer, in seconds (default: 10).
#
# @param checks
#   More commands, by name: see `thrash_protect::check`.
class thrash_protect::nrpe (
  String[1]                           $server_package_name,
  String[1]                           $service_name,
  Stdlib::Unixpath                    $plugin_directory,
  Stdlib::Unixpath                    $config_directory,
  Enum['file', 'nrpe_module', 'none'] $integration                    = 'file',
  Optional[String[1]]                 $package_name                   = undef,
  Boolean                             $server_manage                  = true,
  Boolean                             $sees_marker                    = false,
  Optional[Thrash_protect::Range]     $frozen_warning                 = undef,
  Optional[Thrash_protect::Range]     $frozen_critical                = undef,
  Optional[Thrash_protect::Range]     $frozen_longest_warning         = undef,
  Optional[Thrash_protect::Range]     $frozen_longest_critical        = undef,
  Optional[Thrash_protect::Status]    $frozen_no_daemon               = undef,
  Optional[Integer[1]]                $frozen_since                   = undef,
  Boolean                             $frozen_orphans                 = false,
  Boolean                             $frozen_verbose                 = false,
  Optional[Thrash_protect::Range]     $marker_warning                 = undef,
  Optional[Thrash_protect::Range]     $marker_critical                = undef,
  Optional[Thrash_protect::Range]     $pressure_warning               = undef,
  Optional[Thrash_protect::Range]     $pressure_critical              = undef,
  Optional[Thrash_protect::Range]     $pressure_swap_in_warning       = undef,
  Optional[Thrash_protect::Range]     $pressure_swap_in_critical      = undef,
  Optional[Thrash_protect::Range]     $pressure_swap_out_warning      = undef,
  Optional[Thrash_protect::Range]     $pressure_swap_out_critical     = undef,
  Optional[Thrash_protect::Range]     $pressure_refaults_warning      = undef,
  Optional[Thrash_protect::Range]     $pressure_refaults_critical     = undef,
  Optional[Thrash_protect::Range]     $pressure_major_faults_warning  = undef,
  Optional[Thrash_protect::Range]     $pressure_major_faults_critical = undef,
  Optional[Thrash_protect::Range]     $pressure_io_stall_warning      = undef,
  Optional[Thrash_protect::Range]     $pressure_io_stall_critical     = undef,
  Optional[Integer[1]]                $pressure_since                 = undef,
  Optional[Integer[1]]                $pressure_interval              = undef,
  Optional[Integer[1]]                $timeout                        = undef,
  Hash[Thrash_protect::Command, Hash] $checks                         = {},
) {
  include thrash_protect

  $is_present = $thrash_protect::ensure == 'present'

  $manages_package = $thrash_protect::package_manage and $package_name =~ NotUndef

  if $manages_package {
    package { $package_name:
      ensure => $thrash_protect::package_state,
    }
  }

  $manages_server = $server_manage and $integration == 'file' and $is_present

  if $manages_server {
    ensure_resource('package', $server_package_name, { 'ensure' => 'installed' })
    ensure_resource('service', $service_name, { 'ensure' => 'running', 'enable' => true })
    Package[$server_package_name] -> Service[$service_name]
  }

  if $facts['service_provider'] == 'systemd' {
    $wants_marker = $sees_marker and $is_present and $integration != 'none'
    $directory = "/etc/systemd/system/${service_name}.service.d"
    $drop_in = "${directory}/thrash-protect.conf"

    if $wants_marker {
      ensure_resource('file', $directory, { 'ensure' => 'directory', 'mode' => '0755' })
    }
    file { $drop_in:
      ensure  => stdlib::ensure($wants_marker, 'file'),
      owner   => 'root',
      group   => 'root',
      mode    => '0644',
      content => epp('thrash_protect/private_tmp.conf.epp'),
    }

    # systemd does not notice by itself that a unit has its first drop-in.
    exec { "systemctl daemon-reload for ${service_name}":
      command     => 'systemctl daemon-reload',
      refreshonly => true,
      path        => ['/usr/bin', '/bin'],
      subscribe   => File[$drop_in],
    }
    if $manages_server {
      Exec["systemctl daemon-reload for ${service_name}"] ~> Service[$service_name]
    }
  }

  # The package has the three commands in a file of its own, which would hide
  # these.
  if $integration != 'none' {
    $packaged = "${config_directory}/thrash-protect.cfg"

    file { $packaged:
      ensure  => stdlib::ensure($thrash_protect::ensure, 'file'),
      owner   => 'root',
      group   => 'root',
      mode    => '0644',
      content => "# Kept by Puppet: each command has a file of its own.\n",
    }
    if $manages_package and $is_present {
      Package[$package_name] -> File[$packaged]
    } elsif $manages_package {
      File[$packaged] -> Package[$package_name]
    }
    if $manages_server {
      Package[$server_package_name] -> File[$packaged] ~> Service[$service_name]
    }
  }

  thrash_protect::check {
    'check_thrash_frozen':
      options => {
        'warning'          => $frozen_warning,
        'critical'         => $frozen_critical,
        'longest_warning'  => $frozen_longest_warning,
        'longest_critical' => $frozen_longest_critical,
        'no_daemon'        => $frozen_no_daemon,
        'since'            => $frozen_since,
        'orphans'          => $frozen_orphans,
        'verbose'          => $frozen_verbose,
      },
      ;
    'check_thrash_marker':
      options => {
        'warning'  => $marker_warning,
        'critical' => $marker_critical,
      },
      ;
    'check_thrash_pressure':
      options => {
        'warning'               => $pressure_warning,
        'critical'              => $pressure_critical,
        'swap_in_warning'       => $pressure_swap_in_warning,
        'swap_in_critical'      => $pressure_swap_in_critical,
        'swap_out_warning'      => $pressure_swap_out_warning,
        'swap_out_critical'     => $pressure_swap_out_critical,
        'refaults_warning'      => $pressure_refaults_warning,
        'refaults_critical'     => $pressure_refaults_critical,
        'major_faults_warning'  => $pressure_major_faults_warning,
        'major_faults_critical' => $pressure_major_faults_critical,
        'io_stall_warning'      => $pressure_io_stall_warning,
        'io_stall_critical'     => $pressure_io_stall_critical,
        'since'                 => $pressure_since,
        'interval'              => $pressure_interval,
      },
      ;
  }

  $checks.each |$name, $attributes| {
    thrash_protect::check { $name:
      * => $attributes,
    }
  }
}
