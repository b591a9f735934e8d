# @summary The daemon's package
#
# @api private
class thrash_protect::install {
  assert_private()

  if $thrash_protect::package_manage {
    package { $thrash_protect::package_name:
      ensure => $thrash_protect::package_state,
    }
  }
}
