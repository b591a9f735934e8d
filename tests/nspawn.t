#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# Under a real systemd, on a pure tree of cgroups of version 2: what is frozen
# there stays what the service manager takes it for.  It needs root, nspawn and
# the tree that "make nspawn" makes, and takes half a minute, of which most is
# waiting for a watchdog.
# shellcheck disable=SC2317 # much is called by wait_for
cd "$(dirname "$0")/.." || exit 1
# shellcheck source=tests/lib.sh
. tests/lib.sh
# shellcheck source=tests/nspawn-fixture.sh
. tests/nspawn-fixture.sh

freeze_begin() {
	rm -f "$WORK/hold"
	mkfifo "$WORK/hold"
	main=$(property MainPID)
	"$TOOLS/freeze" "${1:-cgroup}" "$main" <"$WORK/hold" >"$WORK/said" 2>&1 &
	freezer=$!
	exec 4>"$WORK/hold"
	wait_for 5 grep -q ready "$WORK/said"
	wait_for 5 is_still
	ok $? "$name: its process is frozen" || diag "$(cat "$WORK/said")"
}

is_still() {
	[ "$(process_state "$main")" = T ]
}

freeze_end() {
	exec 4>&-
	reap "$freezer"
}

cages() {
	find /sys/fs/cgroup -name 'thrash-protect.*'
}

# It says that it lives ten times as often as it must.
watched() {
	cat <<'EOF'
Type=notify
NotifyAccess=all
WatchdogSec=5
ExecStart=/bin/sh -c 'systemd-notify --ready; while :; do systemd-notify WATCHDOG=1; sleep 0.5; done'
EOF
}

test_watchdog() {
	unit watched "$(watched)"
	freeze_begin
	like "$(cat "/proc/$main/cgroup")" \
		'^0::/system.slice/watched.service/thrash-protect[.]' \
		'a frozen service is still below its unit'
	is "$(property MainPID) $(property ActiveState)" "$main active" \
		'its manager finds it there'
	sleep 2
	freeze_end
	sleep 4
	is "$(property MainPID) $(property ActiveState) $(property NRestarts)" \
		"$main active 0" \
		'one with a watchdog survives a freeze of less than half of it'
	is "$(cages)" '' 'and nothing is left in its cgroup'

	freeze_begin
	wait_for 30 ended "$main"
	ok $? 'a longer freeze ends it: the watchdog does watch' ||
		diag "$(head -n 3 "/proc/$main/status"; cat "$WORK/said")"
	like "$(cat "$WORK/said")" '^wanted' 'which is how: it was let go on'
	freeze_end
	is "$(cages)" '' 'and nothing is left of that either'
	systemctl stop watched
}

# stops NAME: within 2 s, though frozen
stops() {
	freeze_begin "$2"
	timeout 2 systemctl stop "$name"
	is "$? $(property ActiveState)" '0 inactive' "$1"
	freeze_end
	is "$(cages)" '' "$name: nothing is left"
	ended "$main"
	ok $? "$name: nobody is left"
}

test_stop() {
	for method in cgroup signal; do
		unit "plain-$method" 'ExecStart=/bin/sleep 1000'
		stops "by $method: a frozen unit is stopped" $method
		unit "handler-$method" "ExecStart=/bin/sh -c \
'trap \"exit 0\" TERM; while :; do sleep 0.1; done'"
		stops "by $method: also one that handles SIGTERM" $method
	done
	unit killed 'ExecStart=/bin/sleep 1000'
	freeze_begin
	kill -KILL "$freezer"
	exec 4>&-
	run "$BIN/thrash-protect" --thaw-all
	is "$status" 0 'what a killed daemon has left in a unit'
	is "$(process_state "$main") $(property ActiveState) $(cages)" \
		'S active ' 'is thawed without a state file, and nothing is left'
	systemctl stop killed
}

test_read_only() {
	unit sleeper 'ExecStart=/bin/sleep 1000'
	main=$(property MainPID)
	# shellcheck disable=SC2016
	run unshare --mount sh -c 'mount -o remount,bind,ro /sys/fs/cgroup &&
		exec "$0" auto "$1" </dev/null' "$TOOLS/freeze" "$main"
	like "$out" "^frozen $main signal\$" \
		'where the cgroups can only be read it is done by signal' ||
		diag "$err"
	systemctl stop sleeper
}

inside() {
	test_watchdog
	test_stop
	test_read_only
	ended_inside
}

"${1:-outside}"
