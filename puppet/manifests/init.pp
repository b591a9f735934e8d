# @summary The daemon thrash-protect, its checks and its graphs
#
# Installs, configures and runs the daemon, and, unless told not to, gives its
# checks to NRPE and its graphs to Munin.
#
# A setting of the daemon that is not given here is not written, so that the
# daemon's own default holds. Settings are tried with `--check-config` before
# they replace those that work.
#
# @example All of it, with what fits most hosts
#   include thrash_protect
#
# @example A host that computes, with a database that nobody may freeze
#   class { 'thrash_protect':
#     protect    => ['postgres', 'user:backup'],
#     batch      => ['cgroup:/jobs.slice/*'],
#     max_frozen => 30,
#   }
#
# @example Gone again: what is frozen goes on, then the daemon stops and is removed
#   class { 'thrash_protect':
#     ensure => absent,
#   }
#
# @param ensure
#   Whether it is there. `absent` stops the daemon, lets everything go on that
#   is frozen, and removes the packages and what this module has written. The
#   servers of NRPE and Munin stay.
#
# @param manage_nrpe
#   Whether the checks are NRPE's commands: whether `thrash_protect::nrpe`, with
#   what Hiera says, is included. To declare that class with parameters, say
#   `false` here, and do it after this one; so with the next two.
#
# @param manage_munin
#   Whether Munin draws the graphs, see `thrash_protect::munin`.
#
# @param manage_push
#   Whether the host sends what its checks find by itself, see
#   `thrash_protect::push`.
#
# @param export
#   Whether the host exports its services, for a monitoring server with
#   `thrash_protect::collect`; see `thrash_protect::export`. It needs PuppetDB.
#
# @param package_manage
#   Whether the package is installed and removed.
#
# @param package_name
#   The daemon's package.
#
# @param package_ensure
#   `installed`, or a version.
#
# @param service_manage
#   Whether the service is started and stopped.
#
# @param service_name
#   The service.
#
# @param service_ensure
#   Whether it runs.
#
# @param service_enable
#   Whether it is started with the host.
#
# @param service_provider
#   What starts it; without one Puppet finds it out.
#
# @param daemon
#   The program.
#
# @param config_file
#   Its settings. The start-up files of the packages know this one only.
#
# @param config_validate
#   Whether new settings are tried before they replace the old.
#
# @param dry_run
#   Whether it only decides and publishes, and freezes nothing.
#
# @param interval
#   Look this often while there is trouble, and always where the kernel cannot
#   wake the daemon, in seconds (default: 0.05).
#
# @param stall_threshold
#   A host thrashes when tasks wait for memory for this share of a second, or
#   five times this share of a tenth of it, in percent (default: 10).
#
# @param use_psi
#   Whether it judges by pressure stall information where the kernel has it
#   (default: true).
#
# @param swap_page_threshold
#   Without pressure information: pages that must come in and go out in half a
#   second, their geometric mean (default: 32).
#
# @param pgmajfault_scan_threshold
#   On a kernel that does not count swapping either: major faults in half a
#   second (default: 100).
#
# @param calm
#   It is calm when there was no thrashing for this long, in seconds
#   (default: 1).
#
# @param quantum
#   What was thawed may run at least this long, in seconds (default: 5).
#
# @param max_frozen
#   Nothing stays frozen longer than this at a time, in seconds (default: 60).
#
# @param freezer
#   Freeze by `cgroup` (version 2), which nobody notices, or by `signal`
#   (SIGSTOP); `auto` takes the second where the first cannot be done
#   (default: auto).
#
# @param protect
#   Processes that are never frozen, besides those that never are anyhow.
#
# @param prefer
#   Processes that are frozen before all others.
#
# @param interactive
#   Processes that are frozen for two seconds at most, besides those that wait
#   for somebody at a terminal or a desktop.
#
# @param batch
#   Processes that may wait, wherever they were started.
#
# @param freeze_cgroup
#   Cgroups (version 2) that are frozen as a whole.
#
# @param run_dir
#   Where the state file is kept (default: /run/thrash-protect). The checks,
#   the graphs and what pushes are told.
#
# @param state_interval
#   Write the state file at least this often while it is not calm, in seconds
#   (default: 10).
#
# @param marker
#   The file that is there while something is frozen, or `none` (default:
#   /tmp/thrash-protect-frozen-pid-list). Its check is told.
#
# @param proc
#   Where processes and counters are read; anything but a real /proc means that
#   nothing is frozen (default: /proc).
#
# @param log_file
#   A file for the log, instead of the service manager's.
#
# @param syslog
#   Whether the log goes to syslog (default: false).
#
# @param debug
#   Whether it logs more (default: false).
class thrash_protect (
  Stdlib::Unixpath                                          $daemon,
  Enum['present', 'absent']                                 $ensure                    = 'present',
  Boolean                                                   $manage_nrpe               = true,
  Boolean                                                   $manage_munin              = true,
  Boolean                                                   $manage_push               = false,
  Boolean                                                   $export                    = false,
  Boolean                                                   $package_manage            = true,
  String[1]                                                 $package_name              = 'thrash-protect',
  String[1]                                                 $package_ensure            = 'installed',
  Boolean                                                   $service_manage            = true,
  String[1]                                                 $service_name              = 'thrash-protect',
  Stdlib::Ensure::Service                                   $service_ensure            = 'running',
  Boolean                                                   $service_enable            = true,
  Optional[String[1]]                                       $service_provider          = undef,
  Stdlib::Unixpath                                          $config_file               = '/etc/thrash-protect.conf',
  Boolean                                                   $config_validate           = true,
  Optional[Boolean]                                         $dry_run                   = undef,
  Optional[Variant[Integer[1, 10], Float[0.01, 10.0]]]      $interval                  = undef,
  Optional[Variant[Integer[1, 100], Float[0.1, 100.0]]]     $stall_threshold           = undef,
  Optional[Boolean]                                         $use_psi                   = undef,
  Optional[Integer[1, 1000000]]                             $swap_page_threshold       = undef,
  Optional[Integer[1, 1000000]]                             $pgmajfault_scan_threshold = undef,
  Optional[Variant[Integer[1, 3600], Float[0.1, 3600.0]]]   $calm                      = undef,
  Optional[Variant[Integer[1, 3600], Float[0.1, 3600.0]]]   $quantum                   = undef,
  Optional[Variant[Integer[1, 86400], Float[0.1, 86400.0]]] $max_frozen                = undef,
  Optional[Enum['auto', 'cgroup', 'signal']]                $freezer                   = undef,
  Array[Thrash_protect::Rule]                               $protect                   = [],
  Array[Thrash_protect::Rule]                               $prefer                    = [],
  Array[Thrash_protect::Rule]                               $interactive               = [],
  Array[Thrash_protect::Rule]                               $batch                     = [],
  Array[Thrash_protect::Cgroup]                             $freeze_cgroup             = [],
  Optional[Stdlib::Unixpath]                                $run_dir                   = undef,
  Optional[Variant[Integer[1, 60], Float[0.1, 60.0]]]       $state_interval            = undef,
  Optional[Variant[Stdlib::Unixpath, Enum['none']]]         $marker                    = undef,
  Optional[Stdlib::Unixpath]                                $proc                      = undef,
  Optional[Stdlib::Unixpath]                                $log_file                  = undef,
  Optional[Boolean]                                         $syslog                    = undef,
  Optional[Boolean]                                         $debug                     = undef,
) {
  $package_state = $ensure ? {
    'absent' => 'absent',
    default  => $package_ensure,
  }

  contain thrash_protect::install
  contain thrash_protect::config
  contain thrash_protect::service

  if $manage_nrpe {
    contain thrash_protect::nrpe
  }
  if $manage_munin {
    contain thrash_protect::munin
  }
  if $manage_push {
    contain thrash_protect::push
  }

  if $ensure == 'present' {
    Class['thrash_protect::install']
    -> Class['thrash_protect::config']
    ~> Class['thrash_protect::service']

    if $export {
      contain thrash_protect::export
    }
  } else {
    # A package manager would save settings that were changed.
    Class['thrash_protect::service']
    -> Class['thrash_protect::config']
    -> Class['thrash_protect::install']
  }
}
