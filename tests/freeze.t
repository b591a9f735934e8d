#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# The daemon on a real thrash, small and confined: whom it freezes, what it
# says meanwhile, and that nobody stays frozen whichever way it ends.
cd "$(dirname "$0")/.." || exit 1
# shellcheck source=tests/lib.sh
. tests/lib.sh
# shellcheck source=tests/thrash-fixture.sh
. tests/thrash-fixture.sh

config=$WORK/config
run_dir=$WORK/run
state=$run_dir/state
marker=$WORK/marker
log=$WORK/log

outside() {
	thrash_outside 128 512
}

### The daemon

# daemon_start ARG...; unless calm comes soon, who is frozen stays so
daemon_start() {
	: >"$log" # what the one before said
	"$BIN/thrash-protect" --config "$config" --run-dir "$run_dir" \
		--marker "$marker" --calm 3600 "$@" 2>"$log" &
	daemon=$!
	wait_for 5 grep -q ready "$log"
}

# daemon_end SIGNAL: $status is how it ended
daemon_end() {
	end_child "$1" "$daemon"
}

# What state file, marker and /proc say is the same, and it is somebody.
is_somebody_frozen() {
	seen=$(cat "$state")
	frozen=$(echo "$seen" | sed -n 's/^frozen \([0-9]*\) .*/\1/p' | in_order)
	[ -n "$frozen" ] && [ "$frozen" = "$(in_order <"$marker")" ] &&
		[ "$frozen" = "$(stopped_hogs)" ]
} 2>/dev/null

# freezes NAME
freezes() {
	wait_for 20 is_somebody_frozen
	ok $? "$1: the daemon freezes whom state and marker say" ||
		diag "state: $frozen
stopped: $(stopped_hogs)
$(cat "$log")"
}

# has_gone NAME: the daemon thawed all and removed what it had published
has_gone() {
	is "$status" 0 "$1: exit status 0"
	is "$(stopped_hogs)" '' "$1: nobody is left frozen"
	test ! -e "$state"
	ok $? "$1: the state file is gone"
	test ! -e "$marker"
	ok $? "$1: the marker is gone"
}

# check STATUS WORD NAME: what monitoring says
check() {
	if [ ! -x "$BIN/check_thrash_frozen" ]; then
		skip 'there is no check_thrash_frozen'
		return
	fi
	run "$BIN/check_thrash_frozen" --run-dir "$run_dir" -w 0 -c 5
	like "$status $out" "^$1 .*$2" "$3"
}

### The hogs

# hogs_start COUNT: each fits into the limit, two of them do not
hogs_start() {
	hogs=
	for _ in $(seq "$1"); do
		thrash_start "$TOOLS/hog" 80 0
		hogs="$hogs $thrash_pid"
	done
}

# replay TAPE ARG...
replay() {
	run "$BIN/thrash-protect" --config "$config" --replay "$@"
	is "$status $err" '0 ' 'a recording of it is replayed'
}

is_thrashing() {
	grep -qs '^verdict thrashing' "$state"
}

test_freezing() {
	daemon_start --record "$WORK/tape"
	test ! -e "$marker"
	ok $? 'there is no marker before'
	hogs_start 3
	freezes 'a thrash'
	like "$seen" '^frozen [0-9]+ [0-9]+ [0-9]+ (cgroup|signal) batch hog$' \
		'the state file says how, and their name'
	check 1 'WARNING.*hog' 'the check warns and names them'
	daemon_end TERM
	has_gone SIGTERM

	replay "$WORK/tape"
	like "$out" '^[0-9.]+ freeze [0-9]+ hog$' 'and freezes as it was done'
}

test_interrupt() {
	echo 'of root' >"$WORK/precious"
	print=$(stat -c '%i %Y %Z %s %u %a' "$WORK/precious")
	ln -s "$WORK/precious" "$marker"
	daemon_start
	freezes 'with a link planted as marker'
	is "$(stat -c '%i %Y %Z %s %u %a' "$WORK/precious")" "$print" \
		"root's file that the link points to is untouched"
	daemon_end INT
	has_gone SIGINT
}

is_ready_again() {
	[ "$(grep -c ready "$log")" -ge "$1" ]
}

test_reload() {
	daemon_start
	freezes 'before a reload'
	printf '[thrash-protect]\nprotect = ho*\n' >"$config"
	kill -HUP $daemon
	wait_for 5 is_ready_again 2
	ok $? 'SIGHUP: the daemon begins anew'
	is "$(stopped_hogs)" '' 'SIGHUP: everybody is thawed'
	test ! -e "$marker"
	ok $? 'SIGHUP: the marker is gone'
	like "$(cat "$state")" "^pid $(worker_of $daemon)\$" \
		'SIGHUP: it is the same process'
	wait_for 20 is_thrashing
	ok $? 'SIGHUP: it goes on watching'
	totals=$(grep '^freezes_total' "$state")
	like "$totals" '^freezes_total [1-9]' 'SIGHUP: its totals go on'
	sleep 1
	is "$(stopped_hogs) $(grep '^freezes_total' "$state")" \
		" $totals" 'protect, now in the file, holds: no freeze'

	printf '[thrash-protect]\nprotect = x\nnonsense = 1\n' >"$config"
	kill -HUP $daemon
	wait_for 5 is_ready_again 3
	like "$(cat "$log")" "not reloaded: $config:3: nonsense" \
		'SIGHUP with a bad file: it says where and what'
	wait_for 20 is_thrashing
	sleep 1
	is "$(stopped_hogs)" '' 'SIGHUP with a bad file: the old one holds'
	daemon_end TERM
	has_gone 'SIGTERM after a reload'
	: >"$config"
}

