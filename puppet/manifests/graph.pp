# @summary One more graph of Munin, with limits of its own
#
# Munin takes the same plugin under several names.
#
# @example The freezes once more, with an alert after ten seconds
#   thrash_protect::graph { 'thrash_freezes_long':
#     plugin => 'thrash_freezes',
#     limits => { 'longest_warning' => 10 },
#   }
#
# @param ensure
#   Whether it is there; it never is without `thrash_protect`.
#
# @param plugin
#   Which plugin draws it.
#
# @param limits
#   From which values on Munin alerts.
define thrash_protect::graph (
  Enum['present', 'absent']    $ensure = 'present',
  Thrash_protect::Munin_plugin $plugin = $name,
  Thrash_protect::Limits       $limits = {},
) {
  include thrash_protect
  include thrash_protect::munin

  unless $name =~ Thrash_protect::Command {
    fail("Thrash_protect::Graph[${name}]: Munin takes letters, digits, '_', '.' and '-' in a name")
  }

  $wanted = $thrash_protect::ensure ? {
    'absent' => 'absent',
    default  => $ensure,
  }
  $environment = {
    'backfill'               => $thrash_protect::munin::backfill,
    'THRASH_PROTECT_RUN_DIR' => $thrash_protect::run_dir,
  } + $limits
  $config = $environment.filter |$key, $value| {
    $value =~ NotUndef
  }.map |$key, $value| { "env.${key} ${value}" }

  $target = "${thrash_protect::munin::share_directory}/${plugin}"

  case $thrash_protect::munin::integration {
    'file': {
      $link = "${thrash_protect::munin::plugin_directory}/${name}"
      $file = "${thrash_protect::munin::config_directory}/${name}"

      file { $link:
        ensure => stdlib::ensure($wanted, 'link'),
        target => $target,
      }
      file { $file:
        ensure  => stdlib::ensure($wanted == 'present' and !empty($config), 'file'),
        owner   => 'root',
        group   => 'root',
        mode    => '0644',
        content => epp('thrash_protect/munin.conf.epp', {
            'name'  => $name,
            'lines' => $config,
        }),
      }
      if $thrash_protect::munin::manages_package {
        Package[$thrash_protect::munin::package_name] -> File[$link]
      }
      if $thrash_protect::munin::manages_server {
        Package[$thrash_protect::munin::server_package_name]
        -> File[$link, $file]
        ~> Service[$thrash_protect::munin::service_name]
      }
    }
    'munin_module': {
      munin::plugin { $name:
        ensure => stdlib::ensure($wanted, 'link'),
        target => $target,
        config => $config,
      }
    }
    default: {
      # Somebody else runs the plugins.
    }
  }
}
