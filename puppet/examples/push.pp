# A host that sends by itself, for it cannot be reached.  The classes that
# thrash_protect would include by itself come after it, and it is told so.
class { 'thrash_protect':
  manage_nrpe => false,
}
class { 'thrash_protect::push':
  url      => 'https://icinga.example.com:5665',
  ca       => '/etc/ssl/certs/ca-certificates.crt',
  login    => 'thrash-protect-push',
  password => Sensitive('from Hiera, better, where it can be encrypted'),
}
