#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# The gaps in Munin's graphs are where nobody watched, and nowhere else: the
# master is away, the daemon is off, and then both, for twenty minutes each.  (Of
# five minutes that were watched for a moment Munin draws what was seen.)  A
# real munin-node, a real master, and a daemon that freezes; what the master
# missed comes from the history.  Of a munin-asyncd that was away for the whole
# hour it takes the same.  Read back from the RRDs.
#
# An hour and a half goes by in which daemon, plugins and master are told what
# time it is: a minute after the other, with the counters of that minute.
# shellcheck disable=SC2016 # $1 is a field of awk's
cd "$(dirname "$0")/../.." || exit 1
# shellcheck source=tests/lib.sh
. tests/lib.sh
# shellcheck source=tests/servers/lib.sh
. tests/servers/lib.sh
# shellcheck source=tests/servers/host-fixture.sh
. tests/servers/host-fixture.sh
# shellcheck source=tests/servers/munin-fixture.sh
. tests/servers/munin-fixture.sh

later=${THRASH_TEST_LATER_BIN:-$build/tests/later}
export THRASH_TEST_CLOCK=/run/clock

outside() {
	munin_need
	[ -x "$later/thrash-protect" ] ||
		skip_all "needs $later (see make check-servers)"
	host_outside
}

### The time, and what the kernel counts in it

# What the master and munin-asyncd are told, who know whole seconds.
time_s() {
	echo $((($(date +%s%3N) + $(cat /run/clock)) / 1000))
}

# They come in only, unless the host thrashes.
count() {
	printf 'pswpin %015d\npswpout %015d\npgmajfault %015d\n' \
		"$pages" "$pages_out" "$pages" 1<>"$WORK/vmstat"
}

# is_minute MINUTE: most of it, after the begin, with ten pages for each second
# since the one before.  To the millisecond, as the daemon writes once a minute.
is_minute() {
	pages=$((pages + 600 * ($1 - minute)))
	minute=$1
	count
	echo $(((begin_s + minute * 60 + 50) * 1000 - $(date +%s%3N))) \
		>/run/clock.new
	mv /run/clock.new /run/clock
}

published_ms() {
	sed -n 's/^boottime_ms //p' $host_state
}

has_published_since() {
	[ "$(published_ms)" -ge "$1" ]
}

# minutes FROM TO: each of them is in the history
minutes() {
	for watched in $(seq "$1" "$2"); do
		before_ms=$(published_ms)
		is_minute "$watched"
		wait_for 10 has_published_since $((before_ms + 30000)) ||
			diag "minute $watched is not in the history"
	done
}

# Until the daemon freezes somebody, and then until it has thawed all.
thrash() {
	until host_has_frozen || [ "$pages" -gt 2000000 ]; do
		pages=$((pages + 2000))
		pages_out=$((pages_out + 2000))
		count
		sleep 0.02
	done
	host_has_frozen
	ok $? 'somebody is frozen while nobody asks' ||
		diag "$(cat "$WORK/daemon.log")"
	wait_for 30 host_has_thawed
}

### The daemon and Munin

# Not in the second in which Munin has asked: of that one it takes nothing anew.
later_daemon_start() {
	: >"$WORK/daemon.log"
	"$later/thrash-protect" --config /dev/null --use-psi no \
		--interval 0.02 --calm 0.1 --quantum 600 --max-frozen 600 \
		--freezer signal 2>"$WORK/daemon.log" &
	daemon=$!
	wait_for 10 host_is_ready && wait_for 10 test -s $host_state
}

daemon_stop() {
	end_child TERM "$daemon"
}

make_munin() {
	munin_make && cp "$later"/thrash_* /etc/munin/plugins || return
	cat >/etc/munin/plugin-conf.d/test <<END
[thrash_*]
env.THRASH_TEST_CLOCK $THRASH_TEST_CLOCK
END
	cat >>/run/munin.conf <<'END'
[host.example]
 address 127.0.0.1
[async.example]
 address cmd:///usr/share/munin/munin-async --spooldir /var/lib/munin-async --spoolfetch --hostname host.example
END
	munin_node_start
}

# ask [HOST]: so does the master
ask() {
	munin_at "$(time_s)" munin /usr/share/munin/munin-update \
		--config /run/munin.conf --host "${1-host.example}" \
		>>"$WORK/update.out" 2>&1
}

# asked MINUTE...: each five minutes after the one before
asked() {
	for asked_minute; do
		minutes $((asked_minute - 4)) "$asked_minute"
		ask
	done
}

# The same, and no daemon.
asked_without() {
	for asked_minute; do
		is_minute "$asked_minute"
		ask
	done
}

# What munin-asyncd has gathered now, and it ends.
ask_async() {
	munin_asyncd "$(time_s)"
	ok $? 'munin-asyncd fills its spool' || diag "$(cat "$WORK/asyncd.out")"
	stop_server "$asyncd"
	ask async.example
}

### What the RRDs have

# all_of HOSTS FIELD FROM TO CONDITION NAME: of awk's, for each five minutes
# between these minutes
all_of() {
	for host in $1; do
		munin_values "$host" "thrash_$2" $((begin_s + $3 * 60)) \
			$((begin_s + $4 * 60)) >"$WORK/values"
		is "$(wc -l <"$WORK/values") $(awk "!($5)" "$WORK/values")" \
			"$((($4 - $3) / 5)) " "$host: $6"
	done
}

all() {
	all_of host.example "$@"
}

# By munin-asyncd as well, who has it all in the end.
both() {
	all_of 'host.example async.example' "$@"
}

