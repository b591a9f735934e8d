#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# The gaps in Munin's graphs are where nobody watched, and nowhere else: the
# master is away, the daemon is off, and then both, for twenty minutes each.  (Of
# five minutes that were watched for a moment Munin draws what was seen.)  A
# real munin-node and munin-asyncd, a real master, and a daemon that freezes;
# what the master missed comes from the history.  Read back from the RRDs.
#
# Two hours go by in which daemon, plugins and master are told what time it is:
# a minute after the other, with the counters of that minute.
# shellcheck disable=SC2016 # $1 is a field of awk's
cd "$(dirname "$0")/../.." || exit 1
# shellcheck source=tests/lib.sh
. tests/lib.sh
# shellcheck source=tests/servers/lib.sh
. tests/servers/lib.sh
# shellcheck source=tests/servers/host-fixture.sh
. tests/servers/host-fixture.sh

hosts='host.example async.example'
later=${THRASH_TEST_LATER_BIN:-$build/tests/later}
export THRASH_TEST_CLOCK=/run/clock

outside() {
	servers_need munin-node rrdtool faketime perl ip
	[ -x /usr/share/munin/munin-update ] || skip_all 'needs munin'
	[ -x /usr/share/munin/munin-async ] || skip_all 'needs munin-async'
	[ -x "$later/thrash-protect" ] ||
		skip_all "needs $later (see make check-servers)"
	host_outside
}

### The time, and what the kernel counts in it

# It is MINUTE minutes, and most of one more, after the begin.
is_minute() {
	echo $((begin_s + $1 * 60 + 50 - $(date +%s))) >/run/clock.new
	mv /run/clock.new /run/clock
}

# They come in only, unless the host thrashes.
count() {
	printf 'pswpin %015d\npswpout %015d\npgmajfault %015d\n' \
		"$pages" "$pages_out" "$pages" 1<>"$WORK/vmstat"
}

