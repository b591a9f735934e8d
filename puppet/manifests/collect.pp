# @summary What hosts have exported, on a monitoring server
#
# Writes a file for each host; what was written for one that exports nothing any
# more goes. With the formats of other modules, those say what goes.
#
# @example On a server with Nagios 4
#   service { 'nagios4':
#     ensure => running,
#   }
#   class { 'thrash_protect::collect':
#     format       => 'nagios',
#     service_name => 'nagios4',
#   }
#
# @param format
#   A file for `nagios` or `icinga`, or resources of the modules
#   puppetlabs-nagios_core (`nagios_core`) or icinga-icinga2 (`icinga2_module`).
#
# @param nagios_directory
#   Where files for Nagios are; it must read all of it (`cfg_dir`).
#
# @param icinga_directory
#   Where those for Icinga are.
#
# @param service_name
#   A service of your catalog that is told when something changes.
#
# @param has_hosts
#   Whether the hosts are written, too, not only their services.
#
# @param host_template
#   The template of the hosts.
#
# @param service_template
#   The template of the services.
#
# @param nrpe_plugin
#   With `nagios`: the program that asks NRPE.
#
# @param exported_tag
#   Which hosts, where there are several servers.
class thrash_protect::collect (
  Enum['nagios', 'icinga', 'nagios_core', 'icinga2_module'] $format,
  Stdlib::Unixpath                                          $nagios_directory,
  Stdlib::Unixpath                                          $nrpe_plugin,
  Stdlib::Unixpath                                          $icinga_directory = '/etc/icinga2/conf.d/thrash-protect',
  Optional[String[1]]                                       $service_name     = undef,
  Boolean                                                   $has_hosts        = true,
  Thrash_protect::Template                                  $host_template    = 'generic-host',
  Thrash_protect::Template                                  $service_template = 'generic-service',
  String[1]                                                 $exported_tag     = 'thrash_protect',
) {
  $directory = $format ? {
    /^nagios/ => $nagios_directory,
    default   => $icinga_directory,
  }
  $told = $service_name ? {
    undef   => undef,
    default => Service[$service_name],
  }

  if $format in ['nagios', 'icinga'] {
    file { $directory:
      ensure  => directory,
      owner   => 'root',
      group   => 'root',
      mode    => '0755',
      purge   => true,
      recurse => true,
      force   => true,
      notify  => $told,
    }
  }

  if $format == 'nagios' {
    file { "${directory}/commands.cfg":
      ensure  => file,
      owner   => 'root',
      group   => 'root',
      mode    => '0644',
      content => epp('thrash_protect/commands.cfg.epp', {
          'nrpe_plugin' => $nrpe_plugin,
      }),
      notify  => $told,
    }
  }

  # That of the files, which nobody else has.
  if $format == 'nagios_core' {
    nagios_command { 'thrash_protect_no_result':
      ensure       => present,
      command_line => '/bin/echo "UNKNOWN: no result has come for too long" && exit 3',
      notify       => $told,
    }
  }

  Thrash_protect::Monitored <<| tag == $exported_tag |>> {
    format           => $format,
    directory        => $directory,
    has_host         => $has_hosts,
    host_template    => $host_template,
    service_template => $service_template,
    notify           => $told,
  }
}
