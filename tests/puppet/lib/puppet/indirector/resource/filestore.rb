# SPDX-License-Identifier: GPL-3.0-or-later
# frozen_string_literal: true

require 'json'
require 'puppet/resource'
require 'puppet/indirector/code'

# Stands for PuppetDB: finds what catalogues, as files of JSON in a directory,
# have exported.
class Puppet::Resource::Filestore < Puppet::Indirector::Code
  desc 'What was exported, from files.'

  # The filter is ["tag", "==", "name"], or nothing.
  def matches?(filter, tags)
    filter.nil? || tags.include?(filter.last)
  end

  def search(request)
    Dir[File.join(ENV.fetch('FILESTORE'), '*.json')].sort.flat_map do |file|
      JSON.parse(File.read(file)).select { |found|
        found['type'] == request.key && found['certname'] != request.options[:host] &&
          matches?(request.options[:filter], found['tags'])
      }.map { |found| resource(found, request.options[:scope]) }
    end
  end

  def resource(found, scope)
    made = Puppet::Parser::Resource.new(
      found['type'], found['title'],
      scope: scope, exported: true, source: scope.source, collector_id: "#{found['certname']}|#{found['title']}"
    )
    found['parameters'].each { |name, value| made[name.to_sym] = value }
    found['tags'].each { |tag| made.tag(tag) }
    made
  end
end
