# frozen_string_literal: true

require 'spec_helper'

describe 'thrash_protect::push' do
  let(:facts) { Hosts['Debian 12'] }
  let(:config) { '/etc/thrash-protect-push.conf' }
  let(:secrets) { '/etc/thrash-protect-push.secrets' }

  context 'with what it takes' do
    let(:params) do
      {
        url: 'https://icinga.example:5665', ca: '/etc/ssl/certs/ca.crt',
        login: 'web1', password: sensitive('a = secret')
      }
    end

    it { is_expected.to compile.with_all_deps }

    it {
      is_expected.to contain_file(config).with_content(<<~TEXT).that_notifies('Service[thrash-protect-push]')
        # Kept by Puppet; what is changed here does not stay.
        [thrash-protect-push]
        url = https://icinga.example:5665
        credentials = /etc/thrash-protect-push.secrets
        ca = /etc/ssl/certs/ca.crt
      TEXT
    }

    it 'keeps the secrets' do
      is_expected.to contain_file(secrets).with(
        ensure: 'file', owner: 'thrash-protect-push', mode: '0600', show_diff: false, backup: false,
        content: sensitive(<<~TEXT),
          # Kept by Puppet; what is changed here does not stay.
          [credentials]
          user = web1
          password = a = secret
        TEXT
      ).that_notifies('Service[thrash-protect-push]')
      is_expected.to contain_file(config).without_content(%r{secret$|web1})
    end

    it { is_expected.to contain_service('thrash-protect-push').with(ensure: 'running', enable: true) }
    it { is_expected.to contain_package('thrash-protect-push') }

    context 'in the package of the daemon' do
      let(:facts) { Hosts['Archlinux'] }

      it { is_expected.to contain_file(secrets).that_requires('Package[thrash-protect]') }
    end

    context 'when it goes' do
      let(:pre_condition) { "class { 'thrash_protect': ensure => absent, manage_push => false }" }

      it { is_expected.to compile.with_all_deps }
      it { is_expected.to contain_file(secrets).with_ensure('absent') }
      it { is_expected.to contain_file(config).with_ensure('absent').that_requires('Service[thrash-protect-push]') }
      it { is_expected.to contain_service('thrash-protect-push').with(ensure: 'stopped', enable: nil) }

      context 'without packages' do
        let(:pre_condition) { "class { 'thrash_protect': ensure => absent, manage_push => false, package_manage => false }" }

        it { is_expected.to contain_service('thrash-protect-push').with(ensure: 'stopped', enable: false) }
      end
    end
  end

  context 'with all of its settings' do
    let(:pre_condition) { "class { 'thrash_protect': run_dir => '/run/tp' }" }
    let(:params) do
      {
        package_name: 'tp-push', receiver: 'nrdp', url: 'https://nagios.example/nrdp/',
        pushgateway: 'http://gateway.example:9091', host: 'web1', token: 'tok',
        frozen_service: 'frozen', frozen_options: { 'warning' => 0, 'verbose' => true },
        pressure_service: 'none', pressure_options: { 'io_stall_warning' => 50 },
        marker_service: 'marker', marker_options: { 'critical' => 60 },
        credentials: '/etc/tp', certificate: '/etc/c', key: '/etc/k', proxy: 'http://proxy.example:3128',
        heartbeat: 30, poll: 5, interval: 0.5, connect_timeout: 4, timeout: 9, retry: 2,
        retry_max: 100, spool: '/var/spool/tp', queue_results: 10, queue_bytes: 65_536, debug: true
      }
    end

    it 'writes each of them' do
      is_expected.to contain_file(config).with_content(<<~TEXT)
        # Kept by Puppet; what is changed here does not stay.
        [thrash-protect-push]
        run_dir = /run/tp
        receiver = nrdp
        url = https://nagios.example/nrdp/
        pushgateway = http://gateway.example:9091
        host = web1
        frozen_service = frozen
        pressure_service =
        marker_service = marker
        credentials = /etc/tp
        certificate = /etc/c
        key = /etc/k
        proxy = http://proxy.example:3128
        heartbeat = 30
        poll = 5
        interval = 0.5
        connect_timeout = 4
        timeout = 9
        retry = 2
        retry_max = 100
        spool = /var/spool/tp
        queue_results = 10
        queue_bytes = 65536
        debug = yes
        frozen_options = --warning 0 --verbose
        pressure_options = --io-stall-warning 50
        marker_options = --critical 60
      TEXT
      is_expected.to contain_file('/etc/tp').with_content(sensitive(%(# Kept by Puppet; what is changed here does not stay.\n[credentials]\ntoken = tok\n)))
      is_expected.to contain_package('tp-push').that_comes_before("File[#{config}]")
    end

    context 'when it goes' do
      let(:pre_condition) { "class { 'thrash_protect': ensure => absent, manage_push => false }" }

      it { is_expected.to contain_package('tp-push').with_ensure('absent').that_requires('Service[thrash-protect-push]') }
    end
  end

  context 'without secrets' do
    it { is_expected.to contain_file(secrets).with_ensure('absent') }
  end

  context 'without systemd' do
    let(:facts) { super().merge('service_provider' => 'debian') }

    it { is_expected.to compile.with_all_deps }
    it { is_expected.not_to contain_service('thrash-protect-push') }
  end

  { password: ["a\nb", '', ' a'], login: ["a\n[x]"], url: ['icinga.example', "https://x/\na"], host: ["a\nb"] }.each do |name, values|
    values.each do |value|
      context "with #{name} => #{value.inspect}" do
        let(:params) { { name => value } }

        it { is_expected.to compile.and_raise_error(%r{#{name}}) }
      end
    end
  end
end
