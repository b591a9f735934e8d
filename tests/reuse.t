#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# A pid may mean another process at any moment: 10,000 times one dies while it
# is frozen and thawed, and its pid is taken at once.  Nobody else is touched.
cd "$(dirname "$0")/.." || exit 1
# shellcheck source=tests/lib.sh
. tests/lib.sh

BY_SIGNAL=8000 BY_CGROUP=2000 # which is slower

in_namespace() {
	unshare --pid --fork --mount-proc --kill-child "$@"
}

# number NAME: of the last run
number() {
	printf '%s\n' "$out" | sed -n "s/^$1 //p"
}

# test_method METHOD COUNT
test_method() {
	run in_namespace "$TOOLS/reuse" "$1" "$2"
	is "$status $err $(number reuses)" "0  $2" "by $1: $2 pids are used again"
	test "$(number frozen)" -ge "$2"
	ok $? "by $1: those who die were frozen before" || diag "$out"
	is "$(number stopped) $(number caged)" '0 0' \
		"by $1: who comes next is not frozen"
	is "$(number continued)" 0 "by $1: nor let go on"
}

[ "$(id -u)" -eq 0 ] || skip_all 'needs root'
in_namespace "$TOOLS/reuse" signal 1 >/dev/null 2>&1 ||
	skip_all 'needs PID namespaces in which pids can be chosen'
test_method signal $BY_SIGNAL
run in_namespace "$TOOLS/reuse" cgroup 1
if [ "$(number frozen)" -gt 0 ]; then
	test_method cgroup $BY_CGROUP
else
	skip 'freezing by cgroup cannot be had here'
fi
done_testing
