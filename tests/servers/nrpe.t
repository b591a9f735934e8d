#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# The checks behind real NRPE servers, with and without SSL and with the
# private /tmp that systemd gives them, while a daemon freezes real processes.
cd "$(dirname "$0")/../.." || exit 1
# shellcheck source=tests/lib.sh
. tests/lib.sh
# shellcheck source=tests/servers/lib.sh
. tests/servers/lib.sh
# shellcheck source=tests/servers/host-fixture.sh
. tests/servers/host-fixture.sh

outside() {
	servers_need nrpe perl ip
	[ -x /usr/lib/nagios/plugins/check_nrpe ] || skip_all 'needs check_nrpe'
	host_outside
}

# answers STATUS PATTERN NAME: of the check that was asked for last
answers() {
	like "$status $(printf '%s\n' "$out" | head -n 1)" "^$1 $2" "$3"
}

# all_answer CHECK STATUS PATTERN NAME: with SSL and without
all_answer() {
	nrpe_ask "$ssl" "$1"
	answers "$2" "$3" "$4, by SSL"
	nrpe_ask "$plain" "$1" -n
	answers "$2" "$3" "$4, without SSL"
}

# The network is this test's own: all ports are free.
ssl=5666 plain=5667 private=5668 hidden=5669

start_servers() {
	nrpe_start ssl $ssl
	nrpe_plain=-n nrpe_start plain $plain
	nrpe_plain=
	# as PrivateTmp= of nagios-nrpe-server.service has it
	nrpe_start private $private unshare --mount \
		sh -c 'mount -t tmpfs none /tmp && exec "$@"' sh
	# and as a host would that hides /run as well
	nrpe_start hidden $hidden unshare --mount \
		sh -c 'mount -t tmpfs -o mode=755 none /run/thrash-protect &&
			exec "$@"' sh
	for port in $ssl $plain $private $hidden; do
		is_listening "$port" || return
	done
}

test_calm() {
	all_answer frozen 0 \
		'FROZEN OK: nothing is frozen; worst in 90 s.*: 0 frozen \| frozen=0;;;0 ' \
		'nothing is frozen: OK'
	all_answer marker 0 'MARKER OK: nothing is frozen \| age=0s;5;60;0$' \
		'there is no marker: OK'
	nrpe_ask "$ssl" pressure
	answers '[0-2]' 'PRESSURE [A-Z]+: .*[|].* swap_in=0B;;;0 ' \
		'the pressure is measured'
}

test_past() {
	host_freeze
	host_thaw
	ok $? 'processes were frozen, and are not' ||
		diag "$(cat "$WORK/daemon.log")"
	all_answer frozen 1 \
		'FROZEN WARNING: nothing is frozen; worst in 90 s.*: [1-4] frozen, longest [0-9.]+ s: hog\[[0-9]+\].* frozen_worst=[1-4];0;5;0 longest_worst=[0-9.]+s;90;300;0$' \
		'a freeze between two checks: WARNING with their names'
	nrpe_ask "$ssl" frozen_long
	like "$out" '^hog\[[0-9]+\]: was frozen for [0-9.]+ s, method ' \
		'the long lines tell for how long and why'
	host_renew_hogs
}

test_frozen() {
	host_freeze
	ok $? 'processes are frozen' || diag "$(cat "$WORK/daemon.log")"
	all_answer frozen 1 \
		'FROZEN WARNING: [1-4] frozen, longest .*: hog\[[0-9]+\].* \| frozen=[1-4];;;0 longest=[0-9.]+s;;;0 freezes=[0-9]+c;;;0 frozen_worst=[1-4];0;5;0 longest_worst=[0-9.]+s;90;300;0$' \
		'frozen processes: WARNING with their names'
	nrpe_ask "$ssl" frozen_long
	like "$out" \
		'^hog\[[0-9]+\]: frozen for [0-9.]+ s, method (cgroup|signal), class batch$' \
		'the long lines come through'
	nrpe_ask "$ssl" marker
	answers '[01]' 'MARKER [A-Z]+: frozen for [0-9.]+ s \| age=[0-9.]+s;5;60;0$' \
		'the marker file is seen in the /tmp of the host'
	nrpe_ask "$ssl" pressure
	answers '[0-2]' 'PRESSURE .* swap_in=[1-9][0-9]+B;;;0 ' 'and pages that come in'
}

test_private() {
	nrpe_ask "$private" frozen
	answers 1 'FROZEN WARNING: [1-4] frozen, ' \
		'a private /tmp does not hide who is frozen'
	nrpe_ask "$private" marker
	answers '[01]' 'MARKER [A-Z]+: this is a private /tmp, not the host.s; by the state file frozen for ' \
		'a private /tmp is told, and the state file judged'
	nrpe_ask "$hidden" frozen
	answers 2 'FROZEN CRITICAL: the daemon is not running \(/run/thrash-protect/state: No such file' \
		'where /run is hidden nobody is told that all is well'
}

test_many() {
	host_add_hogs
	wait_for 20 host_has_many
	ok $? 'more than five are frozen' || diag "$(cat "$WORK/daemon.log")"
	all_answer frozen 2 'FROZEN CRITICAL: [6-9] frozen, ' \
		'too many frozen processes: CRITICAL'
}

test_killed() {
	daemon_kill
	all_answer frozen 2 \
		'FROZEN CRITICAL: the daemon \(pid [0-9]+\) is gone; it had frozen: hog' \
		'a daemon that was killed: CRITICAL, and whom it had frozen'
	chmod 700 /run/thrash-protect
	all_answer frozen 3 \
		'FROZEN UNKNOWN: /run/thrash-protect: Permission denied' \
		'what may not be read: UNKNOWN'
	nrpe_ask "$private" marker
	answers 3 'MARKER UNKNOWN: this is a private /tmp, not the host.s; ' \
		'a private /tmp and no state: UNKNOWN, never OK'
	chmod 755 /run/thrash-protect
}

inside_namespace() {
	host_begin && host_install /usr/lib/nagios/plugins 'check_thrash_*'
	ok $? 'a host has been made' || exit 1
	daemon_start
	start_servers
	ok $? 'NRPE servers are there' || diag "$(cat "$WORK"/*.out)"
	test_calm
	test_past
	test_frozen
	test_private
	test_many
	test_killed
	exit 0
}

"${1:-outside}"
