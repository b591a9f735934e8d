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
CREWS=3
# The moments: when the faults come, and in whom.
MOMENTS='loop end reload guardian'
FREEZERS='auto signal'
# How often the weather changes in it, and for how long each is awaited.
CHANGES=3 THRASH_S=1 CALM_S=2 TRACE_S=9

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
	in_pretence "$0" inside "$@"
}

### What fails, and how

# errors_of CALL: those to be expected; none for what cannot fail.  ESRCH, once,
# about one who is there: nobody may be taken for gone by that.
errors_of() {
	case $1 in
	exit* | get*id | restart_syscall | rt_sig* | set_* | rseq | wait4) ;;
	openat) echo EMFILE ENFILE ENOMEM EACCES EINTR EIO ESRCH ;;
	pidfd_open) echo EMFILE ENOMEM EPERM ENOSYS ESRCH ;;
	pidfd_send_signal | kill) echo EPERM ENOMEM ENOSYS ESRCH ;;
	read | pread64 | getdents64) echo EIO ENOMEM EINTR EAGAIN ESRCH ;;
	write) echo ENOSPC EIO EINTR EAGAIN EPIPE ;;
	pwrite64 | ftruncate) echo ENOSPC EIO EINTR ;;
	renameat* | mkdir* | fchmod* | utimensat | unlink*)
		echo ENOSPC EIO EROFS EACCES ;;
	close) echo EIO EINTR ;;
	poll | ppoll) echo EINTR ENOMEM ;;
	clock_nanosleep) echo EINTR ;;
	futex) echo EAGAIN ENOMEM ;;
	clone*) echo EAGAIN ENOMEM ;;
	process_*) echo EINTR ENOMEM EPERM ENOSYS ;;
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

# list_call FREEZER MOMENT CALL COUNT: each error at another place of the first
# second; where there is one chance only, and everything must be begun anew for
# it, two errors must do, or one.
list_call() {
	errors=$(errors_of "$3")
	case $2 in
	end | guardian) errors=$(echo "$errors" |
		awk 'NF > 2 { print $1, $NF; next } 1') ;;
	reload) errors=${errors%% *} ;;
	esac
	total=$(echo "$errors" | wc -w) nth=0
	for error in $errors; do
		echo "$1 $2 $3 $error $((1 + $4 * nth / total / TRACE_S))"
		nth=$((nth + 1))
	done
}

# FREEZER MOMENT CALL ERROR WHEN: of the second freezer only what the first one
# does not do; but the guardian, who thaws, does so by all.
list_cases() {
	for freezer in $FREEZERS; do
		for moment in $MOMENTS; do
			calls_of "$WORK/trace.$freezer.$moment" |
				while read -r call count; do
					list_call "$freezer" "$moment" \
						"$call" "$count"
				done
		done
	done | awk '$2 == "guardian" || !seen[$2, $3, $4]++'
}

### The daemon

# daemon_start FREEZER
daemon_start() {
	: >"$log" # not to read what the last one said
	"$BIN/thrash-protect" --config /dev/null --run-dir "$run_dir" \
		--marker "$marker" --use-psi no --interval 0.02 --calm 0.1 \
		--quantum 0.1 --max-frozen 1 --state-interval 0.1 \
		--freezer "$1" 2>"$log" &
	daemon=$! freezer_of_it=$1
	readies=0
	if ! wait_for 5 is_ready; then
		echo 'the daemon does not start'
		cat "$log"
		exit 1
	fi >&2
	worker=$(worker_of $daemon)
	files=$(count_files)
}

# Open in the worker.
count_files() {
	find "/proc/$worker/fd" -mindepth 1 | wc -l
}

daemon_end() {
	end_child TERM "$daemon"
	daemon=
}

# Once more than before.
is_ready() {
	[ "$(grep -c ready "$log")" -gt "$readies" ]
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
	reap "$tracer"
}

# prepare FREEZER MOMENT: it thrashes; the worker waits for the fault, except in
# loop
prepare() {
	[ -z "$daemon" ] || [ "$freezer_of_it" = "$1" ] || daemon_end
	[ -n "$daemon" ] || daemon_start "$1"
	begin_thrash
	traced=$worker
	[ "$2" != guardian ] || traced=$daemon
	[ "$2" != loop ] || return
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
	kill -CONT "$worker" 2>/dev/null
}

