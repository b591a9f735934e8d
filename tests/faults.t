#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# Every system call of the daemon fails once, in each way that is to be
# expected: while it freezes and thaws, while it ends, while it begins anew;
# and the guardian's after the death of the worker.  It goes on, or fails;
# nobody is left frozen, and no marker.
#
# Which calls there are is not known here, but seen: the daemon is traced
# first, in the same weather.  strace does both, tracing and failing.
cd "$(dirname "$0")/.." || exit 1
# shellcheck source=tests/lib.sh
. tests/lib.sh
# shellcheck source=tests/pretence-fixture.sh
. tests/pretence-fixture.sh

# How many have a namespace each and share the cases.
CREWS=2
# The moments: when the faults come, and in whom.
MOMENTS='loop end reload guardian'

outside() {
	[ "$(id -u)" -eq 0 ] || skip_all 'needs root'
	strace -qq -o /dev/null -e inject=getppid:error=EIO true 2>/dev/null ||
		skip_all 'needs strace, with inject'
	unshare --pid --fork --mount-proc true 2>/dev/null ||
		skip_all 'needs PID and mount namespaces'
	in_namespace trace
	wait $!
	is $? 0 'the daemon is traced' || done_testing
	list_cases >"$WORK/cases"
	crews=
	for crew in $(seq $CREWS); do
		in_namespace work_off "$crew"
		crews="$crews $!"
	done
	failures=
	for crew in $crews; do
		wait "$crew" || failures="$failures $crew"
	done
	is "$failures" '' 'every case has come to its end'
	judge
	done_testing
}

# in_namespace COMMAND [CREW]: $! is to be waited for
in_namespace() {
	mkdir "$WORK/$1${2-}"
	unshare --pid --fork --mount-proc --kill-child "$0" inside "$@" &
	at_exit "kill -KILL $! 2>/dev/null"
}

### What fails, and how

# errors_of CALL: those to be expected; none for what cannot fail.  ENOENT and
# ESRCH of a process are the kernel's word that it is gone, and no fault.
errors_of() {
	case $1 in
	exit* | get*id | restart_syscall | rt_sig* | set_* | rseq | wait4) ;;
	openat) echo EMFILE ENFILE ENOMEM EACCES EINTR EIO ;;
	pidfd_open) echo EMFILE ENOMEM EPERM ENOSYS ;;
	pidfd_send_signal | kill) echo EPERM ENOMEM ENOSYS ;;
	read | pread64 | getdents64) echo EIO ENOMEM EINTR EAGAIN ;;
	write) echo ENOSPC EIO EINTR EAGAIN EPIPE ;;
	renameat* | mkdir* | fchmod* | utimensat | unlink*)
		echo ENOSPC EIO EROFS EACCES ;;
	close) echo EIO EINTR ;;
	poll | ppoll) echo EINTR ENOMEM ;;
	clock_nanosleep) echo EINTR ;;
	futex) echo EAGAIN ENOMEM ;;
	clone*) echo EAGAIN ENOMEM ;;
	process_*) echo EINTR ENOMEM EAGAIN ESRCH EPERM ENOSYS ;;
	m*map | mlock* | brk | mprotect | madvise) echo ENOMEM EAGAIN ;;
	*) echo EIO ENOMEM EACCES ;;
	esac
}

# The calls of a trace, and how many of each there were.
calls_of() {
	sed -n 's/^[0-9]* *\([a-z_0-9]*\)(.*/\1/p' "$1" | sort | uniq -c |
		while read -r count call; do
			echo "$call $count"
		done
}

# MOMENT CALL ERROR WHEN: each error at another place; where there is one
# chance only, for which all must be started anew, two errors must do.
list_cases() {
	for moment in $MOMENTS; do
		calls_of "$WORK/trace.$moment" | while read -r call count; do
			errors=$(errors_of "$call")
			[ "$moment" = loop ] || errors=$(echo "$errors" |
				awk 'NF > 2 { print $1, $NF; next } 1')
			total=$(echo "$errors" | wc -w) nth=0
			for error in $errors; do
				echo "$moment $call $error" \
					$((1 + count * nth / total / 3))
				nth=$((nth + 1))
			done
		done
	done
}

