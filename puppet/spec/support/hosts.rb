# frozen_string_literal: true

require 'json'

# The hosts that metadata.json promises, with the facts that the module looks
# at: collections of real ones lack every second of these systems.
module Hosts
  FAMILIES = {
    'Ubuntu' => 'Debian', 'SLES' => 'Suse', 'OpenSUSE' => 'Suse',
    'CentOS' => 'RedHat', 'Rocky' => 'RedHat', 'AlmaLinux' => 'RedHat',
    'Fedora' => 'RedHat'
  }.freeze

  # Where one is started by something else than systemd.
  PROVIDERS = { 'Gentoo' => 'openrc' }.freeze

  METADATA = JSON.parse(File.read(File.expand_path('../../metadata.json', __dir__)))

  # ["Debian 12", ...]
  def self.promised
    METADATA['operatingsystem_support'].flat_map do |system|
      name = system['operatingsystem']
      releases = system['operatingsystemrelease']
      releases ? releases.map { |release| "#{name} #{release}" } : [name]
    end
  end

  def self.made_up(name, release = '')
    family = FAMILIES.fetch(name, name)
    {
      'os' => {
        'name' => name, 'family' => family, 'architecture' => 'x86_64',
        'release' => { 'full' => release.to_s, 'major' => release.to_s.split('.').first }
      },
      'kernel' => 'Linux',
      'networking' => { 'fqdn' => 'web1.example.com', 'ip' => '192.0.2.1', 'hostname' => 'web1' },
      'service_provider' => PROVIDERS.fetch(name, 'systemd'),
    }
  end

  # { "Debian 12" => facts, ... }
  def self.all
    @all ||= promised.to_h { |title| [title, made_up(*title.split)] }
  end

  def self.[](title)
    all.fetch(title)
  end
end