# total FIELD FROM TO LEAST MOST NAME: what it has counted in that time
total() {
	sum=$(munin_values host.example "thrash_$1" $((begin_s + $2 * 60)) \
		$((begin_s + $3 * 60)) |
		awk '{ sum += $1 * 300 } END { printf "%.2f", sum }')
	awk "BEGIN { exit !($sum >= $4 && $sum <= $5) }"
	ok $? "$6" || diag "$sum; $4 to $5"
}

is_known='!/nan/'
is_gap='/nan/'
# bytes a second, and what a record that is a moment late makes of them
page=$(getconf PAGESIZE)
is_calm="\$1 > 8.5 * $page && \$1 < 11.5 * $page"

### The story

# Twenty minutes without the master, and a thrash in them; the minute after that
# is long.
go_by() {
	later_daemon_start
	ask
	ask_async
	asked 5
	minutes 6 16
	before=$pages
	thrash
	thrashed=$((pages - before))
	minutes 18 20
	freezes=$(sed -n 's/^freezes_total //p' $host_state)
	longest_ms=$("$later/thrash-protect" --report --json |
		sed -n 's/^  "longest_frozen_ms": \([0-9]*\).*/\1/p')
	asked 25 30
	daemon_stop
	asked_without 35 40 45 50
	is_minute 51
	later_daemon_start
	minutes 52 55
	ask
	asked 60
	ask_async
	daemon_stop
	is_minute 80
	later_daemon_start
	minutes 81 82
	before=$pages
	thrash
	thrashed_again=$((pages - before))
	freezes_again=$(sed -n 's/^freezes_total //p' $host_state)
	minutes 84 85
	ask
	asked 90
}

test_master_away() {
	both swap-in 5 25 "$is_known" 'no gap where only the master was away'
	for field in freezes frozen longest average; do
		both freezes-$field 5 25 "$is_known" "nor has $field one"
	done
	both stall-thrashing 5 25 "$is_known" 'nor has the thrash'
	both swap-in 5 10 "$is_calm" 'the rate before it is right'
	both swap-in 20 30 "$is_calm" 'so it is after a thrash'
	both swap-in 15 20 "\$1 > 0.97 * (10 + $thrashed / 300) * $page &&
		\$1 < 1.03 * (10 + $thrashed / 300) * $page" \
		'and in the thrash'
	total swap-in 5 30 "(15000+0.97*$thrashed)*$page" \
		"(15000+1.03*$thrashed)*$page" \
		'no page is counted twice, and none is lost'
	total freezes-freezes 5 30 "$freezes-0.01" "$freezes+0.01" \
		"$freezes freezes are $freezes freezes"
	total freezes-thaws 5 30 "$freezes-0.01" "$freezes+0.01" \
		'and so are the thaws'
	both freezes-frozen 15 20 '$1 > 0' \
		'who was frozen meanwhile is in its five minutes'
	both freezes-longest 15 20 "\$1 > 0.6 * $longest_ms / 1000 &&
		\$1 < 1.01 * $longest_ms / 1000" 'and for how long'
	all freezes-frozen 5 10 '$1 == 0' 'and not before'
	all freezes-frozen 20 30 '$1 == 0' 'nor afterwards'
}

test_daemon_off() {
	for field in freezes thaws frozen longest average; do
		both freezes-$field 35 50 "$is_gap" \
			"where the daemon was off $field has a gap"
		all freezes-$field 50 60 "$is_known" \
			"$field has none where it was on again"
		all freezes-$field 50 60 '$1 == 0' \
			"nor a peak where the daemon counted anew ($field)"
	done
	all swap-in 30 60 "$is_calm" 'what the kernel counts has no gap there'
	all majfault-pgmajfault 30 60 "$is_known" 'nor have faults'
}

test_both_off() {
	for field in freezes-freezes freezes-frozen swap-in swap-out \
		majfault-pgmajfault; do
		all $field 65 80 "$is_gap" \
			"where nobody watched $field has a gap"
		all $field 80 90 "$is_known" 'and none from then on'
	done
	all swap-in 85 90 "$is_calm" 'nor a peak'
	# of the four minutes that it has of five, RRD makes five
	total swap-in 80 90 "(5400+0.95*$thrashed_again)*$page" \
		"1.3*(6000+$thrashed_again)*$page" \
		'what came in just after it is not lost'
	all freezes-frozen 80 85 '$1 > 0' 'nor who was frozen then'
	total freezes-freezes 80 90 "$freezes_again-0.01" \
		"1.3*$freezes_again" 'nor how often'
}

test_picture() {
	for graph in thrash_freezes thrash_swap; do
		echo "/example/host.example/$graph-pinpoint=$begin_s,$((begin_s +
			90 * 60)).png"
	done >/var/lib/munin/graphs
	munin_at "$(time_s)" munin /usr/share/munin/munin-graph --cron \
		--config /run/munin.conf >"$WORK/graph.out" 2>&1
	is "$?$(cat "$WORK/graph.out")" 0 'munin-graph draws it'
	mkdir -p "$build/artifacts"
	while read -r picture; do
		name=${picture##*/}
		cp "/var/cache/munin/www$picture" \
			"$build/artifacts/${name%%-*}-gaps.png"
		ok $? "${name%%-*}-gaps.png is kept"
	done </var/lib/munin/graphs
}

inside_namespace() {
	host_begin && end_child KILL "$pump"
	begin_s=$(($(date +%s) / 300 * 300 + 300))
	pages=1000000 pages_out=0 minute=0
	is_minute 0
	make_munin
	ok $? 'a host with Munin has been made' || exit 1
	go_by
	# it tunes files before it makes them
	is "$(grep -i 'error\|fatal' /var/log/munin/munin-update.log |
		grep -v Tuning)" '' \
		'the master gathers without a complaint'
	test_master_away
	test_daemon_off
	test_both_off
	test_picture
	exit 0
}

"${1:-outside}"
