#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# What the daemon holds of the memory that others are short of.
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

kib() {
	sed -n "s/^$1:[[:space:]]*\([0-9]*\) kB/\1/p" "$2"
}

status=/proc/$daemon/status
locked=$(kib VmLck "$status") anonymous=$(kib RssAnon "$status")
if [ "$locked" -eq 0 ]; then
	skip 'no memory may be locked here'
	skip 'no memory may be locked here'
	skip 'no memory may be locked here'
else
	# the program's code, and its own data, as the kernel counts them
	awk -v program="$BIN/thrash-protect" '
		/^[0-9a-f]+-[0-9a-f]+ / { is_code = $2 ~ /x/ && $6 == program }
		is_code && /^(Size|Rss|Locked):/ { kib[$1] += $2 }
		/^Anonymous:/ { own = $2 }
		/^Locked:/ && $2 < own { loose += own - $2 }
		END { print kib["Size:"], kib["Rss:"], kib["Locked:"], loose + 0 }
	' "/proc/$daemon/smaps" >"$WORK/code"
	read -r size resident held loose <"$WORK/code"
	is "$resident $held" "$size $size" 'all of its code is locked'
	test "$loose" -le 32
	ok $? 'so is its own memory, but for some pages that a start takes' ||
		diag "$loose KiB are not locked"
	if readelf -d "$BIN/thrash-protect" 2>/dev/null | grep -q NEEDED; then
		skip 'libraries are locked too: it is not static here'
	else
		test $((locked + anonymous)) -le 1536
		ok $? 'what it has and what it locks is less than 1.5 MB' ||
			diag "$locked KiB locked, $anonymous KiB of its own"
	fi
fi
kill "$daemon"
wait "$daemon"
ok $? 'it ends'
