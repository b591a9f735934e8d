# frozen_string_literal: true

require 'spec_helper'

# What differs from one family to the next, by hand.
PLACES = {
  'Debian' => {
    plugins: '/usr/lib/nagios/plugins', nrpe: '/etc/nagios/nrpe.d',
    server: 'nagios-nrpe-server', service: 'nagios-nrpe-server',
    packages: ['thrash-protect', 'monitoring-plugins-thrash-protect', 'munin-plugins-thrash-protect'],
    node: 'munin-node', daemon: '/usr/sbin/thrash-protect'
  },
  'RedHat' => {
    plugins: '/usr/lib64/nagios/plugins', nrpe: '/etc/nrpe.d',
    server: 'nrpe', service: 'nrpe',
    packages: ['thrash-protect', 'nagios-plugins-thrash-protect', 'munin-plugins-thrash-protect'],
    node: 'munin-node', daemon: '/usr/sbin/thrash-protect'
  },
  'Suse' => {
    plugins: '/usr/lib/nagios/plugins', nrpe: '/etc/nrpe.d',
    server: 'nrpe', service: 'nrpe',
    packages: ['thrash-protect', 'nagios-plugins-thrash-protect', 'munin-plugins-thrash-protect'],
    node: 'munin-node', daemon: '/usr/sbin/thrash-protect', graphs: '/usr/lib/munin/plugins'
  },
  'Archlinux' => {
    plugins: '/usr/lib/monitoring-plugins', nrpe: '/etc/nrpe/nrpe.d',
    server: 'nrpe', service: 'nrpe', packages: ['thrash-protect'],
    node: 'munin-node', daemon: '/usr/bin/thrash-protect', graphs: '/usr/lib/munin/plugins'
  },
  'Gentoo' => {
    plugins: '/usr/lib64/nagios/plugins', nrpe: '/etc/nagios/nrpe.d',
    server: 'net-analyzer/nrpe', service: 'nrpe', packages: [],
    node: 'net-analyzer/munin', daemon: '/usr/sbin/thrash-protect'
  },
}.freeze

COMMANDS = ['check_thrash_frozen', 'check_thrash_marker', 'check_thrash_pressure'].freeze
GRAPHS = ['thrash_freezes', 'thrash_majfault', 'thrash_stall', 'thrash_swap'].freeze
CONFIG = '/etc/thrash-protect.conf'

