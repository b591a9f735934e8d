#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# The promise itself: jobs that each fit into memory, but not all together,
# get their work done on a disk as slow as a magnetic one at its best.
cd "$(dirname "$0")/.." || exit 1
# shellcheck source=tests/lib.sh
. tests/lib.sh
# shellcheck source=tests/thrash-fixture.sh
. tests/thrash-fixture.sh

# Measured with one thousand reads a second: 10-12 s; without the daemon 8-63.
jobs=3 job_mb=60 limit_mb=128 touches=60000000
reads_per_s=1000 longest_s=120
run_dir=$WORK/run
state=$run_dir/state
marker=$WORK/marker

outside() {
	thrash_outside $limit_mb 512 $reads_per_s
}

# number_of NAME: in the state file
number_of() {
	sed -n "s/^$1 //p" "$state"
}

inside_namespace() {
	"$BIN/thrash-protect" --config /dev/null --run-dir "$run_dir" \
		--marker "$marker" 2>"$WORK/log" &
	daemon=$!
	wait_for 5 grep -q ready "$WORK/log"
	begin=$(date +%s)
	pids=
	for job in $(seq $jobs); do
		thrash_start "$TOOLS/hog" $job_mb ${touches}t >"$WORK/job$job"
		pids="$pids $thrash_pid"
	done
	# shellcheck disable=SC2086
	wait_for $longest_s have_ended $pids
	ok $? "$jobs jobs are done within $longest_s s" ||
		diag "$(cat "$WORK/log")"
	diag "it took $(($(date +%s) - begin)) s"
	for job in $(seq $jobs); do
		is "$(cat "$WORK/job$job")" "done $touches" \
			"job $job has done its whole work"
	done
	test "$(number_of freezes_total)" -gt 0
	ok $? 'they took turns: somebody was frozen'
	is "$(number_of freezes_total)" "$(number_of thaws_total)" \
		'and thawed as often'
	is "$(number_of frozen_processes)" 0 'nobody is frozen now'
	test ! -e "$marker"
	ok $? 'the marker is gone'
	end_child TERM $daemon
	is $status 0 'the daemon ends well'
	exit 0
}

"${1:-outside}"
