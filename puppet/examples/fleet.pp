# Each host exports its services, and the server that monitors collects them.
node 'monitor.example.com' {
  service { 'icinga2':
    ensure => running,
  }
  class { 'thrash_protect::collect':
    format       => 'icinga',
    service_name => 'icinga2',
  }
}

node default {
  class { 'thrash_protect':
    export => true,
  }
}
