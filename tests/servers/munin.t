#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# The plugins behind real Munin nodes and a real master, which gathers, warns
# and draws, with plugins/munin/examples/plugin-conf, while a daemon freezes
# real processes, and is away for a while.  What it all came to is read back
# from the RRDs; the pictures are kept in build/artifacts.
#
# Two hours of Munin's time go by: its master is told what time it is.  The
# plugins are not, so they send nothing of the past; that is tested in gaps.t.
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

graphs='thrash_freezes thrash_majfault thrash_stall thrash_swap'
node_c=/var/cache/thrash-protect-tests/munin-node-c/usr/sbin/munin-node-c
step_s=300

outside() {
	munin_need
	servers_need munin-node-configure nc
	host_outside
}

### Munin on this host

make_munin() {
	mount -t tmpfs -o mode=755 none /usr/share/munin/plugins &&
		munin_make && cp "$BIN"/thrash_* /usr/share/munin/plugins &&
		cp plugins/munin/examples/plugin-conf \
			/etc/munin/plugin-conf.d/thrash-protect || return
	printf '[thrash_*]\nenv.backfill 0\n' >/etc/munin/plugin-conf.d/zz
	# shellcheck disable=SC2016 # for Munin
	cat >>/run/munin.conf <<END
contact.tester.command cat >>/run/munin/alerts
contact.tester.text \${var:host} \${var:graph_title}: \
\${loop< >:cfields CRITICAL \${var:label} is \${var:value} \${var:extinfo}} \
\${loop< >:wfields WARNING \${var:label} is \${var:value} \${var:extinfo}}
[host.example]
 address 127.0.0.1
[c.example]
 address cmd://$node_c -H c.example -d /etc/munin/plugins -D /etc/munin/plugin-conf.d
[async.example]
 address cmd:///usr/share/munin/munin-async --spooldir /var/lib/munin-async --spoolfetch --hostname host.example
END
}

# at SECOND COMMAND...: of the master, which believes that it is that late
at() {
	late_s=$1
	shift
	munin_at "$late_s" munin "$@" --config /run/munin.conf
}

# update [HOST]: another five minutes are over
update() {
	now_s=$((now_s + step_s))
	at $now_s /usr/share/munin/munin-update --host "${1-host.example}" \
		>>"$WORK/update.out" 2>&1
}

updates() {
	for _ in $(seq "$1"); do
		update
	done
}

node_answers() {
	printf '%s\n' "$@" quit | timeout 20 nc -N 127.0.0.1 4949
}

# all_are CONDITION: of awk's, and there is one
all_are() {
	awk "{ seen = 1 } !($1) { bad = 1 } END { exit bad || !seen }"
}

# between FIELD FROM TO CONDITION NAME
between() {
	munin_values host.example "$1" "$2" "$3" >"$WORK/values"
	all_are "$4" <"$WORK/values"
	ok $? "$5" || diag "$(cat "$WORK/values")"
}

# A master, on another host elsewhere, is not to be frozen by this one.
munin_daemon_start() {
	daemon_start --protect user:munin
}

### The node

# suggestions: what munin-node-configure thinks of each
suggestions() {
	munin-node-configure --config /run/munin-node.conf --suggest 2>&1 |
		sed 's/  *|/|/g; s/| */|/g'
}

test_configure() {
	like "$(suggestions)" \
		'^thrash_freezes\|no\|no \[/run/thrash-protect: No such file' \
		'munin-node-configure shows why a plugin is of no use'
	munin_daemon_start
	configured=$(suggestions)
	for graph in $graphs; do
		like "$configured" "^${graph}[|]no[|]yes *\$" \
			"munin-node-configure suggests $graph"
	done
	munin-node-configure --config /run/munin-node.conf --shell \
		>"$WORK/install" 2>&1
	sh "$WORK/install" 2>"$WORK/install.err"
	is "$(cd /etc/munin/plugins && echo *)$(cat "$WORK/install.err")" \
		"$graphs" 'and what it prints installs them'
	for graph in $graphs; do
		out=$(munin-run --config /run/munin-node.conf "$graph" 2>&1)
		like "$out" '^[a-z_]+\.value [0-9.]+$' "munin-run runs $graph"
	done
}

