#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# What the daemon, its guardian with it, holds of the memory that others are
# short of.
cd "$(dirname "$0")/.." || exit 1
# shellcheck source=tests/lib.sh
. tests/lib.sh

# As long as nobody is frozen; in a namespace there is nobody but itself.
if [ -z "${THRASH_TEST_INSIDE-}" ]; then
	[ "$(id -u)" = 0 ] || skip_all 'locking memory takes root'
	unshare --pid --fork --mount-proc true 2>/dev/null ||
		skip_all 'no PID namespaces here'
	export THRASH_TEST_INSIDE=1
	unshare --pid --fork --mount-proc --kill-child "$0"
	done_testing
fi

"$BIN/thrash-protect" --run-dir "$WORK/run" --marker '' 2>"$WORK/log" &
daemon=$!
wait_for 10 test -e "$WORK/run/state"
ok $? 'the daemon starts' || diag "$(cat "$WORK/log")"
wait_for 1 false # the pager's thread has begun as well

worker=$(worker_of $daemon)
test -n "$worker"
ok $? 'it is two processes'

# kib NAME PID
kib() {
	sed -n "s/^$1:[[:space:]]*\([0-9]*\) kB/\1/p" "/proc/$2/status"
}

# In KiB, as the kernel counts them: the program's code, all that is locked of
# it, memory of the process's own that is not locked, and what it holds: its
# own, and what else is locked and there.
regions() {
	awk -v program="$BIN/thrash-protect" '
		/^[0-9a-f]+-[0-9a-f]+ / { is_code = $2 ~ /x/ && $6 == program }
		/^(Size|Rss|Anonymous):/ { kib[$1] = $2 }
		/^VmFlags:/ && is_code { size += kib["Size:"] }
		/^VmFlags:/ && is_code && / lo/ { locked += kib["Rss:"] }
		/^VmFlags:/ && !/ lo/ { loose += kib["Anonymous:"] }
		/^VmFlags:/ { held += kib[/ lo/ ? "Rss:" : "Anonymous:"] }
		END { print size, locked + 0, loose + 0, held + 0 }
	' "/proc/$1/smaps"
}

if [ "$(kib VmLck "$worker")" -eq 0 ]; then
	skip 'no memory may be locked here'
	skip 'no memory may be locked here'
	skip 'no memory may be locked here'
	skip 'no memory may be locked here'
else
	regions "$worker" >"$WORK/worker"
	read -r size resident loose held <"$WORK/worker"
	is "$resident" "$size" 'all of its code is locked'
	test "$loose" -le 32
	ok $? 'so is its own memory, but for some pages that a start takes' ||
		diag "$loose KiB are not locked"
	regions "$daemon" >"$WORK/guardian"
	read -r _ _ loose little <"$WORK/guardian"
	test "$loose" -le 32
	ok $? "and the guardian's" || diag "$loose KiB are not locked"
	if readelf -d "$BIN/thrash-protect" 2>/dev/null | grep -q NEEDED; then
		skip 'libraries are locked too: it is not static here'
	else
		test $((held + little)) -le 1464
		ok $? 'what both have and what they lock is less than 1.5 MB' ||
			diag "$held KiB and $little KiB"
	fi
fi
end_child TERM "$daemon"
ok $status 'it ends'
