#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# A thousand changes while a real Icinga 2 goes down and comes back, so that it
# is away half of the time: it ends with the right state, nothing comes twice or
# late, and what waits stays bounded in memory and on disk.
# shellcheck disable=SC2154,SC2317 # from the fixture; functions run by wait_for
cd "$(dirname "$0")/../.." || exit 1
. tests/lib.sh
[ -x "$BIN/thrash-protect-push" ] ||
	skip_all 'needs thrash-protect-push (make push, with libcurl)'
. tests/servers/push-icinga2-fixture.sh

bound=40
round=125 # changes while it is there, and as many while it is not
rounds=4

# change: the next state, another status than the last
change() {
	number=$((number + 1))
	case $((number % 3)) in
	0) put_state 0 $number ;;
	1) put_state 1 $number ;;
	2) put_state 7 $number ;;
	esac
	sleep 0.01
	[ $((number % 10)) != 0 ] || measure
}

# measure: the most that was seen of what waits
measure() {
	seen=$(waiting)
	[ "$seen" -le "$most" ] || most=$seen
	seen=$(du -sk "$spool" | cut -f 1)
	[ "$seen" -le "$most_kib" ] || most_kib=$seen
}

changes() {
	left=$1
	while [ "$left" -gt 0 ]; do
		left=$((left - 1))
		change
	done
}

memory() {
	awk '/^RssAnon/ { print $2 }' "/proc/$push_pid/status"
}

# api: what it has of the frozen service
api() {
	ask '/v1/objects/services/web1!thrash-protect%20frozen'
}

has_last() {
	is_empty && api | grep -q "freezes=${number}c"
}

put_secrets 'user = push' 'password = s3cret'
put_icinga_config 'heartbeat = 3600' "queue_results = $bound"
number=0 most=0 most_kib=0
icinga_start
ok $? 'Icinga is there'
put_state 0 0
push_start
wait_for 10 has_taken 1
before=$(memory)
changed_at=$(date +%s)
while [ $((rounds -= 1)) -ge 0 ]; do
	changes $round
	wait_for 10 has_last
	ok $? 'while Icinga is there it gets all there is'
	kill -TERM "$icinga_pid" # in the midst of changes
	changes $round
	wait_for 20 ended "$icinga_pid" || icinga_stop
	icinga_start
done
changed_at=$(($(date +%s) - changed_at))
wait_for 20 has_last
is "$? $number" '0 1000' \
	'after 1,000 changes the last one has arrived, and nothing waits'
like "$(api)" '"state":1[.,}]' 'Icinga has the right state'
is "$((number % 3))" 1 'which is WARNING'

test "$most" -le $((bound + 1)) # one may just be replaced
ok $? "no more than $bound results wait ($most seen)"
test "$most" -ge $((bound / 2))
ok $? 'and so many did'
test "$most_kib" -le $((4 * bound + 16))
ok $? "in a few blocks of the disk ($most_kib KiB)"
if [ -n "${SANITIZED-}" ]; then
	skip 'needs a build without a sanitizer, which keeps memory'
else
	grown=$(($(memory) - before))
	test $grown -le 1024
	ok $? "memory does not grow with what happens ($before kB, then $grown more)"
fi
# Icinga names what it writes by the second, and overwrites some when it ends.
numbers | tr ' ' '\n' | sed '/^$/d' >"$WORK/numbers"
got=$(wc -l <"$WORK/numbers")
sort -n -u "$WORK/numbers" | cmp -s - "$WORK/numbers"
ok $? "none of $got came twice, and none overtook another" ||
	diag "$(sort -n "$WORK/numbers" | uniq -d | tr '\n' ' ')"
test "$got" -ge $((number / 4))
ok $? 'a good part of all changes was seen by Icinga'
diag "1,000 changes took $changed_at s"
push_stop
icinga_stop
done_testing
