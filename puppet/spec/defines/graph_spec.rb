# frozen_string_literal: true

require 'spec_helper'

describe 'thrash_protect::graph' do
  let(:title) { 'long' }
  let(:facts) { Hosts['Debian 12'] }
  let(:params) { { plugin: 'thrash_freezes', limits: { 'longest_warning' => 10 } } }

  it { is_expected.to compile.with_all_deps }
  it { is_expected.to contain_file('/etc/munin/plugins/long').with_target('/usr/share/munin/plugins/thrash_freezes') }
  it { is_expected.to contain_file('/etc/munin/plugin-conf.d/long').with_content(%r{^\[long\]\nenv.longest_warning 10$}) }

  context 'when it goes' do
    let(:params) { super().merge(ensure: 'absent') }

    it { is_expected.to contain_file('/etc/munin/plugins/long').with_ensure('absent') }
    it { is_expected.to contain_file('/etc/munin/plugin-conf.d/long').with_ensure('absent') }
  end

  context 'with a name that is a path' do
    let(:title) { '../x' }

    it { is_expected.to compile.and_raise_error(%r{letters, digits}) }
  end
end
