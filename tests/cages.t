#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# Who was frozen by cgroup and left so is found in the tree of cgroups, also
# when a look at it fails; but not taken from a daemon that lives.
cd "$(dirname "$0")/.." || exit 1
# shellcheck source=tests/lib.sh
. tests/lib.sh
# shellcheck source=tests/pretence-fixture.sh
. tests/pretence-fixture.sh

# As long as nobody else has the marker.
run_dir=$WORK/run
state=$run_dir/state
marker=$WORK/marker

# daemon_start ARG...: who is frozen stays so for the whole test
daemon_start() {
	log=$WORK/log.$((logs = ${logs:-0} + 1))
	: >"$log"
	"$BIN/thrash-protect" --config /dev/null --use-psi no --interval 0.02 \
		--calm 60 --quantum 60 --max-frozen 60 --freezer cgroup \
		--run-dir "$run_dir" --marker "$marker" "$@" 2>"$log" &
	daemon=$!
	if ! wait_for 5 grep -q ready "$log"; then
		ok 1 'the daemon starts' || diag "$(cat "$log")"
		exit 1
	fi
}

has_cages() {
	grep -q 'freezing by cgroup' "$log"
}

# Somebody is; $frozen is who.
freeze_somebody() {
	begin_thrash
	wait_for 10 is_somebody_stopped
	is $? 0 "somebody is frozen by cgroup $1" || diag "$(cat "$log")"
	end_thrash
	frozen=$(stopped_hogs)
}

# It may have been about to freeze the other one, too.
kill_daemon() {
	kill_both "$daemon"
	frozen=$(stopped_hogs)
}

# thaw_all ARG...
thaw_all() {
	# shellcheck disable=SC2086 # words
	run ${tracer-} "$BIN/thrash-protect" --config /dev/null \
		--run-dir "$run_dir" --marker "$marker" "$@" --thaw-all
}

# thaw_all_failing WHEN: where the tree cannot be listed then
thaw_all_failing() {
	tracer="strace -qq -o /dev/null -e trace=getdents64
		-e inject=getdents64:error=EIO:when=$1"
	thaw_all
	tracer=
}

can_fail() {
	strace -qq -o /dev/null -e inject=getppid:error=EIO true 2>/dev/null
}

test_failing_look() {
	if ! can_fail; then
		skip 'needs strace, with inject'
		return
	fi
	daemon_start
	freeze_somebody 'by a daemon that is killed'
	kill_daemon
	thaw_all_failing 1+
	is "$status $(stopped_hogs)" "1 $frozen" \
		'--thaw-all fails where the tree cannot be listed'
	like "$err" 'may be left frozen in a cgroup: Input/output error' \
		'and says so'
	test -e "$state" && test -e "$marker"
	ok $? 'the state file and the marker stay'
	thaw_all_failing 1
	is "$status $(stopped_hogs)" '0 ' \
		'it tries again, and thaws all when that was for once only'
	test ! -e "$state" && test ! -e "$marker"
	ok $? 'and removes both'
}

# Told from another one of that name.
cage_of() {
	stat -c '%i %n' "/sys/fs/cgroup/unified$(cgroup_of "$1")" \
		"/sys/fs/cgroup$(cgroup_of "$1")" 2>/dev/null
}

cgroup_of() {
	sed -n 's/^0:://p' "/proc/$1/cgroup"
}

test_next_start() {
	daemon_start
	freeze_somebody 'by a daemon that is killed'
	kill_daemon
	rm "$state" "$marker"
	daemon_start
	is "$(stopped_hogs)" '' 'the next daemon thaws whom a dead one has left'
	like "$(cat "$log")" "thawed ${frozen%% *}, which was left frozen" \
		'and says so'
	end_child TERM $daemon
}

# With a run directory of its own, as in a container.
test_side_by_side() {
	daemon_start
	freeze_somebody 'by a daemon'
	first=$daemon
	cage=$(cage_of "$frozen")
	daemon_start --run-dir "$WORK/run2" --marker '' --protect hog
	is "$(stopped_hogs) $(cage_of "$frozen")" "$frozen $cage" \
		'another daemon that starts lets alone whom the first has frozen'
	kill -HUP $daemon
	wait_for 5 has_reloaded
	is $? 0 'the other one begins anew'
	is "$(cage_of "$frozen")" "$cage" 'and lets him alone'
	end_child TERM $daemon
	is "$(cage_of "$frozen")" "$cage" 'or when it ends'

	kill -STOP "$(worker_of $first)"
	thaw_all --run-dir "$WORK/run2" --marker ''
	is "$status $(stopped_hogs)" '0 ' \
		'--thaw-all frees all, though the worker that holds them hangs'
	kill -CONT "$(worker_of $first)"
	end_child TERM $first
	is "$status" 0 'which goes on'
}

has_reloaded() {
	[ "$(grep -c ready "$log")" -gt 1 ]
}

inside_namespace() {
	if ! begin_pretence; then
		skip 'needs to mount over /proc/vmstat'
		exit 0
	fi
	daemon_start
	end_child TERM $daemon
	if ! has_cages; then
		skip 'nobody can be frozen by cgroup here'
		exit 0
	fi
	test_failing_look
	test_next_start
	test_side_by_side
	exit 0
}

"${1:-outside}"