describe 'thrash_protect' do
  it 'is tested on all that metadata.json promises' do
    expect(Hosts.all.keys).to match_array(
      [
        'Debian 11', 'Debian 12', 'Debian 13',
        'Ubuntu 20.04', 'Ubuntu 22.04', 'Ubuntu 24.04',
        'RedHat 8', 'RedHat 9', 'CentOS 8', 'CentOS 9', 'Rocky 8', 'Rocky 9',
        'AlmaLinux 8', 'AlmaLinux 9', 'Fedora 41', 'Fedora 42',
        'SLES 15', 'OpenSUSE 15', 'Archlinux', 'Gentoo'
      ],
    )
  end

  Hosts.all.each do |title, facts|
    context "on #{title}" do
      let(:facts) { facts }
      let(:place) do
        family = PLACES.fetch(facts['os']['family'])
        title.start_with?('SLES') ? family.merge(nrpe: '/etc/nagios/nrpe.d') : family
      end
      let(:ours) { ['thrash-protect', 'monitoring-plugins-thrash-protect', 'nagios-plugins-thrash-protect', 'munin-plugins-thrash-protect'] }

      # Few examples, each with much in it: every one compiles a catalogue.
      it 'compiles, with what goes first' do
        is_expected.to compile.with_all_deps
        is_expected.to contain_class('thrash_protect::install').that_comes_before('Class[thrash_protect::config]')
        is_expected.to contain_class('thrash_protect::config').that_notifies('Class[thrash_protect::service]')
        is_expected.not_to contain_class('thrash_protect::push')
        is_expected.not_to contain_class('thrash_protect::export')
        place[:packages].each { |name| is_expected.to contain_package(name).with_ensure('installed') }
        (ours - place[:packages]).each { |name| is_expected.not_to contain_package(name) }
      end

      it 'installs and runs the daemon, with settings that were tried' do
        is_expected.to contain_service('thrash-protect').with(ensure: 'running', enable: true)
        is_expected.to contain_file(CONFIG).with(
          ensure: 'file', owner: 'root', group: 'root', mode: '0644',
          validate_cmd: "#{place[:daemon]} --check-config --config %",
          content: %r{\A#[^\n]*\n\[thrash-protect\]\n\z},
        )
      end

      it 'gives NRPE three commands' do
        is_expected.to contain_package(place[:server])
        is_expected.to contain_service(place[:service]).with(ensure: 'running', enable: true)
        is_expected.to contain_file("#{place[:nrpe]}/thrash-protect.cfg").with_content(%r{\A#[^\n]*\n\z})
        COMMANDS.each do |name|
          is_expected.to contain_thrash_protect__check(name)
          is_expected.to contain_file("#{place[:nrpe]}/#{name}.cfg")
            .with_content(%r{^command\[#{name}\]=#{place[:plugins]}/#{name}$})
            .that_notifies("Service[#{place[:service]}]")
        end
      end

      it 'links four graphs, with limits' do
        is_expected.to contain_package(place[:node])
        is_expected.to contain_service('munin-node').with(ensure: 'running', enable: true)
        GRAPHS.each do |name|
          is_expected.to contain_thrash_protect__graph(name)
          is_expected.to contain_file("/etc/munin/plugins/#{name}")
            .with(ensure: 'link', target: "#{place.fetch(:graphs, '/usr/share/munin/plugins')}/#{name}")
            .that_notifies('Service[munin-node]')
        end
        is_expected.to contain_file('/etc/munin/plugin-conf.d/thrash_freezes').with_content(
          "# Kept by Puppet; what is changed here does not stay.\n" \
          "[thrash_freezes]\nenv.frozen_warning 0\nenv.frozen_critical 5\n" \
          "env.longest_warning 90\nenv.longest_critical 300\n",
        )
        is_expected.to contain_file('/etc/munin/plugin-conf.d/thrash_stall').with_content(%r{env.memory_some_critical 40$})
        is_expected.to contain_file('/etc/munin/plugin-conf.d/thrash_swap').with_ensure('absent')
      end

      context 'when it goes' do
        let(:params) { { ensure: 'absent', manage_push: true } }

        it 'thaws after it has stopped, and before it is gone' do
          is_expected.to compile.with_all_deps
          is_expected.to contain_service('thrash-protect').with(ensure: 'stopped', enable: (title == 'Gentoo') ? false : nil)
          is_expected.to contain_file(CONFIG).with(ensure: 'absent', validate_cmd: nil)
          is_expected.to contain_exec('thrash-protect --thaw-all')
            .with(command: "#{place[:daemon]} --thaw-all --config /dev/null --run-dir /run/thrash-protect",
                  onlyif: %r{^test -x #{place[:daemon]} && })
            .that_requires('Service[thrash-protect]')
          is_expected.to contain_class('thrash_protect::service').that_comes_before('Class[thrash_protect::install]')
          place[:packages].each do |name|
            is_expected.to contain_package(name).with_ensure('absent')
          end
        end

        it 'takes away what it has written, and leaves the servers' do
          COMMANDS.each { |name| is_expected.to contain_file("#{place[:nrpe]}/#{name}.cfg").with_ensure('absent') }
          GRAPHS.each do |name|
            is_expected.to contain_file("/etc/munin/plugins/#{name}").with_ensure('absent')
            is_expected.to contain_file("/etc/munin/plugin-conf.d/#{name}").with_ensure('absent')
          end
          [place[:server], place[:node]].each { |name| is_expected.not_to contain_package(name) }
          [place[:service], 'munin-node'].each { |name| is_expected.not_to contain_service(name) }
          is_expected.to contain_file('/etc/thrash-protect-push.conf').with_ensure('absent')
          is_expected.to contain_file('/etc/thrash-protect-push.secrets').with_ensure('absent')
        end
      end
    end
  end

  context 'with settings' do
    let(:facts) { Hosts['Debian 12'] }
    let(:params) do
      {
        dry_run: true, interval: 0.1, stall_threshold: 12.5, use_psi: false,
        swap_page_threshold: 64, pgmajfault_scan_threshold: 200, calm: 2,
        quantum: 3, max_frozen: 30, freezer: 'signal',
        protect: ['postgres', 'user:backup'], prefer: ['exe:/opt/*'],
        interactive: ['emacs'], batch: ['cgroup:/jobs.slice/*'],
        freeze_cgroup: ['/machine.slice/*'], run_dir: '/run/tp',
        state_interval: 5, marker: '/tmp/m', proc: '/proc',
        log_file: '/var/log/tp', syslog: false, debug: true
      }
    end

    it 'writes each of them' do
      is_expected.to contain_file(CONFIG).with_content(<<~TEXT)
        # Kept by Puppet; what is changed here does not stay.
        [thrash-protect]
        dry_run = yes
        interval = 0.1
        stall_threshold = 12.5
        use_psi = no
        swap_page_threshold = 64
        pgmajfault_scan_threshold = 200
        calm = 2
        quantum = 3
        max_frozen = 30
        freezer = signal
        run_dir = /run/tp
        state_interval = 5
        marker = /tmp/m
        proc = /proc
        log_file = /var/log/tp
        syslog = no
        debug = yes
        protect = postgres user:backup
        prefer = exe:/opt/*
        interactive = emacs
        batch = cgroup:/jobs.slice/*
        freeze_cgroup = /machine.slice/*
      TEXT
    end

    it 'tells the checks and the graphs where to look' do
      is_expected.to contain_file('/etc/nagios/nrpe.d/check_thrash_frozen.cfg').with_content(%r{ --run-dir /run/tp$})
      is_expected.to contain_file('/etc/nagios/nrpe.d/check_thrash_marker.cfg').with_content(%r{ --run-dir /run/tp --marker /tmp/m$})
      is_expected.to contain_file('/etc/munin/plugin-conf.d/thrash_swap').with_content(%r{^env.THRASH_PROTECT_RUN_DIR /run/tp$})
    end
  end

  context 'without a marker' do
    let(:facts) { Hosts['Debian 12'] }
    let(:params) { { marker: 'none' } }

    it { is_expected.to contain_file(CONFIG).with_content(%r{^marker =$}) }
    it { is_expected.to contain_file('/etc/nagios/nrpe.d/check_thrash_marker.cfg').with_content(%r{check_thrash_marker$}) }
  end

  context 'with what would break the file' do
    let(:facts) { Hosts['Debian 12'] }

    {
      interval: [0, 0.001, 11, '1'], max_frozen: [0, 86_401], freezer: ['stop'],
      protect: [['a b'], ["a\nbatch = *"], ['nobody:x'], ['user:'], ''],
      freeze_cgroup: [['/'], ['machine.slice']], marker: ['', 'tmp/m', "/tmp/m\ndry_run = yes"],
      log_file: ['tp.log'], swap_page_threshold: [0, 1_000_001, 1.5]
    }.each do |name, values|
      values.each do |value|
        context "#{name} => #{value.inspect}" do
          let(:params) { { name => value } }

          it { is_expected.to compile.and_raise_error(%r{#{name}}) }
        end
      end
    end
  end

  context 'with nothing but the daemon, that somebody else installs and starts' do
    let(:facts) { Hosts['Debian 12'] }
    let(:params) do
      { package_manage: false, service_manage: false, config_validate: false, manage_nrpe: false, manage_munin: false }
    end

    it { is_expected.to compile.with_all_deps }
    it { is_expected.to have_package_resource_count(0) }
    it { is_expected.to have_service_resource_count(0) }
    it { is_expected.to have_file_resource_count(1) }
    it { is_expected.to contain_file(CONFIG).with_validate_cmd(nil) }

    context 'when it goes' do
      let(:params) { super().merge(ensure: 'absent') }

      it { is_expected.to compile.with_all_deps }
      it { is_expected.to contain_exec('thrash-protect --thaw-all') }
    end
  end

  context 'with a version, and a start of its own' do
    let(:facts) { Hosts['Debian 12'] }
    let(:params) do
      { package_ensure: '0.1.0-1', service_provider: 'debian', service_ensure: 'stopped', service_enable: false, daemon: '/opt/tp' }
    end

    it { is_expected.to contain_package('thrash-protect').with_ensure('0.1.0-1') }
    it { is_expected.to contain_package('monitoring-plugins-thrash-protect').with_ensure('0.1.0-1') }
    it { is_expected.to contain_service('thrash-protect').with(ensure: 'stopped', enable: false, provider: 'debian') }
    it { is_expected.to contain_file(CONFIG).with_validate_cmd('/opt/tp --check-config --config %') }
  end
end
