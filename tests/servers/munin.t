#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# The plugins behind real Munin nodes and a real master, which gathers, warns
# and draws, with plugins/munin/examples/plugin-conf, while a daemon freezes
# real processes, and is away for a while.  What it all came to is read back
# from the RRDs; the pictures are kept in build/artifacts.
#
# Two hours of Munin's time go by: its master is told what time it is.  The
# plugins are not, so they send nothing of the past meanwhile; that is tested
# afterwards, with a made-up hour.
# shellcheck disable=SC2016 # $1 is a field of awk's
cd "$(dirname "$0")/../.." || exit 1
# shellcheck source=tests/lib.sh
. tests/lib.sh
# shellcheck source=tests/servers/lib.sh
. tests/servers/lib.sh
# shellcheck source=tests/servers/host-fixture.sh
. tests/servers/host-fixture.sh

# A host that was just started has had no such hour: then in a time namespace.
if [ "$(cut -d . -f 1 /proc/uptime)" -lt 9000 ] &&
	unshare --time --boottime 9000 --fork true 2>/dev/null; then
	exec unshare --time --boottime 9000 --fork "tests/servers/${0##*/}"
fi

graphs='thrash_freezes thrash_majfault thrash_stall thrash_swap'
node_c=/var/cache/thrash-protect-tests/munin-node-c/usr/sbin/munin-node-c
step_s=300

outside() {
	servers_need munin-node munin-node-configure rrdtool faketime nc perl ip
	[ -x /usr/share/munin/munin-update ] || skip_all 'needs munin'
	[ -x /usr/share/munin/munin-async ] || skip_all 'needs munin-async'
	host_outside
}

### Munin on this host

# Nothing of this host's Munin is read, and nothing is changed.
make_munin() {
	for place in /etc/munin/plugins /etc/munin/plugin-conf.d \
		/usr/share/munin/plugins /var/lib/munin-node /var/lib/munin \
		/var/lib/munin-async /var/cache/munin/www /var/log/munin; do
		mount -t tmpfs -o mode=755 none $place || return
	done
	mkdir -p /run/munin /var/lib/munin-node/plugin-state
	cp "$BIN"/thrash_* /usr/share/munin/plugins &&
		cp plugins/munin/examples/plugin-conf \
			/etc/munin/plugin-conf.d/thrash-protect
	printf '[thrash_*]\nenv.backfill 0\n' >/etc/munin/plugin-conf.d/zz
	chown munin /run/munin /var/lib/munin /var/cache/munin/www /var/log/munin
	chown munin-async /var/lib/munin-async
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
	# shellcheck disable=SC2016 # for Munin
	cat >/run/munin.conf <<END
dbdir /var/lib/munin
htmldir /var/cache/munin/www
logdir /var/log/munin
rundir /run/munin
tmpldir /etc/munin/templates
staticdir /etc/munin/static
graph_strategy cron
html_strategy cron
contact.tester.command cat >>/run/munin/alerts
contact.tester.text \${var:host} \${var:graph_title}: \
\${loop< >:cfields CRITICAL \${var:label} is \${var:value} \${var:extinfo}} \
\${loop< >:wfields WARNING \${var:label} is \${var:value} \${var:extinfo}}
[host.example]
 address 127.0.0.1
[away.example]
 address 127.0.0.1
 use_node_name yes
[c.example]
 address cmd://$node_c -H c.example -d /etc/munin/plugins -D /etc/munin/plugin-conf.d
[async.example]
 address cmd:///usr/share/munin/munin-async --spooldir /var/lib/munin-async --spoolfetch --hostname host.example
END
}

