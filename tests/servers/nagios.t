#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# The checks behind a real Nagios 4 with plugins/nagios/examples/nagios.cfg:
# started by itself, by way of NRPE, and passive.  What becomes of them is read
# back from its status file, while a daemon freezes real processes.
cd "$(dirname "$0")/../.." || exit 1
# shellcheck source=tests/lib.sh
. tests/lib.sh
# shellcheck source=tests/servers/lib.sh
. tests/servers/lib.sh
# shellcheck source=tests/servers/host-fixture.sh
. tests/servers/host-fixture.sh

# A minute of the examples is a second here; so often are checks started.
interval_s=1
since_s=5

outside() {
	servers_need nagios4 nrpe perl ip
	host_outside
}

# The examples ask NRPE at its usual port, which is free on this host.
make_hosts() {
	for kind in '' -local -passive; do
		cat <<END
define host {
	use		generic-host
	host_name	host$kind
	address		127.0.0.1
	hostgroups	thrash-protect$kind
	max_check_attempts	1
	contact_groups	admins
}
END
	done
	cat <<'END'
define service {
	use			thrash-passive
	host_name		host
	service_description	thrash silent
	freshness_threshold	2
}
END
}

# state HOST CHECK: its number and what it says
state() {
	echo "$(nagios_field "$1" "thrash $2" current_state)" \
		"$(nagios_field "$1" "thrash $2" plugin_output)"
}

# metrics HOST CHECK
metrics() {
	nagios_field "$1" "thrash $2" performance_data
}

state_matches() {
	state "$1" "$2" | grep -Eq -e "$3"
}

# becomes HOST CHECK PATTERN NAME: soon
becomes() {
	wait_for 20 state_matches "$1" "$2" "$3"
	ok $? "$4" || diag "$(state "$1" "$2")" "wanted: $3"
}

# both_become CHECK PATTERN NAME
both_become() {
	becomes host-local "$1" "$2" "$3"
	becomes host "$1" "$2" "$3, by NRPE"
}

# send CHECK: as a passive result what the check says now
send() {
	# shellcheck disable=SC2154,SC2086 # words, of lib.sh
	run $as_nagios "/usr/lib/nagios/plugins/check_thrash_$1"
	nagios_result host-passive "thrash $1" "$status" "$out"
}

# is_prompt HOST: but for the second in which it was published, no check that was
# started after the freeze may have said OK
is_prompt() {
	last_ok=$(nagios_field "$1" 'thrash frozen' last_time_ok)
	first=$(nagios_field "$1" 'thrash frozen' last_state_change)
	since=$(host_frozen_since)
	test "$last_ok" -le $((since + 1)) &&
		test $((first - since)) -le $((interval_s + 2))
	ok $? "frozen processes are there within a check interval ($1)" ||
		diag "frozen at $since, last OK at $last_ok, other at $first"
}

test_calm() {
	both_become frozen '^0 FROZEN OK: nothing is frozen[;:] worst in 5 s' \
		'nothing frozen is OK in Nagios'
	both_become marker '^0 MARKER OK: ' 'no marker is OK in Nagios'
	both_become pressure '^[0-2] PRESSURE [A-Z]+: .*swap-in 0 kB/s' \
		'the pressure is there in Nagios'
	like "$(metrics host frozen)" \
		'^frozen=0;;;0 longest=0s;;;0 freezes=[0-9]+c;;;0 frozen_worst=0;0;5;0 longest_worst=0s;90;300;0$' \
		'the performance data of an active check is there, by NRPE'
}

# between_checks COMMAND...: no check of who is frozen is started meanwhile
between_checks() {
	for host in host host-local; do
		nagios_command "DISABLE_SVC_CHECK;$host;thrash frozen"
	done
	wait_for 10 are_enabled 0
	"$@"
	for host in host host-local; do
		nagios_command "ENABLE_SVC_CHECK;$host;thrash frozen"
	done
}

