#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# The daemon on a host with memory to spare, where a cgroup thrashes at its own
# limit: those inside take turns, and nobody outside is touched.
cd "$(dirname "$0")/.." || exit 1
# shellcheck source=tests/lib.sh
. tests/lib.sh
# shellcheck source=tests/thrash-fixture.sh
. tests/thrash-fixture.sh

LIMIT_MB=192 HOG_MB=112 OUTSIDE_MB=200 WATCH_S=10

outside() {
	grep -qs '^pgscan_anon ' /proc/vmstat ||
		skip_all 'this kernel does not tell who makes room for whom'
	thrash_outside $LIMIT_MB 512
}

daemon_start() {
	: >"$WORK/log"
	"$BIN/thrash-protect" --config "$WORK/config" --run-dir "$WORK/run" \
		--marker "$WORK/marker" --quantum 0.5 --record "$WORK/tape" \
		2>"$WORK/log" &
	daemon=$!
	wait_for 5 grep -q ready "$WORK/log"
}

inside_namespace() {
	: >"$WORK/config"
	daemon_start
	"$TOOLS/hog" $OUTSIDE_MB 0 grow >"$WORK/outside" &
	outsider=$!
	hogs=
	for hog in 1 2 3; do
		thrash_start "$TOOLS/hog" $HOG_MB 0
		hogs="$hogs $thrash_pid"
	done
	wait_for 20 grep -q 'froze .*(hog)' "$WORK/log"
	ok $? 'a cgroup that thrashes at its limit: somebody is frozen' ||
		diag "$(cat "$WORK/log")"
	sleep $WATCH_S
	end_child TERM $daemon
	is "$status" 0 'the daemon ends well'
	frozen=$(sed -n 's/^.*froze \([0-9]*\) .*/\1/p' "$WORK/log" | sort -u)
	test "$(echo "$frozen" | wc -l)" -ge 2
	ok $? 'those inside take turns' || diag "$(cat "$WORK/log")"
	unlike "$frozen" "^$outsider\$" \
		'who grows outside of it is never frozen'
	for hog in $outsider $hogs; do
		unlike "$(process_state "$hog")" '^T' \
			'at the end nobody is left frozen'
	done
	exit 0
}

"${1:-outside}"
