# frozen_string_literal: true

require 'spec_helper'

describe 'thrash_protect::nrpe' do
  let(:facts) { Hosts['Debian 12'] }
  let(:directory) { '/etc/nagios/nrpe.d' }

  context 'by itself' do
    it { is_expected.to compile.with_all_deps }
    it { is_expected.to contain_class('thrash_protect') }
  end

  context 'with each limit' do
    let(:params) do
      {
        frozen_warning: 1, frozen_critical: '~:9', frozen_longest_warning: 10,
        frozen_longest_critical: 20.5, frozen_no_daemon: 'warning',
        frozen_since: 300, frozen_orphans: true, frozen_verbose: true,
        marker_warning: '@1:5', marker_critical: '60:',
        pressure_warning: 11, pressure_critical: 41,
        pressure_swap_in_warning: 1, pressure_swap_in_critical: 2,
        pressure_swap_out_warning: 3, pressure_swap_out_critical: 4,
        pressure_refaults_warning: 5, pressure_refaults_critical: 6,
        pressure_major_faults_warning: 7, pressure_major_faults_critical: 8,
        pressure_io_stall_warning: 9, pressure_io_stall_critical: 10,
        pressure_since: 600, pressure_interval: 2, timeout: 8
      }
    end

    it 'gives them to the checks, quoted where a shell would read them' do
      is_expected.to contain_file("#{directory}/check_thrash_frozen.cfg").with_content(
        %r{/check_thrash_frozen --timeout 8 --warning 1 --critical "~:9" --longest-warning 10 --longest-critical 20.5 --no-daemon warning --since 300 --orphans --verbose$},
      )
      is_expected.to contain_file("#{directory}/check_thrash_marker.cfg").with_content(
        %r{/check_thrash_marker --timeout 8 --warning @1:5 --critical 60:$},
      )
      is_expected.to contain_file("#{directory}/check_thrash_pressure.cfg").with_content(
        Regexp.new(
          '/check_thrash_pressure --timeout 8 --warning 11 --critical 41 ' \
          '--swap-in-warning 1 --swap-in-critical 2 --swap-out-warning 3 --swap-out-critical 4 ' \
          '--refaults-warning 5 --refaults-critical 6 --major-faults-warning 7 --major-faults-critical 8 ' \
          '--io-stall-warning 9 --io-stall-critical 10 --since 600 --interval 2$',
        ),
      )
    end
  end

  context 'with what is no limit' do
    ['x', '1;reboot', '1:2:3', '', ':', '$(id)', -1].each do |value|
      context value.inspect do
        let(:params) { { frozen_warning: value } }

        it { is_expected.to compile.and_raise_error(%r{frozen_warning}) }
      end
    end
  end

  context 'with the module puppet-nrpe' do
    let(:params) { { integration: 'nrpe_module' } }

    it { is_expected.to compile.with_all_deps }
    it { is_expected.to contain_nrpe__command('check_thrash_frozen').with(ensure: 'present', command: '/usr/lib/nagios/plugins/check_thrash_frozen') }
    it { is_expected.to contain_nrpe__command('check_thrash_marker') }
    it { is_expected.to contain_nrpe__command('check_thrash_pressure') }
    it { is_expected.not_to contain_package('nagios-nrpe-server') }
    it { is_expected.not_to contain_service('nagios-nrpe-server') }
    it { is_expected.not_to contain_file("#{directory}/check_thrash_frozen.cfg") }
  end

  context 'with nobody told' do
    let(:params) { { integration: 'none' } }

    it { is_expected.to compile.with_all_deps }
    it { is_expected.to contain_package('monitoring-plugins-thrash-protect') }
    it { is_expected.not_to contain_package('nagios-nrpe-server') }
    it { is_expected.not_to contain_file("#{directory}/check_thrash_frozen.cfg") }
  end

  context 'with a server of somebody else' do
    let(:params) { { server_manage: false } }
    let(:pre_condition) { "package { 'nagios-nrpe-server': ensure => '4.1.0-1' } service { 'nagios-nrpe-server': }" }

    it { is_expected.to compile.with_all_deps }
    it { is_expected.to contain_file("#{directory}/check_thrash_frozen.cfg") }
    it { is_expected.to contain_package('nagios-nrpe-server').with_ensure('4.1.0-1') }
  end

  context 'with the same server declared before' do
    let(:pre_condition) do
      "package { 'nagios-nrpe-server': ensure => 'installed' } service { 'nagios-nrpe-server': ensure => 'running', enable => true }"
    end

    it { is_expected.to compile.with_all_deps }
  end

  context 'when the marker is to be seen' do
    let(:params) { { sees_marker: true } }
    let(:drop_in) { '/etc/systemd/system/nagios-nrpe-server.service.d' }

    it { is_expected.to contain_file(drop_in).with_ensure('directory') }

    it {
      is_expected.to contain_file("#{drop_in}/thrash-protect.conf")
        .with_content(%r{^\[Service\]\nPrivateTmp=no$})
        .that_notifies('Exec[systemctl daemon-reload for nagios-nrpe-server]')
    }

    it {
      is_expected.to contain_exec('systemctl daemon-reload for nagios-nrpe-server')
        .with(command: 'systemctl daemon-reload', refreshonly: true)
        .that_notifies('Service[nagios-nrpe-server]')
    }

    context 'without systemd' do
      let(:facts) { super().merge('service_provider' => 'debian') }

      it { is_expected.not_to contain_file("#{drop_in}/thrash-protect.conf") }
      it { is_expected.not_to contain_exec('systemctl daemon-reload for nagios-nrpe-server') }
    end

    [{ ensure: 'absent' }, {}].each do |how|
      context "when it goes, or is not to be seen any more: #{how}" do
        let(:params) { { sees_marker: how.any? } }
        let(:pre_condition) { "class { 'thrash_protect': ensure => #{how.fetch(:ensure, 'present')}, manage_nrpe => false }" }

        it { is_expected.to contain_file("#{drop_in}/thrash-protect.conf").with_ensure('absent') }
        it { is_expected.not_to contain_file(drop_in) }
      end
    end
  end

  context 'with more commands' do
    let(:params) { { checks: { 'long' => { 'plugin' => 'check_thrash_frozen', 'options' => { 'verbose' => true } } } } }

    it { is_expected.to contain_thrash_protect__check('long') }
    it { is_expected.to contain_file("#{directory}/long.cfg").with_content(%r{^command\[long\]=/usr/lib/nagios/plugins/check_thrash_frozen --verbose$}) }
  end
end
