#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# What a check or a Munin plugin takes of a host that can hardly breathe: at
# most 1 MB of memory, and no other process, also with all there is to say.
cd "$(dirname "$0")/.." || exit 1
# shellcheck source=tests/lib.sh
. tests/lib.sh
# shellcheck source=tests/munin-fixture.sh
. tests/munin-fixture.sh
most_kib=1024

# takes_little COMMAND...
# shellcheck disable=SC2154 # of the fixture
takes_little() {
	run timeout 20 "$TOOLS/peak" "$@"
	peak_kib=$(echo "$err" | sed -n 's/^peak_kib //p')
	shown=$(basename "$1")${2+ $2}
	is "$(echo "$err" | grep '^children')" 'children 0' \
		"$shown starts no process"
	# a dynamic one names its interpreter at its beginning
	if head -c 2048 "$1" | LC_ALL=C grep -aq '/ld-'; then
		skip "needs libc.a: $shown would be smaller"
		return
	fi
	[ "${peak_kib:-9999}" -le $most_kib ]
	ok $? "$shown needs no more than $most_kib kB" || diag "$peak_kib kB"
}

# shellcheck disable=SC2154 # of the fixture
on "$now" "$full" # 256 frozen
takes_little "$BIN/check_thrash_frozen" -vvv
takes_little "$BIN/check_thrash_marker" -vvv
takes_little "$BIN/check_thrash_pressure" -vvv --interval 0.1
for plugin in $plugins; do
	takes_little "$BIN/$plugin" config
	takes_little "$BIN/$plugin" fetch
done
takes_little "$BIN/check_thrash_frozen" --help
unset THRASH_PROTECT_PROC
takes_little "$BIN/check_thrash_frozen" --orphans

# that it would be noticed
run timeout 20 "$TOOLS/peak" /bin/sh -c 'true | true'
like "$err" '^children 2$' 'a process that is started is seen'
done_testing
