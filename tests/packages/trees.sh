#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# trees.sh DIRECTORY: the small systems that packages are tested in, from
# Debian's mirror, as root; a minute and a half.  Those that are there and have
# all that is wanted stay.
#
#   monitored      boots systemd, and is asked by NRPE and Munin
#   plain.tar.gz   without systemd: what piuparts and pacman and rpm install
#                  into, and what SysV's and OpenRC's scripts run in
set -eu

cache=$1
monitored="systemd systemd-sysv dbus procps libpam-systemd passwd
nagios-nrpe-server nagios-nrpe-plugin munin-node libcurl4"
plain="openrc sysvinit-core procps libcurl4 passwd systemd-standalone-sysusers
puppet-module-puppetlabs-stdlib"

words() {
	echo "$*" | tr ' \n' ',,'
}

# Nothing is asked of a mirror when the tests run.
# shellcheck disable=SC2016 # mmdebstrap says what $1 is
make_tree() {
	mmdebstrap --variant="$1" --include="$2" \
		--customize-hook='rm -f "$1/etc/apt/sources.list"' \
		bookworm "$3"
}

mkdir -p "$cache"
# shellcheck disable=SC2086 # words
if ! dpkg-query --admindir="$cache/monitored/var/lib/dpkg" --show \
	$monitored >/dev/null 2>&1; then
	rm -rf "$cache/monitored" "$cache/monitored.new"
	make_tree apt "$(words $monitored)" "$cache/monitored.new"
	mv "$cache/monitored.new" "$cache/monitored"
fi
# shellcheck disable=SC2086
if [ "$(cat "$cache/plain.list" 2>/dev/null)" != "$(words $plain)" ]; then
	make_tree minbase "$(words $plain)" "$cache/plain.new.tar.gz"
	mv "$cache/plain.new.tar.gz" "$cache/plain.tar.gz"
	words $plain >"$cache/plain.list"
fi
