#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# Two families that share memory and work hand in hand, like make -j4 and its
# compilers: what belongs together is frozen together and thawed together.
cd "$(dirname "$0")/.." || exit 1
# shellcheck source=tests/lib.sh
. tests/lib.sh
# shellcheck source=tests/thrash-fixture.sh
. tests/thrash-fixture.sh

# One family fits into the limit, two do not.
children=4 child_mb=48 shared_mb=4 rounds=1500 limit_mb=256
reads_per_s=1000 longest_s=120
run_dir=$WORK/run

outside() {
	thrash_outside $limit_mb 1024 $reads_per_s
}

now_ms() {
	awk '{ printf "%d\n", $1 * 1000 }' /proc/uptime
}

# family FILE: in the background
family() {
	thrash_start "$TOOLS/family" $children $child_mb $shared_mb $rounds \
		>"$1"
	pids="$pids $thrash_pid"
}

# Of each family and turn: how many of its jobs are stopped, of how many.
families_of_tape() {
	awk '
		function end_turn(group) {
			for (group in jobs)
				print stopped[group] + 0, jobs[group]
			split("", jobs)
			split("", stopped)
		}
		$1 == "sample" { end_turn() }
		$1 == "job" && $13 == "family" {
			jobs[$5]++
			if ($12 == "T")
				stopped[$5]++
		}
		END { end_turn() }
	' "$1"
}

inside_namespace() {
	pids=
	begin=$(now_ms)
	family "$WORK/alone"
	# shellcheck disable=SC2086
	wait_for $longest_s have_ended $pids
	alone_ms=$(($(now_ms) - begin))

	"$BIN/thrash-protect" --config /dev/null --run-dir "$run_dir" \
		--marker '' --record "$WORK/tape" 2>"$WORK/log" &
	daemon=$!
	wait_for 5 grep -q ready "$WORK/log"
	pids=
	begin=$(now_ms)
	family "$WORK/first"
	family "$WORK/second"
	# shellcheck disable=SC2086
	wait_for $longest_s have_ended $pids
	ok $? "two families are done within $longest_s s" ||
		diag "$(cat "$WORK/log")"
	both_ms=$(($(now_ms) - begin))
	diag "one takes $alone_ms ms, two together $both_ms ms:" \
		"$(awk "BEGIN { print $both_ms / 2 / $alone_ms }") of one after" \
		'the other'
	for name in first second; do
		is "$(cat "$WORK/$name")" "done $((children * rounds))" \
			"the $name family has done its whole work"
	done
	families_of_tape "$WORK/tape" >"$WORK/families"
	whole=$(awk '$1 == $2 && $2 > 1' "$WORK/families" | wc -l)
	part=$(awk '$1 > 0 && $1 < $2' "$WORK/families" | wc -l)
	test "$whole" -gt 0
	ok $? 'a family is frozen as one' || diag "$(cat "$WORK/log")"
	# a stop waits for the end of a page fault; who is new is seen late
	test $((part * 2)) -lt "$whole"
	ok $? 'and far more rarely in part' ||
		diag "in $part turns in part, in $whole as a whole"
	is "$(sed -n 's/^frozen_processes //p' "$run_dir/state")" 0 \
		'nobody is frozen now'
	end_child TERM $daemon
	is $status 0 'the daemon ends well'
	exit 0
}

"${1:-outside}"
