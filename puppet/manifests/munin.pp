# @summary The graphs of Munin
#
# Links the plugins to where the node looks for them, and says from which
# values on Munin alerts.
#
# @example Without the graph of swap, and with a memory of a day, by Hiera
#   thrash_protect::munin::plugins: [thrash_freezes, thrash_majfault, thrash_stall]
#   thrash_protect::munin::backfill: 86400
#
# @param integration
#   How the node is told: by a link and a `file` for each plugin, by
#   `munin::plugin` of the module ssm-munin (`munin_module`), or by nobody
#   (`none`).
#
# @param package_name
#   The package of the plugins, if it is not the daemon's; it comes and
#   goes with that.
#
# @param server_manage
#   With `file`: whether the node is installed and runs. Without it, say
#   `Class['thrash_protect::munin'] ~> Service['munin-node']` for yours.
#
# @param server_package_name
#   The package of the node.
#
# @param service_name
#   The node's service.
#
# @param plugins
#   Which graphs there are; others are unlinked.
#
# @param share_directory
#   Where the package has put the plugins.
#
# @param plugin_directory
#   Where the node looks for them.
#
# @param config_directory
#   Where it looks for their settings.
#
# @param limits
#   From which values on Munin alerts, by graph and by field: `munindoc
#   thrash_freezes` lists them.
#
# @param backfill
#   Send the five-minute values of this many seconds along, so that a graph has
#   no hole where only the master was away (default: 3600).
class thrash_protect::munin (
  Stdlib::Unixpath                                           $share_directory,
  String[1]                                                  $server_package_name,
  Enum['file', 'munin_module', 'none']                       $integration         = 'file',
  Optional[String[1]]                                        $package_name        = undef,
  Boolean                                                    $server_manage       = true,
  String[1]                                                  $service_name        = 'munin-node',
  Array[Thrash_protect::Munin_plugin]                        $plugins             = [
    'thrash_freezes',
    'thrash_majfault',
    'thrash_stall',
    'thrash_swap',
  ],
  Stdlib::Unixpath                                           $plugin_directory    = '/etc/munin/plugins',
  Stdlib::Unixpath                                           $config_directory    = '/etc/munin/plugin-conf.d',
  Hash[Thrash_protect::Munin_plugin, Thrash_protect::Limits] $limits              = {
    'thrash_freezes' => {
      'frozen_warning'   => 0,
      'frozen_critical'  => 5,
      'longest_warning'  => 90,
      'longest_critical' => 300,
    },
    'thrash_stall'   => {
      'memory_some_warning'  => 10,
      'memory_some_critical' => 40,
    },
  },
  Optional[Integer[0, 604800]]                               $backfill            = undef,
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

  $all = ['thrash_freezes', 'thrash_majfault', 'thrash_stall', 'thrash_swap']

  $all.each |$plugin| {
    $wanted = ($plugin in $plugins) ? {
      true    => 'present',
      default => 'absent',
    }

    thrash_protect::graph { $plugin:
      ensure => $wanted,
      limits => pick($limits[$plugin], {}),
    }
  }
}
