#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# The module with OpenRC, on what says that it is a Gentoo, where there is no
# package: what "make install" has put there is configured and started, what
# drifts comes back, and it stops.
# shellcheck disable=SC2154,SC2034 # they are those of what is sourced
cd "$(dirname "$0")/../.." || exit 1
# shellcheck source=tests/lib.sh
. tests/lib.sh
# shellcheck source=tests/puppet/fixture.sh
. tests/puppet/fixture.sh

hiera='thrash_protect::nrpe::server_manage: false
thrash_protect::munin::server_manage: false'

use_openrc() {
	dpkg --install /var/cache/local/openrc_*.deb /var/cache/local/insserv_*.deb \
		/var/cache/local/libeinfo1_*.deb /var/cache/local/librc1_*.deb \
		>/dev/null 2>&1
	cp -R "$WORK/tree/." /
	mkdir -p /run/openrc
	rc-status --all >/dev/null 2>&1
	echo default >/run/openrc/softlevel
	rc-update --update >/dev/null 2>&1
	mkdir -p /etc/munin/plugins /etc/munin/plugin-conf.d /etc/nagios/nrpe.d
}

is_added() {
	rc-update show default | grep -q thrash-protect
}

if [ "${1-}" = inside ]; then
	use_openrc
	pretend Gentoo Gentoo 2
	applies 2 'one include starts it by OpenRC'
	wait_for 5 is_running
	ok $? 'it runs'
	is_added
	ok $? '... and when the host starts'
	applies 0 'once more changes nothing'
	# shellcheck disable=SC2013 # no blanks
	for command in $(sed -n 's/^command.*=//p' /etc/nagios/nrpe.d/*.cfg); do
		run "$command" --version
		like "$out" "^${command##*/} " "$command is there"
	done
	rc-service thrash-protect stop >/dev/null 2>&1
	rc-update delete thrash-protect default >/dev/null 2>&1
	echo 'max_frozen = 1' >>/etc/thrash-protect.conf
	applies 2 'what was stopped, and changed'
	wait_for 5 is_running && is_added && ! grep -q max_frozen /etc/thrash-protect.conf
	ok $? '... is again as it should be'
	site='class { "thrash_protect": ensure => absent }'
	applies 2 'ensure => absent stops it'
	! is_running && ! is_added
	ok $? '... for good'
	is "$(find /etc -name '*thrash*' ! -path '/etc/init.d/*')" '' \
		'... and removes what was written'
	test -x /usr/sbin/thrash-protect
	ok $? '... but not what somebody else has installed'
	applies 0 'once more changes nothing'
	ended_inside
fi
need_tree
for need_target in install-daemon install-checks install-graphs; do
	make --silent BUILD="$build" DESTDIR="$WORK/tree" prefix=/usr INIT=openrc \
		nagiosdir=/usr/lib64/nagios/plugins $need_target >"$WORK/make" 2>&1 ||
		diag "$(cat "$WORK/make")"
done
run_inside
done_testing