# are_enabled NUMBER: so say both
are_enabled() {
	for host in host host-local; do
		[ "$(nagios_field $host 'thrash frozen' active_checks_enabled
			)" = "$1" ] || return
	done
}

freeze_and_thaw() {
	host_freeze
	sleep 1
	host_thaw
}

# What is passed over when only the moment of a check counts.
test_past() {
	between_checks freeze_and_thaw
	both_become frozen \
		'^1 FROZEN WARNING: nothing is frozen[;:] worst in .*: [1-4] frozen, .*hog\[' \
		'a freeze between two checks is seen in Nagios'
	both_become frozen '^0 ' 'for so long as the check looks back'
	host_renew_hogs
}

test_frozen() {
	host_freeze
	ok $? 'processes are frozen' || diag "$(cat "$WORK/daemon.log")"
	both_become frozen \
		'^1 FROZEN WARNING: [1-4] frozen, longest .*: hog\[[0-9]+\]' \
		'frozen processes are a WARNING in Nagios, with their names'
	is_prompt host
	is_prompt host-local
	like "$(metrics host-local frozen)" 'frozen_worst=[1-4];0;5;0 ' \
		'and their number is in the performance data'
	send frozen
	becomes host-passive frozen '^1 FROZEN WARNING: [1-4] frozen, ' \
		'a passive result is a WARNING'
	like "$(metrics host-passive frozen)" '^frozen=[1-4];0;5;0 longest=' \
		'and has its performance data'
	both_become marker '^1 MARKER WARNING: frozen for ([5-9]|[1-9][0-9])' \
		'a marker that is older than 5 s is a WARNING in Nagios'
	like "$(metrics host marker)" '^age=[0-9.]+s;5;60;0$' \
		'and its age is in the performance data'
}

test_many() {
	host_add_hogs
	wait_for 20 host_has_many
	both_become frozen '^2 FROZEN CRITICAL: [6-9] frozen, ' \
		'many frozen processes are CRITICAL in Nagios'
	send frozen
	becomes host-passive frozen '^2 FROZEN CRITICAL: [6-9] frozen, ' \
		'a passive result is CRITICAL'
	host_thaw
	both_become frozen '^0 FROZEN OK' 'and OK when the thrash is over'
	send frozen
	becomes host-passive frozen '^0 FROZEN OK: nothing' \
		'so it is with a passive result'
}

test_unknown() {
	chmod 700 /run/thrash-protect
	both_become frozen '^3 FROZEN UNKNOWN: .*Permission denied' \
		'what may not be read is UNKNOWN in Nagios'
	send frozen
	becomes host-passive frozen \
		'^3 FROZEN UNKNOWN: .*Permission denied' \
		'a passive result is UNKNOWN'
	is "$(metrics host frozen)" '' 'and has no performance data'
	chmod 755 /run/thrash-protect
	becomes host frozen '^0 ' 'and OK again when it may be read'
	becomes host silent '^3 UNKNOWN: no result has come for too long$' \
		'a passive service without results is UNKNOWN'
}

test_gone() {
	end_child TERM "$daemon"
	both_become frozen \
		'^2 FROZEN CRITICAL: the daemon is not running ' \
		'a daemon that is not there is CRITICAL in Nagios'
}

inside_namespace() {
	host_begin && host_install /usr/lib/nagios/plugins 'check_thrash_*'
	ok $? 'a host has been made' || exit 1
	daemon_start
	nrpe_start nrpe 5666
	ok $? 'NRPE is there' || diag "$(cat "$WORK"/*.out)"
	make_hosts >"$WORK/hosts.cfg"
	nagios_start "$WORK/hosts.cfg"
	ok $? 'Nagios is there' || diag "$(cat "$WORK"/nagios.*)"
	is "$(sed -n 's/^Total [WE][a-z]*: *//p' "$WORK/nagios.check")" '0
0' 'Nagios has no objection to the examples'
	test_calm
	test_past
	test_frozen
	test_many
	test_unknown
	test_gone
	exit 0
}

"${1:-outside}"
