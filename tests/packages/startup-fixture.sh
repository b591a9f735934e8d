# shellcheck shell=sh
# SPDX-License-Identifier: GPL-3.0-or-later
# shellcheck disable=SC2034,SC2154 # of the test, and for it
# A host whose daemon is installed, in a PID namespace and with its own root,
# and whose jobs are frozen as soon as it runs; to be sourced after
# tests/pretence-fixture.sh, whose outside runs inside_namespace.
#
#   begin_host    the jobs: $hogs; fails if there can be none
#   begin_settings  with which they are frozen
#   is_frozen     one of them
#   freezes       waits for that
#   daemon_pids   of all that run
#   kill_daemon   all of it at once, while somebody is frozen: nobody thaws

begin_host() {
	pretend_vmstat || return 1
	enter
	hogs=
	start_hogs
	begin_thrash
}

begin_settings() {
	cat >"$root/etc/thrash-protect.conf" <<'CONF'
[thrash-protect]
use_psi = no
interval = 0.02
state_interval = 0.1
quantum = 0.1
max_frozen = 2
freezer = signal
CONF
}

is_up() {
	inside thrash-protect --status >/dev/null 2>&1
}

freezes() {
	wait_for 10 is_somebody_stopped
	ok $? "$1" || diag "$(cat "$root/run/thrash-protect/state")"
}

daemon_pids() {
	for pid_dir in /proc/[0-9]*; do
		[ "$(cat "$pid_dir/comm" 2>/dev/null)" != thrash-protect ] ||
			echo "${pid_dir#/proc/}"
	done
}

has_daemon() {
	[ -n "$(daemon_pids)" ]
}

has_no_daemon() {
	! has_daemon
}

kill_daemon() {
	wait_for 10 is_somebody_stopped
	# shellcheck disable=SC2046 # pids
	kill -STOP $(daemon_pids)
	is_somebody_stopped
	ok $? 'somebody is frozen when all of the daemon is killed'
	# shellcheck disable=SC2046
	kill -KILL $(daemon_pids)
	wait_for 5 has_no_daemon
}
