#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# The daemon itself, freezing and thawing all the time, loses its worker, its
# guardian or both: nobody stays frozen, and what was published is gone.
# (Thousands of deaths, of a worker that does nothing else: test_guardian.c.)
cd "$(dirname "$0")/.." || exit 1
# shellcheck source=tests/lib.sh
. tests/lib.sh
# shellcheck source=tests/pretence-fixture.sh
. tests/pretence-fixture.sh

# Late, and then given some grace: daemon/guardian.h.
HANG_S=11 ROUNDS=20
run_dir=$WORK/run
state=$run_dir/state
marker=$WORK/marker
log=$WORK/log

# start LOG ARG...
start() {
	into=$1
	shift
	: >"$into"
	"$BIN/thrash-protect" --config /dev/null --use-psi no --interval 0.02 \
		--calm 0.1 --quantum 0.1 --max-frozen 1 --state-interval 0.1 \
		"$@" 2>"$into" &
}

# daemon_start ARG...; $daemon is the guardian, $worker the other one
daemon_start() {
	start "$log" --run-dir "$run_dir" --marker "$marker" "$@"
	daemon=$!
	if ! wait_for 5 grep -q ready "$log"; then
		ok 1 'the daemon starts' || diag "$(cat "$log")"
		exit 1
	fi
	worker=$(worker_of $daemon)
}

# sleep_for_a_moment: never as long as the last one
sleep_for_a_moment() {
	moment=$(((${moment:-0} * 7 + 13) % 40))
	sleep "0.$(printf '%02d' $moment)"
}

# count_failure NAME: of the last command, in a loop of many
count_failure() {
	[ $? -eq 0 ] || failures="$failures $1"
}

# The files of the daemon that is gone, and who is still frozen.
look_after_end() {
	wait_for 1 is_nobody_stopped
	count_failure frozen
	wait_for 1 ended "$worker"
	count_failure worker
	[ ! -e "$state" ]
	count_failure state
	[ ! -e "$marker" ]
	count_failure marker
	[ "$(process_state "$sleeper")" = T ]
	count_failure sleeper
}

# test_deaths WHO STATUS: of the worker, or the guardian, again and again
test_deaths() {
	failures=
	for _ in $(seq $ROUNDS); do
		daemon_start
		wait_for 10 is_somebody_stopped
		count_failure start
		sleep_for_a_moment
		[ "$1" = worker ] && dead=$worker || dead=$daemon
		kill -KILL "$dead"
		reap $daemon
		[ $status = "$2" ]
		count_failure "status_$status"
		look_after_end
	done
	is "$failures" '' "$ROUNDS times the $1 is killed: nobody is frozen, \
and nothing is left behind" || diag "$(cat "$log")"
}

thaw_all() {
	run "$BIN/thrash-protect" --config /dev/null --run-dir "$run_dir" \
		--marker "$marker" --thaw-all
	count_failure "thaw_all_$status"
}

test_deaths_of_both() {
	failures=
	left=0
	for _ in $(seq $ROUNDS); do
		daemon_start
		wait_for 10 is_somebody_stopped
		count_failure start
		sleep_for_a_moment
		kill_both $daemon
		is_nobody_stopped || left=$((left + 1))
		thaw_all
		look_after_end
	done
	is "$failures" '' "$ROUNDS times both are killed: --thaw-all frees all"
	test $left -gt 0
	ok $? "of which somebody was frozen $left times"
}

# A worker that hangs; another one hangs too, but has frozen nobody.
test_hanging() {
	start "$WORK/calm.log" --run-dir "$WORK/calm" --marker '' --protect hog
	calm=$!
	daemon_start
	calm_worker=$(worker_of $calm)
	wait_for 10 is_somebody_stopped
	kill -STOP "$worker" "$calm_worker"
	wait_for $((HANG_S + 4)) ended $daemon
	ok $? "a worker that is stopped: it is killed after some $HANG_S s"
	reap $daemon
	is $status 1 'and the daemon fails'
	failures=
	look_after_end
	is "$failures" '' 'nobody is frozen, and nothing is left behind'
	like "$(cat "$log")" 'the worker has hung' 'it says why'

	! ended "$calm_worker" && ! ended $calm
	ok $? 'one that has frozen nobody is left alone'
	kill -CONT "$calm_worker"
	end_child TERM $calm
	is "$status" 0 'and goes on'
}

test_signals() {
	daemon_start
	for signal in TSTP TTIN TTOU USR1 USR2; do
		kill -$signal $daemon "$worker"
	done
	sleep 0.3
	is_going_on $daemon && is_going_on "$worker"
	ok $? 'what would stop or end both at once is not heard'
	end_child QUIT $daemon
	is "$status" 0 'SIGQUIT ends it as SIGTERM does'
}

test_dry_run() {
	daemon_start --dry-run
	wait_for 10 grep -qs '^frozen ' "$state"
	ok $? 'a dry run freezes in its state file'
	kill -KILL "$worker"
	reap $daemon
	is "$status $(process_state "$sleeper")" '1 T' \
		'its worker is killed: it ends, and has touched nobody'
	test ! -e "$state"
	ok $? 'the state file is gone'
}

# hangs: the pager's thread, in a call that needs the disk
hangs() {
	grep -qs '(' "$WORK/strace"
}

# As on a disk that answers no more, by what strace can do.
test_hung_pager() {
	if ! strace -qq -o /dev/null -e inject=getppid:delay_enter=1 true \
		2>/dev/null; then
		skip 'needs strace, with inject'
		return
	fi
	daemon_start
	strace -f -qq -o "$WORK/strace" -e trace=process_madvise \
		-e inject=process_madvise:delay_enter=4000000 -p "$worker" \
		2>/dev/null &
	tracer=$!
	wait_for 10 hangs && wait_for 10 is_somebody_stopped
	is $? 0 'a pager that hangs in its call, and somebody who is frozen'
	kill -TERM $daemon
	wait_for 1 is_nobody_stopped
	is $? 0 'SIGTERM: all are thawed at once'
	[ ! -e "$marker" ] && ! ended "$worker"
	is $? 0 'and the marker is gone, while the pager is awaited'
	end_child TERM $daemon
	is "$status" 0 'when it is there the daemon ends well'
	kill -INT $tracer 2>/dev/null
	reap $tracer
}

inside_namespace() {
	if ! begin_pretence; then
		skip 'needs to mount over /proc/vmstat'
		exit 0
	fi
	# somebody has stopped it, and nobody else may let it go on
	sleep 3600 &
	sleeper=$!
	kill -STOP $sleeper
	begin_thrash
	test_deaths worker 1
	test_deaths guardian 137
	test_deaths_of_both
	test_hanging
	test_dry_run
	test_signals
	test_hung_pager
	hogs_live
	exit 0
}

"${1:-outside}"
