# SPDX-License-Identifier: GPL-3.0-or-later
# frozen_string_literal: true

require 'puppet/node/facts'
require 'puppet/indirector/code'

# What a server that collects has itself is kept by nobody.
class Puppet::Node::Facts::Filestore < Puppet::Indirector::Code
  desc 'Nothing.'

  def find(_request); end

  def save(_request); end
end
