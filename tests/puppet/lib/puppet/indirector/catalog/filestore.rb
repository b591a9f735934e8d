# SPDX-License-Identifier: GPL-3.0-or-later
# frozen_string_literal: true

require 'puppet/resource/catalog'
require 'puppet/indirector/code'

# What a server that collects has itself is kept by nobody.
class Puppet::Resource::Catalog::Filestore < Puppet::Indirector::Code
  desc 'Nothing.'

  def find(_request); end

  def save(_request); end
end