# at SECOND COMMAND...: of the master, which believes that it is that late
at() {
	late=$(date -u -d "@$1" '+@%Y-%m-%d %H:%M:%S')
	shift
	timeout 60 setpriv --reuid munin --regid munin --init-groups env -i \
		"PATH=$PATH" HOME=/run/munin XDG_CACHE_HOME=/run/munin \
		LC_ALL=C TZ=UTC faketime -f "$late" "$@" --config /run/munin.conf
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

# values FIELD FROM TO [HOST]: what the RRD has of those five minutes
values() {
	for rrd in "/var/lib/munin/example/${4-host.example}-$1"-?.rrd; do
		rrdtool fetch "$rrd" AVERAGE -s "$2" -e "$(($3 - 1))" |
			sed -n 's/^[0-9]*: //p'
	done
}

# all_are CONDITION: of awk's, and there is one
all_are() {
	awk "{ seen = 1 } !($1) { bad = 1 } END { exit bad || !seen }"
}

# between FIELD FROM TO CONDITION NAME [HOST]
between() {
	values "$1" "$2" "$3" ${6+"$6"} >"$WORK/values"
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

node_start() {
	start_server node env -i "PATH=$PATH" munin-node \
		--config /run/munin-node.conf --foreground
	node=$server
	wait_for 20 is_listening 4949
}

test_node() {
	node_start
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

### An hour without the master, and the daemon off for twenty minutes of it

# A record of the history for each minute: calm FROM_S TO_S, seconds ago
calm() {
	seq "$1" -60 "$2" | awk '{
		print "record", $1, 0, 0, 0, 0, 0, 0, 0, 5000 - $1, 5000 - $1 }'
}

# From 1400 to 800 seconds ago, by the ten seconds that the daemon has them.
make_hour() {
	calm 3600 3000
	echo restart
	calm 1800 1460
	seq 1400 -10 810 | awk '{ print "record", $1, 2, 4, 12000, 0, 0, 500,
		NR, 5000 - $1, 5000 - $1, NR * 5000000, NR * 10000000 }'
	calm 800 60 | awk '{ $9 = 59; $12 = 295000000; $13 = 590000000 } 1'
}

test_away() {
	stop_server "$node"
	rm /etc/munin/plugin-conf.d/zz /run/thrash-protect/history
	end_child TERM "$daemon"
	write_vmstat 5000
	node_start
	real_s=$(date +%s)
	now_s=$((real_s - 3600 - step_s))
	update away.example
	make_hour | "$TOOLS/chronicler" /run/thrash-protect /proc
	ok $? 'an hour is made up' || diag "$(cat "$WORK/node.out")"
	munin_daemon_start
	now_s=$((real_s - step_s))
	update away.example
	for field in freezes-frozen swap-in majfault-pgmajfault; do
		between_away $field 2700 2100 '/nan/' \
			"where the daemon was off $field has a gap"
		between_away $field 1500 300 '!/nan/' \
			"and none where only the master was away"
	done
	# five minutes that are wholly in it
	between_away freezes-frozen 1100 1099 '$1 > 3.9' \
		'what was frozen while the master was away is in the RRD'
	between_away freezes-longest 1100 1099 '$1 > 11.9' 'and how long'
	between_away stall-thrashing 1100 1099 '$1 > 0' 'and the thrash'
	draw away.example $((real_s - 3600)) "$real_s" away \
		thrash_freezes thrash_majfault thrash_swap
}

# between_away FIELD FROM_AGO TO_AGO CONDITION NAME
between_away() {
	between "thrash_$1" $((real_s - $2)) $((real_s - $3)) "$4" "$5" \
		away.example
}

### Other nodes

test_async() {
	start_server asyncd setpriv --reuid munin-async --regid munin-async \
		--init-groups env -i "PATH=$PATH" \
		/usr/share/munin/munin-asyncd --host 127.0.0.1:4949 \
		--spool /var/lib/munin-async
	wait_for 20 spool_is_filled
	ok $? 'munin-asyncd fills its spool' || diag "$(cat "$WORK/asyncd.out")"
	now_s=$(date +%s)
	update async.example
	for rrd in thrash_freezes-frozen thrash_swap-in thrash_stall-thrashing; do
		rrdtool lastupdate \
			/var/lib/munin/example/async.example-$rrd-?.rrd |
			grep -q '^[0-9]*: [0-9.]*$'
		ok $? "by munin-async the master gets $rrd"
	done
}

spool_is_filled() {
	set -- /var/lib/munin-async/munin-daemon.thrash_*
	[ $# -eq 4 ]
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
	test_away
	test_async
	test_node_c
	exit 0
}

"${1:-outside}"