test_munindoc() {
	PERLDOC_PAGER=cat PAGER=cat munindoc thrash_swap >"$WORK/doc" 2>&1
	like "$(cat "$WORK/doc")" 'thrash_swap - graphs traffic' \
		'munindoc shows the documentation of a plugin'
}

test_node() {
	munin_node_start
	ok $? 'munin-node is there' || diag "$(cat "$WORK/node.out")"
	like "$(node_answers list)" "^$graphs *\$" 'it lists the plugins'
	answered=$(node_answers 'config thrash_freezes')
	like "$answered" '^frozen\.warning 0$' \
		'the limits of the example are in its config'
	like "$answered" '^longest\.critical 300$' 'all of them'
	like "$(node_answers 'cap dirtyconfig' 'config thrash_swap')" \
		'^out\.value [0-9]+$' 'it gets config and values at once'
	like "$(node_answers 'fetch thrash_freezes')" '^frozen\.value 0$' \
		'a plugin sees the daemon as nobody'
}

### The master

test_calm() {
	begin_s=$now_s
	updates 4
	# it tunes files before it makes them
	is "$(grep -i error /var/log/munin/munin-update.log | grep -v Tuning)" '' \
		'the master gathers without a complaint'
	is "$(cd /var/lib/munin/example && echo host.example-* | wc -w)" 13 \
		'it keeps an RRD for each of our fields'
	between thrash_freezes-frozen "$begin_s" "$now_s" '$1 == 0 || /nan/' \
		'nobody is frozen while it is calm'
}

test_frozen() {
	host_add_hogs
	host_freeze
	wait_for 20 host_has_many
	ok $? 'many are frozen' || diag "$(cat "$WORK/daemon.log")"
	frozen_s=$now_s
	updates 6
	between thrash_freezes-frozen $((frozen_s + step_s)) "$now_s" \
		'$1 >= 5.9 && $1 <= 9' \
		'frozen processes are in the RRD within five minutes'
	between thrash_freezes-longest $((frozen_s + 2 * step_s)) "$now_s" \
		'$1 > 0.1' 'and how long they have been'
	between thrash_swap-in $((frozen_s + step_s)) "$now_s" '$1 > 0' \
		'and the pages that came in'
	between thrash_majfault-pgmajfault $((frozen_s + step_s)) "$now_s" \
		'$1 > 0' 'and major faults'
	at "$now_s" /usr/share/munin/munin-limits --force >"$WORK/limits.out" 2>&1
	like "$(cat /run/munin/alerts)" \
		'Processes frozen by thrash-protect: .*CRITICAL frozen now is [6-9]\.00 .*[0-9]+ hog [0-9.]+ s, ' \
		'munin-limits warns, by the limits of the example, and names them'
	host_thaw
	updates 4
	between thrash_freezes-frozen $((now_s - 2 * step_s)) "$now_s" '$1 < 0.1' \
		'nobody is frozen when it is over'
}

test_gap() {
	end_child TERM "$daemon"
	gone_s=$now_s
	updates 4
	for field in frozen longest freezes; do
		between thrash_freezes-$field $((gone_s + step_s)) "$now_s" \
			'/nan/' "without a daemon $field has a gap"
	done
	between thrash_swap-in $((gone_s + step_s)) "$now_s" '!/nan/' \
		'what needs no daemon has none'
	munin_daemon_start
	updates 4
	between thrash_freezes-frozen $((now_s - 2 * step_s)) "$now_s" \
		'$1 < 0.1' 'the gap ends when the daemon is back'
}

### What it draws

is_picture() {
	[ "$(head -c 8 "$1" | od -An -tx1 | tr -d ' \n')" = 89504e470d0a1a0a ] &&
		[ "$(wc -c <"$1")" -gt 4000 ]
}

