# Gone again: the daemon stops, what is frozen goes on, all of it is removed.
class { 'thrash_protect':
  ensure => absent,
}
