# SPDX-License-Identifier: GPL-3.0-or-later
# frozen_string_literal: true

# fleet.rb MODULES MANIFEST DIRECTORY NODE...: compiles a catalogue for each node
# and writes what it exports, where the terminus beside this finds it.

require 'json'
require 'puppet'

modules, manifest, directory, *names = ARGV
Puppet.initialize_settings(
  ['--modulepath', modules, '--confdir', "#{directory}/conf", '--vardir', "#{directory}/var", '--strict', 'error'],
)
Puppet[:strict_variables] = true
Puppet[:storeconfigs] = false
environment = Puppet::Node::Environment.create(:production, modules.split(':'), manifest)
loaders = Puppet::Environments::Static.new(environment)

Puppet.override(current_environment: environment, environments: loaders) do
  names.each_with_index do |name, number|
    facts = Puppet::Node::Facts.new(
      name,
      'os' => { 'name' => 'Debian', 'family' => 'Debian', 'release' => { 'major' => '12' } },
      'service_provider' => 'systemd',
      'networking' => { 'fqdn' => name, 'ip' => "192.0.2.#{number + 1}" },
    )
    node = Puppet::Node.new(name, facts: facts, environment: environment)
    node.merge(facts.values)
    exported = Puppet::Parser::Compiler.compile(node).resources.select(&:exported)
    found = exported.map do |resource|
      {
        certname: name, type: resource.type, title: resource.title,
        tags: resource.tags.to_a, parameters: resource.to_h.reject { |key, _| key == :tag }
      }
    end
    File.write("#{directory}/#{name}.json", JSON.generate(found))
  end
end
