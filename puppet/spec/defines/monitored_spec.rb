# frozen_string_literal: true

require 'spec_helper'

describe 'thrash_protect::monitored' do
  let(:title) { 'web1.example.com' }
  let(:facts) { Hosts['Debian 12'] }
  let(:params) { { address: '192.0.2.1', services: { 'thrash frozen' => 'check_thrash_frozen' }, directory: '/etc/x' } }

  it {
    is_expected.to contain_file('/etc/x/web1.example.com.cfg').with(ensure: 'file', mode: '0644', content: <<~TEXT)
      # Kept by Puppet: what web1.example.com has exported.

      define host {
      \tuse\tgeneric-host
      \thost_name\tweb1.example.com
      \taddress\t192.0.2.1
      \tmax_check_attempts\t3
      }

      define service {
      \tuse\tgeneric-service
      \thost_name\tweb1.example.com
      \tservice_description\tthrash frozen
      \tmax_check_attempts\t1
      \tcheck_command\tthrash_protect_nrpe!check_thrash_frozen
      }
    TEXT
  }

  context 'with Icinga, and the host elsewhere' do
    let(:params) { super().merge(format: 'icinga', has_host: false, service_template: 'ours') }

    it {
      is_expected.to contain_file('/etc/x/web1.example.com.conf').with_content(<<~TEXT)
        /* Kept by Puppet: what web1.example.com has exported. */

        object Service "thrash frozen" {
        \timport "ours"
        \thost_name = "web1.example.com"
        \tmax_check_attempts = 1
        \tcheck_command = "nrpe"
        \tvars.nrpe_command = "check_thrash_frozen"
        }
      TEXT
    }
  end

  context 'when it sends by itself' do
    let(:params) { super().merge(is_passive: true, freshness: 90) }

    it { is_expected.to contain_file('/etc/x/web1.example.com.cfg').with_content(%r{\tcheck_command\tthrash_protect_no_result\n.*\tfreshness_threshold\t90$}m) }

    context 'with Icinga' do
      let(:params) { super().merge(format: 'icinga') }

      it { is_expected.to contain_file('/etc/x/web1.example.com.conf').with_content(%r{\tcheck_command = "dummy"\n\tcheck_interval = 90$}) }
    end

    context 'with puppetlabs-nagios_core' do
      let(:params) { super().merge(format: 'nagios_core') }

      it {
        is_expected.to contain_nagios_service('web1.example.com thrash frozen')
          .with(check_command: 'thrash_protect_no_result', active_checks_enabled: 0, freshness_threshold: 90)
      }
    end

    context 'with icinga-icinga2' do
      let(:params) { super().merge(format: 'icinga2_module') }

      it { is_expected.to contain_icinga2__object__service('web1.example.com thrash frozen').with(check_command: 'dummy', check_interval: 90) }
    end
  end

  context 'with puppetlabs-nagios_core' do
    let(:params) { super().merge(format: 'nagios_core') }

    it {
      is_expected.to contain_nagios_service('web1.example.com thrash frozen')
        .with(host_name: 'web1.example.com', service_description: 'thrash frozen', check_command: 'check_nrpe!check_thrash_frozen')
    }

    it { is_expected.to have_file_resource_count(0) }
  end

  context 'with icinga-icinga2' do
    let(:params) { super().merge(format: 'icinga2_module') }

    it {
      is_expected.to contain_icinga2__object__service('web1.example.com thrash frozen')
        .with(target: '/etc/x/web1.example.com.conf', host_name: 'web1.example.com', vars: { 'nrpe_command' => 'check_thrash_frozen' })
    }
  end

  context 'with what a hostile node would say' do
    {
      services: [{ "x\n}" => 'c' }, { 'x' => 'a b' }, { 'x"' => 'c' }, { 'x' => 'c;id' }, {}],
      address: ["1.2.3.4\n}", '$(id)', ''], host_template: ["a\nb"]
    }.each do |name, values|
      values.each do |value|
        context "#{name} => #{value.inspect}" do
          let(:params) { super().merge(name => value) }

          it { is_expected.to compile.and_raise_error(%r{#{name}}) }
        end
      end
    end

    ['../../passwd', "a\n}", 'a b'].each do |name|
      context "the title #{name.inspect}" do
        let(:title) { name }

        it { is_expected.to compile.and_raise_error(%r{must be the name of a host}) }
      end
    end
  end
end
