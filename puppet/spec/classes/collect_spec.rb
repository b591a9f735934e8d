# frozen_string_literal: true

require 'spec_helper'

describe 'thrash_protect::collect' do
  let(:facts) { Hosts['Debian 12'] }

  context 'with Nagios' do
    let(:params) { { format: 'nagios', service_name: 'nagios4' } }
    let(:pre_condition) { "service { 'nagios4': ensure => running }" }
    let(:directory) { '/etc/nagios4/conf.d/thrash-protect' }

    it { is_expected.to compile.with_all_deps }
    it { is_expected.to contain_file(directory).with(ensure: 'directory', purge: true, recurse: true).that_notifies('Service[nagios4]') }

    it {
      is_expected.to contain_file("#{directory}/commands.cfg")
        .with_content(%r{command_line\t/usr/lib/nagios/plugins/check_nrpe -H \$HOSTADDRESS\$ -t 15:3 -c \$ARG1\$$})
        .that_notifies('Service[nagios4]')
    }
  end

  context 'with Icinga' do
    let(:params) { { format: 'icinga' } }

    it { is_expected.to compile.with_all_deps }
    it { is_expected.to contain_file('/etc/icinga2/conf.d/thrash-protect').with_purge(true) }
    it { is_expected.to have_file_resource_count(1) }
  end

  ['nagios_core', 'icinga2_module'].each do |format|
    context "with #{format}" do
      let(:params) { { format: format } }

      it { is_expected.to compile.with_all_deps }
      it { is_expected.to have_file_resource_count(0) }
    end
  end

  context 'with nagios_core, and services that wait for what is sent' do
    let(:params) { { format: 'nagios_core', service_name: 'nagios' } }
    let(:pre_condition) { "service { 'nagios': ensure => running }" }

    it { is_expected.to contain_nagios_command('thrash_protect_no_result').with_command_line(%r{exit 3$}).that_notifies('Service[nagios]') }
  end

  Hosts.all.each do |title, facts|
    context "on #{title}" do
      let(:facts) { facts }
      let(:params) { { format: 'nagios' } }
      let(:directory) { facts['os']['family'] == 'Debian' ? '/etc/nagios4/conf.d/thrash-protect' : '/etc/nagios/conf.d/thrash-protect' }

      it 'knows where Nagios looks' do
        is_expected.to compile.with_all_deps
        is_expected.to contain_file(directory)
        is_expected.to contain_file("#{directory}/commands.cfg")
      end
    end
  end
end
