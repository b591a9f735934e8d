#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# valgrind looks into both processes of the daemon as they freeze, thaw, reload,
# die and end: nothing is read or written that is not theirs, and in the end
# nothing is left, neither memory nor files.  In a build with sanitizers, which
# find the same, these do it.
cd "$(dirname "$0")/.." || exit 1
# shellcheck source=tests/lib.sh
. tests/lib.sh
# shellcheck source=tests/pretence-fixture.sh
. tests/pretence-fixture.sh

run_dir=$WORK/run
log=$WORK/log
tape=$WORK/tape
program=$build/tests/thrash-protect-watched

[ -n "${SANITIZED-}" ] || command -v valgrind >/dev/null ||
	skip_all 'needs valgrind'
if [ ! -x "$program" ]; then
	echo "Bail out! there is no $program"
	exit 1
fi

# under_watch ARG...: files that were open before are not the program's
under_watch() {
	set -- "$program" --config /dev/null --run-dir "$run_dir" \
		--marker "$WORK/marker" "$@"
	[ -n "${SANITIZED-}" ] ||
		set -- valgrind --quiet --log-file="$WORK/watch.%p" \
			--leak-check=full --show-leak-kinds=all \
			--errors-for-leak-kinds=all --error-exitcode=99 \
			--track-fds=yes "$@"
	exec "$@" 3>&- 4>&- 5>&- 6>&- 7>&- 8>&- 9>&-
}

run_watched() {
	(under_watch "$@")
}

# What was found: errors, leaks, and files that are open in the end, but for
# those that were before.  Calls that valgrind does not know fail for the
# daemon, as on an old kernel, and that is told for each.
findings() {
	cat "$WORK"/watch.* 2>/dev/null | sed 's/^==[0-9]*== *//' | awk '
		/^--[0-9]+--/ || !NF { next }
		/^FILE DESCRIPTORS/ { next }
		/^Open file descriptor/ { opened = $0; next }
		opened && /inherited from parent/ { opened = ""; next }
		opened { print opened; opened = "" }
		{ print }'
	# what the sanitizers say begins with one such line
	[ -z "${SANITIZED-}" ] || cat "$log" "$WORK/.err" 2>/dev/null |
		awk '/^=====|runtime error/ { found = 1 } found'
}

# finds_nothing NAME: at the end of one run
finds_nothing() {
	is "$(findings)" '' "$1: nothing is wrong, and nothing is left" ||
		diag "$(tail -n 5 "$log")"
	rm -f "$WORK"/watch.*
}

daemon_start() {
	: >"$log"
	rm -f "$tape"
	(under_watch --use-psi no --interval 0.05 --calm 0.1 --quantum 0.1 \
		--max-frozen 1 --state-interval 0.1 --record "$tape" "$@") \
		2>"$log" &
	daemon=$!
	readies=0
	wait_for 20 is_ready
	begin_thrash
	wait_for 20 is_somebody_stopped
}

is_ready() {
	[ "$(grep -c ready "$log")" -gt "$readies" ]
}

test_life() {
	daemon_start --freezer "$1"
	ok $? "by $1: somebody is frozen"
	end_thrash
	wait_for 20 is_nobody_stopped
	ok $? 'and thawed'
	readies=$(grep -c ready "$log")
	kill -HUP $daemon
	wait_for 20 is_ready
	ok $? 'the settings are read anew'
	begin_thrash
	wait_for 20 is_somebody_stopped
	end_child TERM $daemon
	is "$status" 0 'it ends while somebody is frozen'
	finds_nothing "a life by $1"
}

test_death() {
	daemon_start --freezer "$1"
	kill -KILL "$(worker_of $daemon)"
	wait_for 20 ended $daemon
	reap $daemon
	is $status 1 "by $1: its worker is killed"
	is_nobody_stopped
	ok $? 'it thaws all'
	# of the worker nothing can be said
	finds_nothing 'the guardian of a dead worker'
}

test_commands() {
	for option in --status '--status --json' --thaw-all '--explain 1' \
		"--replay $tape" --check-config --help; do
		# shellcheck disable=SC2086
		run run_watched $option
		finds_nothing "${option%%/*}"
	done
}

inside_namespace() {
	if ! begin_pretence; then
		skip 'needs to mount over /proc/vmstat'
		exit 0
	fi
	for method in auto signal; do
		test_life $method
		test_death $method
	done
	test_commands
	exit 0
}

"${1:-outside}"