is_nobody_frozen() {
	[ -z "$(stopped_hogs)" ]
}

# In the midst of a thrash, where memory and the disk are what is short.
test_worker_killed() {
	slow=0
	for round in 1 2 3; do
		daemon_start
		freezes "before the worker is killed, $round"
		kill -KILL "$(worker_of $daemon)"
		wait_for 1 is_nobody_frozen || slow=$((slow + 1))
		reap $daemon
		[ $status = 1 ] || slow=$((slow + 1))
	done
	is $slow 0 'the worker is killed: within a second nobody is frozen'
	test ! -e "$state" && test ! -e "$marker"
	ok $? 'the worker is killed: nothing is left behind'
}

test_by_signal() {
	daemon_start --freezer signal
	like "$(cat "$log")" 'freezing by signal' '--freezer signal: it says so'
	freezes '--freezer signal'
	like "$seen" '^frozen [0-9]+ [0-9]+ [0-9]+ signal batch hog$' \
		'--freezer signal: the state file says so of each'
	asked=${frozen%% *}
	kill -TERM "$asked"
	wait_for 3 ended "$asked"
	ok $? '--freezer signal: who is asked to end goes on to do so' ||
		diag "$(cat "$log" "$state")"
	hogs=$(echo "$hogs" | tr ' ' '\n' | grep -vx "$asked" | in_order)
	thrash_start "$TOOLS/hog" 80 0
	hogs="$hogs $thrash_pid"
	daemon_end TERM
	has_gone '--freezer signal'
}

# left_frozen NAME ARG...: by a daemon that was killed
left_frozen() {
	left_name=$1
	shift
	daemon_start "$@"
	freezes "$left_name"
	kill_both $daemon
	test -n "$(stopped_hogs)"
	ok $? "$left_name: a killed daemon leaves them frozen"
	check 2 CRITICAL "$left_name: the check is critical"
}

test_killed() {
	left_frozen 'before a new start'
	left=$(stopped_hogs)
	daemon_start --protect hog --record "$WORK/tape2"
	is "$(stopped_hogs)" '' 'a new daemon thaws them at its start'
	like "$(cat "$log")" "thawed ${left%% *}" 'it says whom'
	test ! -e "$marker"
	ok $? 'it removes the marker of the killed one'
	check 0 OK 'the check is content again'
	wait_for 20 is_thrashing
	sleep 1
	is "$(stopped_hogs) $(grep '^freezes_total' "$state")" \
		' freezes_total 0' '--protect: who is named is never frozen'
	daemon_end TERM
	has_gone 'SIGTERM of the new daemon'
	replay "$WORK/tape2" --protect hog
	like "$out" '^[0-9.]+ thrashing$' 'and prints the verdicts'
	unlike "$out" freeze 'and freezes nobody, as it was'
	replay "$WORK/tape2"
	like "$out" '^[0-9.]+ freeze [0-9]+ hog$' \
		'and without --protect would have frozen'

	for method in signal auto; do
		left_frozen "before --thaw-all, by $method" --freezer $method
		thaw_all "--thaw-all, by $method"
	done
	# who is in a cgroup is known by its name
	if grep -q 'freezing by cgroup' "$log"; then
		left_frozen 'before --thaw-all without a state file'
		rm "$state" "$marker"
		thaw_all '--thaw-all without a state file'
	else
		skip 'nobody can be frozen by cgroup here'
	fi
}

thaw_all() {
	run "$BIN/thrash-protect" --config "$config" --run-dir "$run_dir" \
		--marker "$marker" --thaw-all
	has_gone "$1"
}

# Two others thrash on, and a new one fills its memory.
test_stopped_by_others() {
	stopped=${hogs##* }
	kill -STOP "$stopped"
	sleep 0.2
	daemon_start
	thrash_start "$TOOLS/hog" 80 0
	hogs="$hogs $thrash_pid"
	# it may find nobody to freeze here: what counts is who is not touched
	wait_for 20 grep -qs '^frozen ' "$state" ||
		diag "$(cat "$log" "$state")"
	unlike "$(cat "$state")" "^frozen $stopped " \
		'it does not count the one that we have stopped'
	kill_both $daemon
	daemon_start --protect hog
	is "$(stopped_hogs)" "$stopped" \
		'nor is that thawed when it recovers what it had frozen'
	daemon_end TERM
	is "$status $(stopped_hogs)" "0 $stopped" 'or when it ends'
	kill -CONT "$stopped"
}

inside_namespace() {
	: >"$config"
	test_freezing
	test_by_signal
	test_interrupt
	test_reload
	test_worker_killed
	test_killed
	test_stopped_by_others
	hogs_live
	exit 0
}

"${1:-outside}"
