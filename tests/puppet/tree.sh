#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# tree.sh DIRECTORY: a bare Debian with Puppet and with what manages packages
# elsewhere, for the tests here to change copies of.  What they install has been
# fetched into its /var/cache/local, so that they need no network.  As root, 500
# MB and a minute; one that was made for another list of packages is replaced.
# shellcheck disable=SC2086,SC2116,SC2046,SC2016 # lists of words
set -eu

directory=$1
packages='puppet-agent puppet-module-puppetlabs-stdlib procps iproute2
	sysvinit-utils init-system-helpers systemd systemd-sysv dbus
	dnf rpm pacman-package-manager'
fetched='nagios-nrpe-server nagios-nrpe-plugin munin-node openrc'

list=$(echo $packages , $fetched)
if [ "$(cat "$directory/.packages" 2>/dev/null)" = "$list" ]; then
	echo "tree: $directory is there"
	exit 0
fi
new=$directory.new
rm -rf "$new"
mkdir -p "${directory%/*}"
mmdebstrap --variant=apt --include="$(echo $packages | tr ' ' ,)" \
	--aptopt='APT::Install-Recommends "false"' \
	--customize-hook="chroot \"\$1\" apt-get -q -y --no-install-recommends \
		-o Dir::Cache::archives=/var/cache/local --download-only \
		install $(echo $fetched)" \
	--customize-hook='rm -rf "$1/var/cache/local/partial" "$1/var/cache/local/lock"' \
	bookworm "$new"
echo "$list" >"$new/.packages"
rm -rf "$directory"
mv "$new" "$directory"
