# @summary A host on its monitoring server
#
# Hosts export it with `thrash_protect::export`; `thrash_protect::collect` says
# in which form it is wanted. It can also be written down for a host without
# Puppet.
#
# @example A host without Puppet
#   thrash_protect::monitored { 'old.example.com':
#     address   => '192.0.2.7',
#     services  => { 'thrash frozen' => 'check_thrash_frozen' },
#     format    => 'nagios',
#     directory => '/etc/nagios4/conf.d/thrash-protect',
#   }
#
# @param address
#   Where the server finds it.
#
# @param services
#   The services by name, and NRPE's commands for them.
#
# @param is_passive
#   Whether the host sends by itself.
#
# @param freshness
#   After which time without a result a passive service is UNKNOWN, in seconds.
#
# @param format
#   A file for `nagios` or `icinga`, or resources of the modules
#   puppetlabs-nagios_core (`nagios_core`) or icinga-icinga2 (`icinga2_module`).
#
# @param directory
#   Where the file is; with `icinga2_module` where that module puts it.
#
# @param has_host
#   With a file: whether the host is in it, too, not only its services.
#
# @param host_template
#   The template of the host.
#
# @param service_template
#   The template of the services.
define thrash_protect::monitored (
  Thrash_protect::Address                                                   $address,
  Hash[Thrash_protect::Service_name, Thrash_protect::Command, 1] $services,
  Boolean                                                        $is_passive       = false,
  Integer[1]                                                     $freshness        = 180,
  Enum['nagios', 'icinga', 'nagios_core', 'icinga2_module']      $format           = 'nagios',
  Stdlib::Unixpath                                               $directory        = '/etc/nagios/conf.d/thrash-protect',
  Boolean                                                        $has_host         = true,
  Thrash_protect::Template                                       $host_template    = 'generic-host',
  Thrash_protect::Template                                       $service_template = 'generic-service',
) {
  # A title is whatever the host says that it is.
  unless $name =~ Thrash_protect::Address {
    fail('Thrash_protect::Monitored: the title must be the name of a host')
  }

  $values = {
    'host'             => $name,
    'address'          => $address,
    'has_host'         => $has_host,
    'host_template'    => $host_template,
    'service_template' => $service_template,
    'is_passive'       => $is_passive,
    'freshness'        => $freshness,
    'services'         => $services,
  }

  case $format {
    'nagios', 'icinga': {
      $suffix = $format ? {
        'nagios' => 'cfg',
        default  => 'conf',
      }

      file { "${directory}/${name}.${suffix}":
        ensure  => file,
        owner   => 'root',
        group   => 'root',
        mode    => '0644',
        content => epp("thrash_protect/${format}.${suffix}.epp", $values),
      }
    }
    'nagios_core': {
      $services.each |$service, $command| {
        $asked = $is_passive ? {
          true    => {
            'check_command'         => 'thrash_protect_no_result',
            'active_checks_enabled' => 0,
            'check_freshness'       => 1,
          },
          default => { 'check_command' => "check_nrpe!${command}" },
        }

        nagios_service { "${name} ${service}":
          ensure                 => present,
          host_name              => $name,
          service_description    => $service,
          use                    => $service_template,
          max_check_attempts     => 1,
          passive_checks_enabled => 1,
          freshness_threshold    => $freshness,
          *                      => $asked,
        }
      }
    }
    default: {
      $services.each |$service, $command| {
        $asked = $is_passive ? {
          true    => {
            'check_command'  => 'dummy',
            'check_interval' => $freshness,
            'vars'           => { 'dummy_state' => 3, 'dummy_text' => 'no result has come for too long' },
          },
          default => {
            'check_command' => 'nrpe',
            'vars'          => { 'nrpe_command' => $command },
          },
        }

        icinga2::object::service { "${name} ${service}":
          target             => "${directory}/${name}.conf",
          service_name       => $service,
          host_name          => $name,
          import             => [$service_template],
          max_check_attempts => 1,
          *                  => $asked,
        }
      }
    }
  }
}