### The daemon

daemon_start() {
	: >"$log" # not to read what the last one said
	"$BIN/thrash-protect" --config /dev/null --run-dir "$run_dir" \
		--marker "$marker" --use-psi no --interval 0.02 --calm 0.1 \
		--quantum 0.1 --max-frozen 1 --state-interval 0.1 \
		2>"$log" &
	daemon=$!
	readies=0
	if ! wait_for 5 is_ready; then
		echo 'the daemon does not start'
		cat "$log"
		exit 1
	fi >&2
	worker=$(worker_of $daemon)
}

# Once more than before.
is_ready() {
	[ "$(grep -c ready "$log")" -gt "$readies" ]
}

stopped_hogs() {
	for hog in $hogs; do
		[ "$(process_state "$hog")" != T ] || echo "$hog"
	done
}

is_somebody_stopped() {
	[ -n "$(stopped_hogs)" ]
}

is_nobody_stopped() {
	[ -z "$(stopped_hogs)" ]
}

### The faults

is_traced() {
	! grep -qsw 'TracerPid:	0' "/proc/$1/status"
}

# attach PID ARG...: strace; its output is in $WORK/strace
attach() {
	of=$1
	shift
	: >"$WORK/strace"
	strace -f -qq -o "$WORK/strace" "$@" -p "$of" 2>"$WORK/strace.err" &
	tracer=$!
	wait_for 5 is_traced "$of"
}

detach() {
	kill -INT "$tracer" 2>/dev/null
	wait "$tracer" 2>/dev/null
}

# prepare MOMENT: it thrashes; the worker waits for the fault, except in loop
prepare() {
	[ -n "$daemon" ] || daemon_start
	begin_thrash
	traced=$worker
	[ "$1" != guardian ] || traced=$daemon
	[ "$1" != loop ] || return
	wait_for 10 is_somebody_stopped
	readies=$(grep -c ready "$log")
	kill -STOP "$worker"
}

# provoke MOMENT: what makes the calls of that moment
provoke() {
	case $1 in
	end) kill -TERM "$daemon" ;;
	reload) kill -HUP "$daemon" ;;
	guardian) kill -KILL "$worker" ;;
	esac
	kill -CONT "$worker"
}

is_over() {
	grep -q INJECTED "$WORK/strace" || ended "$daemon"
}

has_reloaded() {
	is_ready || ended "$daemon"
}

# A call of calm weather, or of a change, is awaited for some changes.
change_weather() {
	for _ in 1 2 3; do
		wait_for 1 is_over && return
		end_thrash
		wait_for 2 is_over && return
		begin_thrash
	done
}

# await MOMENT: the end of what was provoked
await() {
	case $1 in
	loop)
		change_weather
		sleep 0.1 # some turns, should it die of it
		;;
	reload) wait_for 4 has_reloaded || echo no_reload ;;
	*) wait_for 8 ended "$daemon" || echo no_end ;;
	esac
	grep -q INJECTED "$WORK/strace" || echo unreached
}

# look MOMENT: what became of it, and everything that is wrong
look() {
	if ! ended "$worker"; then
		echo lives
		return
	fi
	wait_for 8 ended "$daemon" || echo no_end
	status=0
	wait "$daemon" || status=$?
	echo "ended_$status"
	[ $status -eq 1 ] || [ "$1" = end ] || echo no_failure
	wait_for 2 is_nobody_stopped || echo left_frozen
	[ ! -e "$marker" ] || echo left_marker
	[ ! -e "$run_dir/state" ] || echo left_state
	leave_behind
}

# For the next case.
leave_behind() {
	daemon=
	rm -f "$marker" "$run_dir/state"
	# shellcheck disable=SC2086
	kill -CONT $hogs
}

has_calmed_down() {
	is_nobody_stopped && [ ! -e "$marker" ]
}

