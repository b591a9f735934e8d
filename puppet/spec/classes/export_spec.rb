# frozen_string_literal: true

require 'spec_helper'

describe 'thrash_protect' do
  let(:facts) { Hosts['Debian 12'] }

  context 'when it exports' do
    let(:params) { { export: true } }

    it { is_expected.to compile.with_all_deps }
    it { is_expected.to contain_class('thrash_protect::export') }

    it {
      expect(exported_resources).to contain_thrash_protect__monitored('web1.example.com').with(
        address: '192.0.2.1', is_passive: false, tag: 'thrash_protect',
        services: {
          'thrash frozen'   => 'check_thrash_frozen',
          'thrash marker'   => 'check_thrash_marker',
          'thrash pressure' => 'check_thrash_pressure',
        },
      )
    }

    it { is_expected.not_to contain_file('/etc/nagios/conf.d/thrash-protect/web1.example.com.cfg') }

    context 'when it goes' do
      let(:params) { super().merge(ensure: 'absent') }

      it { expect(exported_resources).not_to contain_thrash_protect__monitored('web1.example.com') }
    end
  end
end

describe 'thrash_protect::export' do
  let(:facts) { Hosts['Debian 12'] }

  context 'without an address of version 4' do
    let(:facts) { super().merge('networking' => { 'fqdn' => 'web1.example.com', 'ip6' => '2001:db8::2' }) }

    it { expect(exported_resources).to contain_thrash_protect__monitored('web1.example.com').with_address('2001:db8::2') }
  end

  context 'with what the host sends by itself' do
    let(:params) { { via: 'push', host: 'web1', address: '2001:db8::1', exported_tag: 'site' } }
    let(:pre_condition) { "class { 'thrash_protect::push': pressure_service => 'none', marker_service => 'm' }" }

    it {
      expect(exported_resources).to contain_thrash_protect__monitored('web1').with(
        address: '2001:db8::1', is_passive: true, tag: 'site',
        services: { 'thrash-protect frozen' => 'check_thrash_frozen', 'm' => 'check_thrash_marker' },
        freshness: 180,
      )
    }

    context 'with a slow heartbeat' do
      let(:pre_condition) { "class { 'thrash_protect::push': heartbeat => 599.5 }" }

      it { expect(exported_resources).to contain_thrash_protect__monitored('web1').with_freshness(1800) }
    end
  end
end
