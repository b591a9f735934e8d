# frozen_string_literal: true

RSpec.configure { |config| config.mock_with :rspec }

require 'puppetlabs_spec_helper/module_spec_helper'
require_relative 'support/hosts'

RSpec.configure do |config|
  config.strict_variables = true
  config.before { Puppet.settings[:strict] = :error }
  # Fails the run when a resource of the module was tested by nobody.
  config.after(:suite) { RSpec::Puppet::Coverage.report!(100) }
end