# draw HOST FROM TO NAME GRAPH...: of the last day, and of that time, which is
# what a page asks for when it zooms
draw() {
	host=$1 from=$2 to=$3 story=$4
	shift 4
	for graph; do
		echo "/example/$host/$graph-day.png $graph-$story-day.png"
		echo "/example/$host/$graph-pinpoint=$from,$to.png" \
			"$graph-$story.png"
	done >"$WORK/pictures"
	cut -d ' ' -f 1 "$WORK/pictures" >/var/lib/munin/graphs
	at "$to" /usr/share/munin/munin-graph --cron >"$WORK/graph.out" 2>&1
	is "$?$(cat "$WORK/graph.out")" 0 \
		"munin-graph draws $host without a complaint"
	mkdir -p "$build/artifacts"
	while read -r picture name; do
		is_picture "/var/cache/munin/www$picture" &&
			cp "/var/cache/munin/www$picture" \
				"$build/artifacts/$name"
		ok $? "Munin has drawn $name"
	done <"$WORK/pictures"
}

test_pictures() {
	at "$now_s" /usr/share/munin/munin-html >"$WORK/html.out" 2>&1
	ok $? 'munin-html makes its pages' || diag "$(cat "$WORK/html.out")"
	like "$(cat /var/cache/munin/www/example/host.example/index.html)" \
		'Processes frozen by thrash-protect' 'our graphs are on them'
	# shellcheck disable=SC2086 # words
	draw host.example "$begin_s" "$now_s" thrash $graphs
}

### A peak

# One that the stock plugin would cut off: it has a maximum of 100,000.
pages_per_s=150000

# Nobody else writes the counters from here on.
test_peak() {
	end_child KILL "$pump"
	page=$(getconf PAGESIZE)
	pages=2000000
	for _ in 1 2 3; do
		pages=$((pages + pages_per_s * step_s))
		write_vmstat $pages
		update
	done
	between thrash_swap-in $((now_s - step_s)) "$now_s" \
		"\$1 > 0.99 * $pages_per_s * $page && \$1 < 1.01 * $pages_per_s * $page" \
		"the peak of $pages_per_s pages/s is in the RRD, as bytes"
}

### Other nodes

test_async() {
	now_s=$(date +%s)
	munin_asyncd "$now_s"
	ok $? 'munin-asyncd fills its spool' || diag "$(cat "$WORK/asyncd.out")"
	update async.example
	for rrd in thrash_freezes-frozen thrash_swap-in thrash_stall-thrashing; do
		rrdtool lastupdate \
			/var/lib/munin/example/async.example-$rrd-?.rrd |
			grep -q '^[0-9]*: [0-9.]*$'
		ok $? "by munin-async the master gets $rrd"
	done
}

test_node_c() {
	if [ ! -x "$node_c" ]; then
		skip "needs munin-node-c; make deps"
		return
	fi
	{
		for graph in $graphs; do
			echo "config $graph"
			echo "fetch $graph"
		done
		echo quit
	} >"$WORK/questions"
	"$node_c" -d /etc/munin/plugins -D /etc/munin/plugin-conf.d \
		-H c.example <"$WORK/questions" >"$WORK/c"
	timeout 20 nc -N 127.0.0.1 4949 <"$WORK/questions" >"$WORK/perl"
	is "$(without_numbers <"$WORK/c")" "$(without_numbers <"$WORK/perl")" \
		'munin-node-c says the same as munin-node'
	update c.example
	like "$(rrdtool lastupdate \
		/var/lib/munin/example/c.example-thrash_swap-in-d.rrd)" \
		'^[0-9]*: [0-9]+$' 'and the master takes it'
}

# What is the same a moment later.
without_numbers() {
	sed '/^#/d; /\.extinfo /d; s/\(\.value\) .*/\1/'
}

inside_namespace() {
	host_begin && make_munin
	ok $? 'a host has been made' || exit 1
	now_s=$(($(date +%s) / step_s * step_s))
	test_configure
	test_munindoc
	test_node
	test_calm
	test_frozen
	test_gap
	test_pictures
	test_peak
	test_async
	test_node_c
	exit 0
}

"${1:-outside}"