# minutes FROM TO: ten pages a second
minutes() {
	for minute in $(seq "$1" "$2"); do
		pages=$((pages + 600))
		count
		is_minute "$minute"
		sleep 0.2 # longer than a turn of the daemon
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

later_daemon_start() {
	sleep 1.1 # what Munin got in the same second is not replaced
	: >"$WORK/daemon.log"
	"$later/thrash-protect" --config /dev/null --use-psi no \
		--interval 0.02 --calm 0.1 --quantum 600 --max-frozen 600 \
		--freezer signal 2>"$WORK/daemon.log" &
	daemon=$!
	wait_for 10 host_is_ready
	sleep 0.5
}

daemon_stop() {
	end_child TERM "$daemon"
}

make_munin() {
	for place in /etc/munin/plugins /etc/munin/plugin-conf.d \
		/var/lib/munin-node /var/lib/munin /var/lib/munin-async \
		/var/cache/munin/www /var/log/munin; do
		mount -t tmpfs -o mode=755 none $place || return
	done
	mkdir -p /run/munin /var/lib/munin-node/plugin-state
	cp "$later"/thrash_* /etc/munin/plugins
	chown munin /run/munin /var/lib/munin /var/cache/munin/www /var/log/munin
	chown munin-async /var/lib/munin-async
	cat >/etc/munin/plugin-conf.d/test <<END
[thrash_*]
env.THRASH_TEST_CLOCK $THRASH_TEST_CLOCK
${GAPS_PLUGIN_CONF-}
END
	cat >/run/munin-node.conf <<'END'
log_file /var/log/munin/munin-node.log
pid_file /run/munin-node.pid
background 0
setsid 0
user root
group root
host_name host.example
allow ^127\.0\.0\.1$
host 127.0.0.1
port 4949
END
	cat >/run/munin.conf <<'END'
dbdir /var/lib/munin
htmldir /var/cache/munin/www
logdir /var/log/munin
rundir /run/munin
tmpldir /etc/munin/templates
staticdir /etc/munin/static
graph_strategy cron
html_strategy cron
[host.example]
 address 127.0.0.1
[async.example]
 address cmd:///usr/share/munin/munin-async --spooldir /var/lib/munin-async --spoolfetch --hostname host.example
END
	start_server node env -i "PATH=$PATH" munin-node \
		--config /run/munin-node.conf --foreground
	wait_for 20 is_listening 4949
}

# as USER COMMAND...: which is told what time it is
as() {
	user=$1
	shift
	late=$(date -u -d "@$(($(date +%s) + $(cat /run/clock)))" \
		'+@%Y-%m-%d %H:%M:%S')
	setpriv --reuid "$user" --regid "$user" --init-groups env -i \
		"PATH=$PATH" HOME=/run/munin XDG_CACHE_HOME=/run/munin \
		LC_ALL=C TZ=UTC timeout 60 faketime -f "$late" "$@"
}

has_spooled() {
	grep -q lastruntime /var/lib/munin-async/SPOOL-META 2>/dev/null
}

# What munin-asyncd does every five minutes, once.
spool() {
	rm -f /var/lib/munin-async/SPOOL-META
	as munin-async /usr/share/munin/munin-asyncd --host 127.0.0.1:4949 \
		--spool /var/lib/munin-async >>"$WORK/asyncd.out" 2>&1 &
	asyncd=$!
	wait_for 20 has_spooled
	pkill -KILL -P $asyncd 2>/dev/null
	wait $asyncd 2>/dev/null
}

# The master asks both.
ask() {
	spool
	as munin /usr/share/munin/munin-update --config /run/munin.conf \
		>>"$WORK/update.out" 2>&1
}

# asked_after FROM TO: the minutes, and in the last of them
asked_after() {
	minutes "$1" "$2"
	ask
}

# asked MINUTE...: each five minutes after the one before
asked() {
	for asked_minute; do
		asked_after $((asked_minute - 4)) "$asked_minute"
	done
}

### What the RRDs have

# values HOST FIELD FROM TO: one for each five minutes between these minutes
values() {
	for rrd in /var/lib/munin/example/"$1-thrash_$2"-?.rrd; do
		rrdtool fetch "$rrd" AVERAGE -s $((begin_s + $3 * 60)) \
			-e $((begin_s + $4 * 60 - 1)) | sed -n 's/^[0-9]*: //p'
	done
}

# all FIELD FROM TO CONDITION NAME: of awk's
all() {
	for host in $hosts; do
		values "$host" "$1" "$2" "$3" >"$WORK/values"
		is "$(wc -l <"$WORK/values") $(awk "!($4)" "$WORK/values")" \
			"$((($3 - $2) / 5)) " "$host: $5"
	done
}

# total FIELD FROM TO LEAST MOST NAME: what it has counted in that time
total() {
	for host in $hosts; do
		sum=$(values "$host" "$1" "$2" "$3" |
			awk '{ sum += $1 * 300 } END { printf "%.2f", sum }')
		awk "BEGIN { exit !($sum >= $4 && $sum <= $5) }"
		ok $? "$host: $6" || diag "$sum; $4 to $5"
	done
}

is_known='!/nan/'
is_gap='/nan/'
# bytes a second, and what a record that is a moment late makes of them
page=$(getconf PAGESIZE)
is_calm="\$1 > 8.5 * $page && \$1 < 11.5 * $page"

### The story

go_by() {
	later_daemon_start
	ask
	asked 5 10 15
	minutes 16 21
	before=$pages
	thrash
	minutes 22 30
	freezes=$(sed -n 's/^freezes_total //p' $host_state)
	longest_ms=$("$later/thrash-protect" --report --json |
		sed -n 's/^  "longest_frozen_ms": \([0-9]*\).*/\1/p')
	thrashed=$((pages - before - 9 * 600))
	asked 35 40 45
	daemon_stop
	asked 50 55 60 65
	later_daemon_start
	asked 70 75 80
	daemon_stop
	minutes 81 100
	later_daemon_start
	minutes 101 102
	before=$pages
	thrash
	thrashed_again=$((pages - before))
	freezes_again=$(sed -n 's/^freezes_total //p' $host_state)
	asked_after 103 105
	asked 110 115
}

test_master_away() {
	all swap-in 0 45 "$is_known" 'no gap where only the master was away'
	for field in freezes frozen longest average; do
		all freezes-$field 0 45 "$is_known" "nor has $field one"
	done
	all stall-thrashing 0 45 "$is_known" 'nor has the thrash'
	all swap-in 5 20 "$is_calm" \
		'the rate before it, and while it was away, is right'
	all swap-in 25 45 "$is_calm" 'so it is after a thrash'
	all swap-in 20 25 "\$1 > 0.97 * (10 + $thrashed / 300) * $page &&
		\$1 < 1.03 * (10 + $thrashed / 300) * $page" \
		'and in the thrash'
	total swap-in 5 45 "(24000+0.97*$thrashed)*$page" \
		"(24000+1.03*$thrashed)*$page" \
		'no page is counted twice, and none is lost'
	total freezes-freezes 5 45 "$freezes-0.01" "$freezes+0.01" \
		"$freezes freezes are $freezes freezes"
	total freezes-thaws 5 45 "$freezes-0.01" "$freezes+0.01" \
		'and so are the thaws'
	all freezes-frozen 20 25 '$1 > 0' \
		'who was frozen meanwhile is in its five minutes'
	all freezes-longest 20 25 "\$1 > 0.6 * $longest_ms / 1000 &&
		\$1 < 1.01 * $longest_ms / 1000" 'and for how long'
	all freezes-frozen 5 15 '$1 == 0' 'and not before'
	all freezes-frozen 30 45 '$1 == 0' 'nor afterwards'
}

test_daemon_off() {
	for field in freezes thaws frozen longest average; do
		all freezes-$field 50 65 "$is_gap" \
			"where the daemon was off $field has a gap"
		all freezes-$field 65 80 "$is_known" \
			"$field has none where it was on again"
		all freezes-$field 65 80 '$1 == 0' \
			"nor a peak where the daemon counted anew ($field)"
	done
	all swap-in 45 80 "$is_calm" 'what the kernel counts has no gap there'
	all majfault-pgmajfault 45 80 "$is_known" 'nor have faults'
}

test_both_off() {
	for field in freezes-freezes freezes-frozen swap-in swap-out \
		majfault-pgmajfault; do
		all $field 85 100 "$is_gap" \
			"where nobody watched $field has a gap"
		all $field 100 115 "$is_known" 'and none from then on'
	done
	all swap-in 110 115 "$is_calm" 'nor a peak'
	# of the four minutes that it has of five, RRD makes five
	total swap-in 100 110 "(6000+0.95*$thrashed_again)*$page" \
		"1.3*(6000+$thrashed_again)*$page" \
		'what came in just after it is not lost'
	all freezes-frozen 100 105 '$1 > 0' 'nor who was frozen then'
	total freezes-freezes 100 110 "$freezes_again-0.01" \
		"1.3*$freezes_again" 'nor how often'
}

test_picture() {
	for graph in thrash_freezes thrash_swap; do
		echo "/example/host.example/$graph-pinpoint=$begin_s,$((begin_s +
			115 * 60)).png"
	done >/var/lib/munin/graphs
	as munin /usr/share/munin/munin-graph --cron --config /run/munin.conf \
		>"$WORK/graph.out" 2>&1
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
	pages=1000000 pages_out=0
	count
	is_minute 0
	make_munin
	ok $? 'a host with Munin has been made' || exit 1
	go_by
	# that it has nothing from munin-async yet is none
	is "$(grep -i error /var/log/munin/munin-update.log |
		grep -v 'Tuning\|Socket read from async')" '' \
		'the master gathers without a complaint'
	test_master_away
	test_daemon_off
	test_both_off
	test_picture
	exit 0
}

"${1:-outside}"
