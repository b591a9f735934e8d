# @summary What the checks find, sent by the host itself
#
# For hosts that the monitoring cannot reach, or not soon enough: a service
# sends to Icinga 2 or to Nagios (NRDP) as soon as something changes, and as a
# heartbeat.
#
# The secrets are in a file of their own that only the service's user reads.
# They are in no log, report or diff, and Hiera's are made `Sensitive`. They are
# in the catalog, as everything is.
#
# A setting that is not given is the tool's own default.
#
# @example To Icinga 2; the class comes after `thrash_protect`, or its settings from Hiera
#   include thrash_protect
#   class { 'thrash_protect::push':
#     url      => 'https://icinga.example:5665',
#     ca       => '/etc/ssl/certs/icinga-ca.crt',
#     login    => 'thrash-protect-push',
#     password => Sensitive('...'),
#   }
#
# @param package_name
#   The package of the tool, if it is not the daemon's; it comes and goes with
#   that.
#
# @param service_manage
#   Whether the service is started and stopped. There is one for systemd only;
#   elsewhere let cron run `thrash-protect-push --once`.
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
# @param user
#   The user that it runs as, who owns the secrets.
#
# @param config_file
#   Its settings.
#
# @param login
#   The name that the receiver knows the host by (`user` of the credentials).
#
# @param password
#   The password that goes with it.
#
# @param token
#   The token that NRDP wants instead.
#
# @param run_dir
#   Of the state file (default: that of the class `thrash_protect`).
#
# @param receiver
#   The API of `icinga2`, or `nrdp` of Nagios (default: icinga2).
#
# @param url
#   Of the receiver, as `https://HOST:5665` or `https://HOST/nrdp/`.
#
# @param pushgateway
#   Of a Prometheus Pushgateway.
#
# @param host
#   What the receiver calls this host (default: its own name).
#
# @param frozen_service
#   What the receiver calls the service, or `none`, and it is not sent (default:
#   thrash-protect frozen).
#
# @param frozen_options
#   Options of `check_thrash_frozen`.
#
# @param pressure_service
#   Likewise (default: thrash-protect pressure).
#
# @param pressure_options
#   Options of `check_thrash_pressure`.
#
# @param marker_service
#   Likewise (default: none).
#
# @param marker_options
#   Options of `check_thrash_marker`.
#
# @param credentials
#   The file of the secrets. Without `login`, `password` and `token` there is
#   none, and one that is there is removed.
#
# @param ca
#   Trust the authorities in this file (default: those of the system).
#
# @param certificate
#   A certificate to be known by, instead of login and password.
#
# @param key
#   The file of its key, of mode 0600.
#
# @param proxy
#   For all that is sent; without one there is none, whatever the environment
#   says.
#
# @param heartbeat
#   Send at least this often, in seconds (default: 60).
#
# @param poll
#   Look at least this often, in seconds (default: 10).
#
# @param interval
#   Look at most this often, however often the state changes, in seconds
#   (default: 1).
#
# @param connect_timeout
#   For a connection, in seconds (default: 5).
#
# @param timeout
#   For all of a request, in seconds (default: 15).
#
# @param retry
#   Wait this long after a failure, twice as long after the next, and so on, in
#   seconds (default: 1).
#
# @param retry_max
#   But never longer than this, in seconds (default: 300).
#
# @param spool
#   Where what cannot be sent waits (default: /var/spool/thrash-protect-push).
#
# @param queue_results
#   Of these at most; then the oldest of a service goes (default: 1000).
#
# @param queue_bytes
#   And this many bytes (default: 4194304).
#
# @param debug
#   Whether it logs more (default: false).
class thrash_protect::push (
  Optional[String[1]]                                        $package_name     = undef,
  Boolean                                                    $service_manage   = $facts['service_provider'] == 'systemd',
  String[1]                                                  $service_name     = 'thrash-protect-push',
  Stdlib::Ensure::Service                                    $service_ensure   = 'running',
  Boolean                                                    $service_enable   = true,
  String[1]                                                  $user             = 'thrash-protect-push',
  Stdlib::Unixpath                                           $config_file      = '/etc/thrash-protect-push.conf',
  Optional[Thrash_protect::Line]                             $login            = undef,
  Optional[Thrash_protect::Secret]                           $password         = undef,
  Optional[Thrash_protect::Secret]                           $token            = undef,
  Optional[Stdlib::Unixpath]                                 $run_dir          = undef,
  Optional[Enum['icinga2', 'nrdp']]                          $receiver         = undef,
  Optional[Stdlib::HTTPUrl]                                  $url              = undef,
  Optional[Stdlib::HTTPUrl]                                  $pushgateway      = undef,
  Optional[Thrash_protect::Service_name]                     $host             = undef,
  Optional[Thrash_protect::Service_name]                     $frozen_service   = undef,
  Hash[String[1], Thrash_protect::Option]                    $frozen_options   = {},
  Optional[Thrash_protect::Service_name]                     $pressure_service = undef,
  Hash[String[1], Thrash_protect::Option]                    $pressure_options = {},
  Optional[Thrash_protect::Service_name]                     $marker_service   = undef,
  Hash[String[1], Thrash_protect::Option]                    $marker_options   = {},
  Stdlib::Unixpath                                           $credentials      = '/etc/thrash-protect-push.secrets',
  Optional[Stdlib::Unixpath]                                 $ca               = undef,
  Optional[Stdlib::Unixpath]                                 $certificate      = undef,
  Optional[Stdlib::Unixpath]                                 $key              = undef,
  Optional[Stdlib::HTTPUrl]                                  $proxy            = undef,
  Optional[Variant[Integer[1, 86400], Float[1.0, 86400.0]]]  $heartbeat        = undef,
  Optional[Variant[Integer[1, 3600], Float[0.1, 3600.0]]]    $poll             = undef,
  Optional[Variant[Integer[0, 60], Float[0.0, 60.0]]]        $interval         = undef,
  Optional[Variant[Integer[1, 60], Float[0.1, 60.0]]]        $connect_timeout  = undef,
  Optional[Variant[Integer[1, 600], Float[0.1, 600.0]]]      $timeout          = undef,
  Optional[Variant[Integer[1, 3600], Float[0.01, 3600.0]]]   $retry            = undef,
  Optional[Variant[Integer[1, 86400], Float[0.01, 86400.0]]] $retry_max        = undef,
  Optional[Stdlib::Unixpath]                                 $spool            = undef,
  Optional[Integer[10, 100000]]                              $queue_results    = undef,
  Optional[Integer[65536, 1073741824]]                       $queue_bytes      = undef,
  Optional[Boolean]                                          $debug            = undef,
) {
  include thrash_protect

  $is_present = $thrash_protect::ensure == 'present'
  $file_ensure = stdlib::ensure($thrash_protect::ensure, 'file')

  $secrets = {
    'user'     => $login,
    'password' => $password,
    'token'    => $token,
  }.filter |$name, $value| { $value =~ NotUndef }

  $has_secrets = $is_present and !empty($secrets)
  $secrets_ensure = stdlib::ensure($has_secrets, 'file')

  # Options are words, and what a check has no option for is left out.
  $options = {
    'frozen_options'   => $frozen_options,
    'pressure_options' => $pressure_options,
    'marker_options'   => $marker_options,
  }.filter |$name, $value| {
    !empty($value)
  }.reduce({}) |$all, $option| {
    $all + { $option[0] => thrash_protect::arguments($option[1]) }
  }

  $state_dir = $run_dir ? {
    undef   => $thrash_protect::run_dir,
    default => $run_dir,
  }

  $settings = {
    'run_dir'          => $state_dir,
    'receiver'         => $receiver,
    'url'              => $url,
    'pushgateway'      => $pushgateway,
    'host'             => $host,
    'frozen_service'   => $frozen_service,
    'pressure_service' => $pressure_service,
    'marker_service'   => $marker_service,
    'credentials'      => empty($secrets) ? {
      true    => undef,
      default => $credentials,
    },
    'ca'               => $ca,
    'certificate'      => $certificate,
    'key'              => $key,
    'proxy'            => $proxy,
    'heartbeat'        => $heartbeat,
    'poll'             => $poll,
    'interval'         => $interval,
    'connect_timeout'  => $connect_timeout,
    'timeout'          => $timeout,
    'retry'            => $retry,
    'retry_max'        => $retry_max,
    'spool'            => $spool,
    'queue_results'    => $queue_results,
    'queue_bytes'      => $queue_bytes,
    'debug'            => $debug,
  } + $options

  if $thrash_protect::package_manage and $package_name {
    package { $package_name:
      ensure => $thrash_protect::package_state,
    }
  }

  file { $config_file:
    ensure  => $file_ensure,
    owner   => 'root',
    group   => 'root',
    mode    => '0644',
    content => epp('thrash_protect/settings.epp', {
        'section' => 'thrash-protect-push',
        'lines'   => thrash_protect::lines($settings),
    }),
  }

  file { $credentials:
    ensure    => $secrets_ensure,
    owner     => $user,
    mode      => '0600',
    show_diff => false,
    backup    => false,
    content   => Sensitive(epp('thrash_protect/settings.epp', {
          'section' => 'credentials',
          'lines'   => thrash_protect::lines(thrash_protect::unwrap($secrets)),
    })),
  }

  # As for the daemon: without its unit it cannot be asked.
  $enabled = [$is_present, $thrash_protect::package_manage] ? {
    [false, true]  => undef,
    [false, false] => false,
    default        => $service_enable,
  }
  $running = $is_present ? {
    true    => $service_ensure,
    default => 'stopped',
  }

  if $service_manage {
    service { $service_name:
      ensure => $running,
      enable => $enabled,
    }

    if $is_present {
      File[$config_file, $credentials] ~> Service[$service_name]
    } else {
      Service[$service_name] -> File[$config_file, $credentials]
    }
  }

  # Its user comes with the tool, which may be in the daemon's package.
  if $is_present {
    Class['thrash_protect::install'] -> File[$config_file, $credentials]
  }

  if $thrash_protect::package_manage and $package_name {
    if $is_present {
      Package[$package_name] -> File[$config_file, $credentials]
    } elsif $service_manage {
      Service[$service_name] -> Package[$package_name]
    }
  }
}
