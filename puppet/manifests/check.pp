# @summary One more command of NRPE
#
# The directory of the state file and the place of the marker are those of the
# class `thrash_protect`, if it sets them.
#
# @example Every process that is frozen, by name
#   thrash_protect::check { 'check_thrash_frozen_long':
#     plugin  => 'check_thrash_frozen',
#     options => { 'warning' => 0, 'critical' => 5, 'verbose' => true },
#   }
#
# @param ensure
#   Whether it is there; it never is without `thrash_protect`.
#
# @param plugin
#   Which check it runs.
#
# @param options
#   Its options, by their long names, where hyphens may be underscores; `true`
#   for one without a value.
define thrash_protect::check (
  Enum['present', 'absent']               $ensure  = 'present',
  Thrash_protect::Nagios_plugin           $plugin  = $name,
  Hash[String[1], Thrash_protect::Option] $options = {},
) {
  include thrash_protect
  include thrash_protect::nrpe

  unless $name =~ Thrash_protect::Command {
    fail("Thrash_protect::Check[${name}]: NRPE takes letters, digits, '_', '.' and '-' in a name")
  }

  $marker = [$plugin, $thrash_protect::marker] ? {
    ['check_thrash_marker', Stdlib::Unixpath] => $thrash_protect::marker,
    default                                   => undef,
  }
  $common = {
    'timeout' => $thrash_protect::nrpe::timeout,
    'run_dir' => $thrash_protect::run_dir,
    'marker'  => $marker,
  }
  $program = "${thrash_protect::nrpe::plugin_directory}/${plugin}"
  $command = shellquote($program, thrash_protect::arguments($common + $options))

  $wanted = $thrash_protect::ensure ? {
    'absent' => 'absent',
    default  => $ensure,
  }

  case $thrash_protect::nrpe::integration {
    'file': {
      $file = "${thrash_protect::nrpe::config_directory}/${name}.cfg"

      file { $file:
        ensure  => stdlib::ensure($wanted, 'file'),
        owner   => 'root',
        group   => 'root',
        mode    => '0644',
        content => epp('thrash_protect/command.cfg.epp', {
            'name'    => $name,
            'command' => $command,
        }),
      }
      if $thrash_protect::nrpe::manages_package {
        Package[$thrash_protect::nrpe::package_name] -> File[$file]
      }
      if $thrash_protect::nrpe::manages_server {
        Package[$thrash_protect::nrpe::server_package_name]
        -> File[$file]
        ~> Service[$thrash_protect::nrpe::service_name]
      }
    }
    'nrpe_module': {
      nrpe::command { $name:
        ensure  => $wanted,
        command => $command,
      }
    }
    default: {
      # Somebody else runs the checks.
    }
  }
}
