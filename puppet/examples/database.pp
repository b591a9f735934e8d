# A host that computes, with a database that nobody may freeze.
class { 'thrash_protect':
  protect    => ['postgres', 'user:backup'],
  batch      => ['cgroup:/jobs.slice/*'],
  max_frozen => 30,
}

# Every process that is frozen, by name, for who asks.
thrash_protect::check { 'check_thrash_frozen_long':
  plugin  => 'check_thrash_frozen',
  options => { 'verbose' => true },
}
