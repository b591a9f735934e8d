#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# A pid may mean another process at any moment: 10,000 times one dies while it
# is frozen and thawed, and its pid is taken at once.  Nobody else is touched.
cd "$(dirname "$0")/.." || exit 1
# shellcheck source=tests/lib.sh
. tests/lib.sh

REUSES=${REUSES-10000}

# number NAME: of the last run
number() {
	echo "$out" | sed -n "s/^$1 //p"
}

[ "$(id -u)" -eq 0 ] || skip_all 'needs root'
unshare --pid --fork --mount-proc "$TOOLS/reuse" 1 >/dev/null 2>&1 ||
	skip_all 'needs PID namespaces in which pids can be chosen'
run unshare --pid --fork --mount-proc --kill-child "$TOOLS/reuse" "$REUSES"
is "$status $err" '0 ' "$REUSES pids are used again" || done_testing
test "$(number frozen)" -gt "$REUSES"
ok $? 'each of the first processes is frozen, or nearly' || diag "$out"
is "$(number stopped)" 0 'the next one is never stopped'
is "$(number continued)" 0 'nor is it let go on'
done_testing
