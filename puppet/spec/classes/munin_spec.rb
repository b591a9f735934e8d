# frozen_string_literal: true

require 'spec_helper'

describe 'thrash_protect::munin' do
  let(:facts) { Hosts['Debian 12'] }

  context 'with less graphs, and a longer memory' do
    let(:params) { { plugins: ['thrash_stall'], backfill: 86_400, limits: { 'thrash_stall' => { 'io_full_warning' => ':50' } } } }

    it { is_expected.to compile.with_all_deps }
    it { is_expected.to contain_file('/etc/munin/plugins/thrash_stall').with_ensure('link') }
    it { is_expected.to contain_file('/etc/munin/plugins/thrash_swap').with_ensure('absent') }
    it { is_expected.to contain_file('/etc/munin/plugin-conf.d/thrash_swap').with_ensure('absent') }
    it { is_expected.to contain_file('/etc/munin/plugin-conf.d/thrash_stall').with_content(%r{\[thrash_stall\]\nenv.backfill 86400\nenv.io_full_warning :50\n\z}) }
  end

  context 'with the module ssm-munin' do
    let(:params) { { integration: 'munin_module' } }

    it { is_expected.to compile.with_all_deps }

    it {
      is_expected.to contain_munin__plugin('thrash_stall').with(
        ensure: 'link', target: '/usr/share/munin/plugins/thrash_stall',
        config: ['env.memory_some_warning 10', 'env.memory_some_critical 40'],
      )
    }

    it { is_expected.to have_munin__plugin_resource_count(4) }
    it { ['freezes', 'majfault', 'swap'].each { |name| is_expected.to contain_munin__plugin("thrash_#{name}") } }
    it { is_expected.not_to contain_package('munin-node') }

    context 'when it goes' do
      let(:pre_condition) { "class { 'thrash_protect': ensure => absent, manage_munin => false }" }

      it { is_expected.to contain_munin__plugin('thrash_stall').with_ensure('absent') }
    end
  end

  context 'with nobody told' do
    let(:params) { { integration: 'none' } }

    it { is_expected.to compile.with_all_deps }
    it { is_expected.to contain_package('munin-plugins-thrash-protect') }
    it { is_expected.not_to contain_file('/etc/munin/plugins/thrash_stall') }
  end

  context 'with a node of somebody else' do
    let(:params) { { server_manage: false } }

    it { is_expected.to compile.with_all_deps }
    it { is_expected.to contain_file('/etc/munin/plugins/thrash_stall') }
    it { is_expected.not_to contain_service('munin-node') }
  end

  ['x', "1\nuser root", '', -1, '1:2:3'].each do |value|
    context "with the limit #{value.inspect}" do
      let(:params) { { limits: { 'thrash_stall' => { 'memory_some_warning' => value } } } }

      it { is_expected.to compile.and_raise_error(%r{limits}) }
    end
  end
end
