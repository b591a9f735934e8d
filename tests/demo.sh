#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# demo.sh: shows thrash-protect at work on a real thrash, confined to a memory
# cgroup and a PID namespace, with a swap file of its own; cleans up after it.
# Needs root.  Where such a thrash cannot be had it replays a recorded one.
set -u
cd "$(dirname "$0")/.." || exit 1
build=${BUILD:-build}
case $build in
/*) ;;
*) build=$PWD/$build ;;
esac
export BIN="$build/bin" TOOLS="$build/tests/tools"

# Three jobs that each fit into the limit, but not two of them together.
JOBS=3 JOB_MB=64 LIMIT_MB=100 SWAP_MB=512 TOUCHES=1500000t LONGEST_S=75

say() {
	printf '\n== %s\n' "$*"
}

# show COMMAND...: what an administrator would type, and the answer
show() {
	program=$1
	shift
	echo "\$ ${program##*/} $*"
	"$program" "$@" | sed 's/^/  /'
}

show_plugins() {
	show "$BIN/check_thrash_frozen" -w 0 -c 5
	show "$BIN/check_thrash_marker" -w 5 -c 60
	show "$BIN/check_thrash_pressure" -w 10 -c 40
	for graph in thrash_freezes thrash_majfault thrash_swap thrash_stall; do
		show "$BIN/$graph"
	done
}

# One line: each job, and whether it runs or is frozen.
show_jobs() {
	line=$(printf '%3d s ' "$1")
	for job in $jobs; do
		state=$(sed -n 's/.*) \(.\) .*/\1/p' "/proc/$job/stat" \
			2>/dev/null)
		case $state in
		T) state=FROZEN ;;
		'' | Z) state='done  ' ;;
		*) state='runs  ' ;;
		esac
		line="$line  job $job $state"
	done
	echo "$line"
}

# Whether one of the jobs is not done.
is_any_left() {
	for job in $jobs; do
		kill -0 "$job" 2>/dev/null && return 0
	done
	return 1
}

# The part in the PID namespace.
inside() {
	say "the daemon starts; its log is shown as it is written"
	"$BIN/thrash-protect" --quantum 2 2>&1 &
	daemon=$!
	sleep 1
	say "$JOBS jobs of $JOB_MB MB start where $LIMIT_MB MB are to be had"
	jobs=
	for job in $(seq $JOBS); do
		thrash_start "$TOOLS/hog" $JOB_MB $TOUCHES >/dev/null
		jobs="$jobs $thrash_pid"
	done
	second=0
	was_shown=
	while is_any_left && [ $second -lt $LONGEST_S ]; do
		sleep 1
		second=$((second + 1))
		show_jobs $second
		if [ -z "$was_shown" ] && [ -e "$THRASH_PROTECT_MARKER" ]; then
			was_shown=yes
			say "what monitoring says meanwhile"
			show_plugins
			say "and on it goes"
		fi
	done
	is_any_left && echo "(some jobs are not done; the demo ends here)"
	sleep 2
	say "what monitoring says afterwards"
	show_plugins
	say "the daemon ends and lets everything go on"
	kill "$daemon"
	wait "$daemon"
	status=$?
	for job in $jobs; do
		kill "$job" 2>/dev/null
	done
	return $status
}

replay() {
	say "no real thrash can be made here: $1"
	echo "Here is what is decided on a recorded one:"
	show "$BIN/thrash-protect" --replay tests/recordings/ssd-turns.tape
}

# shellcheck source=tests/thrash-fixture.sh
. tests/thrash-fixture.sh
if [ "${1-}" = inside ]; then
	inside
	exit
fi
if ! reason=$(thrash_needs); then
	replay "$reason"
	[ "$(id -u)" = 0 ] || echo "As root this would be a real one: make demo"
	exit 0
fi
DEMO_DIR=$(mktemp -d /var/tmp/thrash-protect-demo.XXXXXX) || exit 1
export DEMO_DIR
trap 'thrash_end; rm -rf "$DEMO_DIR"' EXIT
trap 'exit 1' HUP INT TERM
say "a memory cgroup of $LIMIT_MB MB and a swap file of $SWAP_MB MB"
if ! thrash_begin "$DEMO_DIR" $LIMIT_MB $SWAP_MB >"$DEMO_DIR/reason"; then
	replay "$(cat "$DEMO_DIR/reason")"
	exit 0
fi
thrash_namespace env "THRASH_PROTECT_RUN_DIR=$DEMO_DIR/run" \
	"THRASH_PROTECT_MARKER=$DEMO_DIR/marker" \
	sh tests/demo.sh inside
status=$?
if [ $status = 0 ]; then
	say "done; swap file and cgroup are removed"
else
	say "the demo failed with status $status"
fi
exit $status