# One that has lived through all of it lets everybody go on.
look_at_calm() {
	[ -n "$daemon" ] || return
	end_thrash
	wait_for 8 has_calmed_down && return
	is_nobody_stopped || echo left_frozen
	[ ! -e "$marker" ] || echo left_marker
	kill_both "$daemon"
	leave_behind
}

# fault MOMENT CALL ERROR WHEN
fault() {
	prepare "$1"
	attach "$traced" -e "trace=$2" -e "inject=$2:error=$3:when=$4"
	provoke "$1"
	await "$1"
	detach
	look "$1"
}

### In a namespace

inside() {
	shared=$WORK
	WORK=$WORK/$1${2-}
	run_dir=$WORK/run
	marker=$WORK/marker
	log=$WORK/log
	daemon=
	begin_pretence || exit 1
	"$@" || exit 1
	# shellcheck disable=SC2086
	kill -KILL $hogs
	exit 0
}

trace() {
	for moment in $MOMENTS; do
		prepare "$moment"
		attach "$traced"
		provoke "$moment"
		await "$moment" >/dev/null
		detach
		cp "$WORK/strace" "$shared/trace.$moment"
		! ended "$daemon" || daemon=
	done
}

# outcome MOMENT CALL ERROR COMMAND...: as one line for judge()
outcome() {
	case_name="$1 $2 $3"
	shift 3
	"$@" >"$WORK/outcome"
	echo "$case_name $(tr '\n' ' ' <"$WORK/outcome")"
}

# end_of "MOMENT CALL": after all errors of one
end_of() {
	[ -z "$1" ] || outcome "${1% *}" "${1#* }" calm look_at_calm
}

# work_off CREW: each takes its share of the calls, with all errors of one
work_off() {
	number=0
	last=
	while read -r moment call error when; do
		if [ "$moment $call" != "$last" ]; then
			[ $((number % CREWS + 1)) -ne "$1" ] || end_of "$last"
			number=$((number + 1))
			last="$moment $call"
		fi
		[ $((number % CREWS + 1)) -ne "$1" ] ||
			outcome "$moment" "$call" "$error" \
				fault "$moment" "$call" "$error" "$when"
	done <"$shared/cases" >"$shared/outcomes.$1"
	[ $((number % CREWS + 1)) -ne "$1" ] ||
		end_of "$last" >>"$shared/outcomes.$1"
	[ -z "$daemon" ] || end_child TERM "$daemon"
}

# moment_name MOMENT
moment_name() {
	case $1 in
	loop) echo 'while it freezes and thaws' ;;
	end) echo 'while it ends' ;;
	reload) echo 'while it begins anew' ;;
	guardian) echo 'in the guardian of a dead worker' ;;
	esac
}

# For what is known and not yet mended.
todo() {
	ok 0 "$1" >/dev/null
	echo "not ok $(($(wc -l <"$WORK/.results"))) - $1 # TODO $2"
}

# is_reached OUTCOMES: not by chance without the fault
is_reached() {
	echo "$1" | grep -v ' calm ' | grep -qv ' unreached'
}

# A test for each call: it has failed, and nothing is wrong in any case.  What
# is called seldom may not be at one moment, if it is at another.
judge_call() {
	name="$2 fails $(moment_name "$1"): nothing is left behind"
	lines=$(grep -h "^$1 $2 " "$WORK"/outcomes.*)
	if ! echo "$lines" | grep -qE ' (left|no)_[a-z]'; then
		is_reached "$lines" ||
			is_reached "$(grep -h " $2 " "$WORK"/outcomes.*)"
		ok $? "$name"
	elif [ "$1" = guardian ]; then
		todo "$name" 'it should try again' && diag "$lines"
	else
		ok 1 "$name" || diag "$lines"
	fi
}

judge() {
	for moment in $MOMENTS; do
		for call in $(grep "^$moment " "$WORK/cases" | cut -d ' ' -f 2 |
			uniq); do
			judge_call "$moment" "$call"
		done
	done
	cp "$WORK"/cases "$WORK"/outcomes.* /tmp/w/hx
}

[ $# -gt 0 ] || set -- outside
"$@"
