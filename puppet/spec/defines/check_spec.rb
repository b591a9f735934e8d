# frozen_string_literal: true

require 'spec_helper'

describe 'thrash_protect::check' do
  let(:title) { 'strict' }
  let(:facts) { Hosts['Debian 12'] }
  let(:params) { { plugin: 'check_thrash_frozen', options: { 'longest-critical' => 10, 'orphans' => false, 'run_dir' => "/run/a b" } } }

  it { is_expected.to compile.with_all_deps }
  it { is_expected.to contain_file('/etc/nagios/nrpe.d/strict.cfg').with_content(%r{frozen --run-dir "/run/a b" --longest-critical 10$}) }

  context 'when it goes' do
    let(:params) { super().merge(ensure: 'absent') }

    it { is_expected.to contain_file('/etc/nagios/nrpe.d/strict.cfg').with_ensure('absent') }
  end

  ['a b', 'x]=id', '../x', ''].each do |name|
    context "with the name #{name.inspect}" do
      let(:title) { name }

      it { is_expected.to compile.and_raise_error(%r{}) }
    end
  end

  ['$(id)', "a'b", "a\nb", 'a\\'].each do |value|
    context "with the option #{value.inspect}" do
      let(:params) { { plugin: 'check_thrash_frozen', options: { 'x' => value } } }

      it { is_expected.to compile.and_raise_error(%r{options}) }
    end
  end
end
