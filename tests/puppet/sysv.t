#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# One "include thrash_protect" on a bare Debian, with apt and SysV's scripts:
# the daemon, NRPE's commands and Munin's graphs are there and answer, what is
# changed comes back, and all of it goes again.
# shellcheck disable=SC2154,SC2034 # they are those of what is sourced
cd "$(dirname "$0")/../.." || exit 1
# shellcheck source=tests/lib.sh
. tests/lib.sh
# shellcheck source=tests/puppet/fixture.sh
. tests/puppet/fixture.sh

config=/etc/thrash-protect.conf
commands=/etc/nagios/nrpe.d

answers() {
	wait_for 5 is_running
	ok $? 'the daemon runs'
	dpkg --install /var/cache/local/nagios-nrpe-plugin_*.deb >/dev/null 2>&1
	for check in frozen marker pressure; do
		ask_nrpe check_thrash_$check
		is "$status" 0 "NRPE answers check_thrash_$check" ||
			diag "$out $err"
	done
	ask_munin list
	like "$out" 'thrash_freezes thrash_majfault thrash_stall thrash_swap' \
		'Munin lists four graphs'
	for graph in freezes majfault stall swap; do
		ask_munin "fetch thrash_$graph"
		like "$out" '^[a-z_]+[.]value ' "Munin answers thrash_$graph"
	done
	ask_munin 'config thrash_freezes'
	like "$out" '^longest[.]critical 300$' 'with the limits that Puppet knows'
}

drift() {
	echo 'max_frozen = 1' >>$config
	rm $commands/check_thrash_marker.cfg /etc/munin/plugins/thrash_swap
	chmod 600 $commands/check_thrash_frozen.cfg
	service thrash-protect stop >/dev/null
}

test_drift() {
	drift
	applies 2 'what was changed, deleted and stopped'
	unlike "$(cat $config)" max_frozen '... is again as it should be'
	wait_for 5 is_running
	ok $? '... and runs'
	test -e $commands/check_thrash_marker.cfg &&
		test -L /etc/munin/plugins/thrash_swap
	ok $? '... and is there'
	applies 0 'once more changes nothing'
}

test_settings() {
	site='class { "thrash_protect": max_frozen => 30, protect => ["postgres"], marker => "none" }'
	applies 2 'other settings are written'
	wait_for 5 is_running
	is "$(thrash-protect --check-config >/dev/null; echo $?)" 0 \
		'the daemon takes them'
	site='class { "thrash_protect": protect => ["user:no-such-user"] }'
	apply "$site"
	is "$status" 4 'settings that the daemon would not take fail'
	like "$(cat $config)" '^protect = postgres$' '... and those that work stay'
	is_running
	ok $? '... and it runs'
}

test_absent() {
	site='class { "thrash_protect": ensure => absent, manage_push => true }'
	applies 2 'ensure => absent removes it'
	! pgrep thrash-protect >/dev/null
	ok $? 'the daemon has ended'
	is "$(dpkg-query -W -f '${Status} ${Package}\n' '*thrash-protect*' 2>/dev/null |
		grep '^install ok')" '' 'no package of ours is installed'
	is "$(find /etc/munin /etc/nagios -name '*thrash*' ; ls $config 2>/dev/null)" '' \
		'nothing that was written is left'
	service nagios-nrpe-server status >/dev/null &&
		service munin-node status >/dev/null
	ok $? 'the servers of NRPE and Munin go on'
	applies 0 'once more changes nothing'
}

if [ "${1-}" = inside ]; then
	use_apt_repository
	applies 2 'one include on a bare Debian installs all of it'
	applies 0 'once more changes nothing'
	answers
	test_drift
	test_settings
	test_absent
	ended_inside
fi
need apt-ftparchive
need_tree
need_packages 'thrash-protect_*.deb'
make_apt_repository
run_inside
done_testing