is_over() {
	grep -q INJECTED "$WORK/strace" || ended "$daemon"
}

has_reloaded() {
	is_ready || ended "$daemon"
}

# A call of calm weather, or of a change, is awaited for some changes.
change_weather() {
	for _ in $(seq $CHANGES); do
		wait_for $THRASH_S is_over && return
		end_thrash
		wait_for $CALM_S is_over && return
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
	reap "$daemon"
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
	"$BIN/thrash-protect" --config /dev/null --run-dir "$run_dir" \
		--marker "$marker" --thaw-all 2>/dev/null
	rm -f "$marker" "$run_dir/state"
	# shellcheck disable=SC2086
	kill -CONT $hogs
}

has_calmed_down() {
	is_nobody_stopped && [ ! -e "$marker" ]
}

# At some moment of its turns.
has_no_more_files() {
	[ "$(count_files)" -le "$files" ]
}

# look_at_calm CALL: one that has lived through all of it lets everybody go on,
# and has no more files open, but those that it could not close:
# two errors, each once in two threads.
look_at_calm() {
	[ -n "$daemon" ] || return
	end_thrash
	if wait_for 8 has_calmed_down; then
		[ "$1" != close ] || files=$((files + 4))
		wait_for 3 has_no_more_files || echo left_files
		return
	fi
	is_nobody_stopped || echo left_frozen
	[ ! -e "$marker" ] || echo left_marker
	kill_both "$daemon"
	leave_behind
}

# fault FREEZER MOMENT CALL ERROR WHEN
fault() {
	prepare "$1" "$2"
	attach "$traced" -e "trace=$3" -e "inject=$3:error=$4:when=$5"
	provoke "$2"
	await "$2"
	detach
	look "$2"
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
	for freezer in $FREEZERS; do
		for moment in $MOMENTS; do
			prepare "$freezer" "$moment"
			attach "$traced"
			provoke "$moment"
			await "$moment" >/dev/null
			detach
			cp "$WORK/strace" "$shared/trace.$freezer.$moment"
			! ended "$daemon" || daemon=
		done
	done
}

is_mine() {
	[ $((number % CREWS + 1)) -eq "$1" ]
}

# tell CALL ERROR COMMAND...: how it came out, in one line for judge()
tell() {
	line="$1 $2"
	shift 2
	"$@" >"$WORK/outcome"
	echo "$line $(tr '\n' ' ' <"$WORK/outcome")"
}

# work_off CREW: each takes its share of the calls, with all errors of one
work_off() {
	number=0
	last=
	while read -r freezer moment call error when; do
		now="$freezer $moment $call"
		if [ "$now" != "$last" ]; then
			[ -z "$last" ] || ! is_mine "$1" ||
				tell "$last" calm look_at_calm "${last##* }"
			number=$((number + 1))
			last=$now
		fi
		! is_mine "$1" || tell "$now" "$error" \
			fault "$freezer" "$moment" "$call" "$error" "$when"
	done <"$shared/cases" >"$shared/outcomes.$1"
	! is_mine "$1" ||
		tell "$last" calm look_at_calm "${last##* }" \
			>>"$shared/outcomes.$1"
	[ -z "$daemon" ] || daemon_end
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

# is_reached OUTCOMES: not by chance without the fault
is_reached() {
	echo "$1" | grep -v ' calm ' | grep -qv ' unreached'
}

# judge_call FREEZER MOMENT CALL: it has failed, and nothing is wrong in any
# case.  What is called seldom may not be, this time.
judge_call() {
	name="$3 fails $(moment_name "$2") (--freezer $1): nothing is left behind"
	lines=$(grep -h "^$1 $2 $3 " "$WORK"/outcomes.*)
	if ! is_reached "$lines"; then
		skip "$3 was not called this time $(moment_name "$2")"
	elif ! echo "$lines" | grep -qE ' (left|no)_[a-z]'; then
		ok 0 "$name"
	else
		ok 1 "$name" || diag "$lines"
	fi
}

judge() {
	cut -d ' ' -f 1-3 "$WORK/cases" | uniq >"$WORK/calls"
	while read -r freezer moment call; do
		judge_call "$freezer" "$moment" "$call"
	done <"$WORK/calls"
}

[ $# -gt 0 ] || set -- outside
"$@"
