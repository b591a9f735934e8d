# @summary The daemon's settings
#
# @api private
class thrash_protect::config {
  assert_private()

  # What is empty is not set.
  $rules = {
    'protect'       => $thrash_protect::protect,
    'prefer'        => $thrash_protect::prefer,
    'interactive'   => $thrash_protect::interactive,
    'batch'         => $thrash_protect::batch,
    'freeze_cgroup' => $thrash_protect::freeze_cgroup,
  }.filter |$name, $list| { !empty($list) }

  $settings = {
    'dry_run'                   => $thrash_protect::dry_run,
    'interval'                  => $thrash_protect::interval,
    'stall_threshold'           => $thrash_protect::stall_threshold,
    'use_psi'                   => $thrash_protect::use_psi,
    'swap_page_threshold'       => $thrash_protect::swap_page_threshold,
    'pgmajfault_scan_threshold' => $thrash_protect::pgmajfault_scan_threshold,
    'calm'                      => $thrash_protect::calm,
    'quantum'                   => $thrash_protect::quantum,
    'max_frozen'                => $thrash_protect::max_frozen,
    'freezer'                   => $thrash_protect::freezer,
    'run_dir'                   => $thrash_protect::run_dir,
    'state_interval'            => $thrash_protect::state_interval,
    'marker'                    => $thrash_protect::marker,
    'proc'                      => $thrash_protect::proc,
    'log_file'                  => $thrash_protect::log_file,
    'syslog'                    => $thrash_protect::syslog,
    'debug'                     => $thrash_protect::debug,
  } + $rules

  $is_tried = $thrash_protect::config_validate and $thrash_protect::ensure == 'present'
  $trial = $is_tried ? {
    true    => "${thrash_protect::daemon} --check-config --config %",
    default => undef,
  }

  file { $thrash_protect::config_file:
    ensure       => stdlib::ensure($thrash_protect::ensure, 'file'),
    owner        => 'root',
    group        => 'root',
    mode         => '0644',
    content      => epp('thrash_protect/settings.epp', {
        'section' => 'thrash-protect',
        'lines'   => thrash_protect::lines($settings),
    }),
    validate_cmd => $trial,
  }
}
