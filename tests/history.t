#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# What the report, the checks and the Munin plugins make of a history: of a
# made-up one, of a hostile one, and of one that a daemon has written.
cd "$(dirname "$0")/.." || exit 1
# shellcheck source=tests/lib.sh
. tests/lib.sh
# shellcheck source=tests/pretence-fixture.sh
. tests/pretence-fixture.sh
chmod 755 "$WORK"

### A daemon that freezes: in namespaces of its own, see below

# has_thawed HOW_MANY: by the history
has_thawed() {
	"$BIN/thrash-protect" --run-dir "$WORK/real" --report --json |
		grep -c '"is_over": true' >"$WORK/thawed"
	[ "$(cat "$WORK/thawed")" -ge "$1" ]
}

freeze_really() {
	begin_pretence || {
		skip 'counters of our own cannot be mounted here'
		return
	}
	"$BIN/thrash-protect" --config /dev/null --run-dir "$WORK/real" \
		--marker '' --use-psi no --interval 0.02 --calm 0.1 \
		--quantum 0.1 --freezer signal 2>"$WORK/real.log" &
	daemon=$!
	wait_for 5 grep -q ready "$WORK/real.log"
	begin_thrash
	wait_for 10 is_somebody_stopped
	ok $? 'somebody is frozen'
	run "$BIN/thrash-protect" --run-dir "$WORK/real" --report
	like "$out" '^ *[0-9]+ hog +[0-9]+ +[0-9.]+s\+ .* ago$' \
		'who is frozen is reported at once'
	like "$out" '^ +batch: [a-z]' 'with a reason'
	end_thrash
	wait_for 10 is_nobody_stopped
	wait_for 5 has_thawed 1
	ok $? 'that it is over is reported, too' || diag "$(cat "$WORK/real.log")"
	run "$BIN/thrash-protect" --run-dir "$WORK/real" --report
	like "$out" '^frozen       (1 process|2 processes), [1-9][0-9]* times?; at most [12] at once, and one for [0-9]' \
		'how many, how often and for how long'
	unlike "$out" '^thrashing    0\.000 s' 'and for how long it thrashed'
	run "$BIN/check_thrash_frozen" --run-dir "$WORK/real" --since 60
	like "$status $out" '^1 FROZEN WARNING: .*worst in [0-9.]* s.*: [12] frozen.*hog\[' \
		'a check that comes later still sees it'
	kill_both "$daemon"
	"$BIN/thrash-protect" --run-dir "$WORK/real" --thaw-all 2>/dev/null
	has_thawed 1
	ok $? 'so it is when the daemon was killed'
}

if [ "${1-}" = freeze_really ]; then
	freeze_really
	exit
fi

# The past of a host that was just started is short: then in a time namespace.
if [ "$(cut -d . -f 1 /proc/uptime)" -lt 4000 ]; then
	if [ -n "${THRASH_TEST_LATER-}" ] ||
		! unshare --time --boottime 9000 --fork true 2>/dev/null; then
		skip_all 'this host has not been up for an hour yet'
	fi
	THRASH_TEST_LATER=1 unshare --time --boottime 9000 --fork "$0"
	exit
fi

proc=$WORK/proc
run=$WORK/run
mkdir -p "$proc/sys/kernel/random" "$proc/pressure" "$run"
echo 0b8a6b48-0001-4000-8000-000000000001 >"$proc/sys/kernel/random/boot_id"
# make_counters MAJOR_FAULTS
make_counters() {
	printf 'pswpin 0\npswpout 0\npgmajfault %d\nworkingset_refault_file 1\n' \
		"$1" >"$proc/vmstat"
}
make_counters 9000
for one in '1 1 S' '4242 777 S'; do
	# shellcheck disable=SC2086 # words
	set -- $one
	mkdir "$proc/$1"
	echo "$1 (a) $3 1 $1 $1 0 -1 4194560 1 0 2 0 3 4 0 0 20 0 1 0 $2 9 25 1" \
		>"$proc/$1/stat"
done
# make_state: of a daemon that is there, and has frozen nobody
make_state() {
	cat >"$run/state" <<-END
		format 1
		version 1.0.0
		pid 4242
		pid_start_time 777
		boottime_ms $(awk '{ printf "%d", $1 * 1000 - 2000 }' /proc/uptime)
		fresh_for_ms 60000
		mode psi-trigger
		verdict calm
		freezes_total 9
		thaws_total 9
		pswpin 0
		pswpout 0
		pgmajfault 9000
		workingset_refault_file 1
		frozen_processes 0
		longest_frozen_ms 0
	END
}

# make_history: its lines are standard input
make_history() {
	rm -f "$run/history"
	"$TOOLS/chronicler" "$run" "$proc"
}

# calm FROM_S TO_S COUNTER: a record for each minute, whose counter of major
# faults grows by 60
calm() {
	seq "$1" -60 "$2" | awk -v all="$3" \
		'{ print "record", $1, 0, 0, 0, 0, 0, 0, 0, all + NR * 60, 0, 0, 0 }'
}

report() {
	run "$BIN/thrash-protect" --run-dir "$run" --proc "$proc" --report "$@"
}
frozen="$BIN/check_thrash_frozen --run-dir $run --proc $proc"
pressure="$BIN/check_thrash_pressure --run-dir $run --proc $proc --interval 0.1"
export THRASH_PROTECT_RUN_DIR="$run" THRASH_PROTECT_PROC="$proc"

### The report

report
is "$status $out" '1 ' 'without a history there is no report'
like "$err" "^thrash-protect: $run/history: No such file" 'with one line'
report --since 0
is "$status" 2 'no time at all is refused'
for since in 1x '' d -5 8d 1.5h 99999999999999999999d; do
	report "--since=$since"
	is "$status:$(echo "$err" | wc -l)" 2:1 "--since=$since is refused"
done
run "$BIN/thrash-protect" --since 5
is "$status" 2 '--since goes with --report only'

calm 3600 60 0 | make_history
report --since 59m
is "$status$err" 0 'an hour in which nothing happened is reported'
like "$out" '^thrashing    0\.000 s$' 'it did not thrash'
like "$out" '^memory       enough' 'there was memory enough'
like "$out" '^frozen       nobody$' 'nobody was frozen'
unlike "$out" 'not watched|PID' 'and it was watched all the time'

{
	calm 3600 2460 0
	# ten minutes of thrash, for six of which memory was lacking
	seq 2400 -10 1810 | awk '{
		lacks = NR > 24
		print "record", $1, 2, NR == 30 ? 3 : 1, NR == 40 ? 58200 : 900,
			lacks ? NR == 50 ? 831488 : 1024 : 0, lacks ? 10000 : 0,
			312, NR, 1200 + NR * 100, NR, NR * 1000000,
			NR * 10000000 }'
	calm 1800 60 7200 | awk '{ $9 = 60; $13 = 600000000 } 1'
	echo 'freeze 3500 79 1000 before'
	printf '%s\n' 'freeze 2450 77 2500 a)\012"\134b'
	echo 'freeze 2400 1234 58200 convert'
	echo 'freeze 2300 1234 1500 convert'
	echo 'freeze 2100 78 - still'
} >"$WORK/thrash"
make_history <"$WORK/thrash"
report --since 55m
like "$out" '^thrashing    10 min 0 s$' 'ten minutes of thrash are ten minutes'
like "$out" '^memory       too little for 6 min 0 s; at worst 812 MiB were lacking$' \
	'and so are the minutes in which memory was lacking, with how much'
like "$out" '^frozen       3 processes, 60 times; at most 3 at once, and one for 58\.200 s$' \
	'the worst of all is told'
like "$out" '^ *1234 convert +2 +59\.7s +58\.2s +256 +38m2[0-9]s ago$' \
	'who was frozen, how often, how long and when last'
like "$out" '^ +batch: there is no room for it$' 'and why'
like "$out" '^ *77 a\)\\012"\\134b +1 ' 'a name that could harm is escaped'
like "$out" '^ *78 still +1 +0\.0s\+' 'who may be frozen still is marked'
is "$(printf '%s\n' "$out" | awk 'length > 80')" '' \
	'it fits a terminal of 80 columns'
unlike "$out" 'before' 'who was frozen before is not told'
is "$(printf "%s\n" "$out" | awk 'NR > 5 && !/^ +batch/ {
	print $1 }' | tr '\n' ' ')" 'PID 1234 77 78 + ' \
	 'the longest comes first'
report --since 59m --json
if perl -MJSON::PP -e 1 2>/dev/null; then
	# shellcheck disable=SC2016 # variables of Perl
	is "$(printf '%s\n' "$out" | perl -MJSON::PP -e '
		$report = decode_json(join "", <STDIN>);
		print join " ", @$report{qw(lacked_kib lacked_ms thrash_ms
			longest_frozen_ms)}, scalar @{$report->{frozen}},
			map { $_->{command} } grep { $_->{pid} == 77 }
			@{$report->{frozen}}')" \
		'831488 360000 600000 58200 4 a)\012"\134b' \
		'as JSON it says the same'
else
	skip 'no JSON::PP: the report as JSON'
fi

# Somebody frozen for longer than is asked for, and not only before.
{
	echo 'record 600 0 0 0 0 0 0 0 0 0 0 0'
	echo 'record 60 2 1 500 0 0 500 1 0 0 0 0'
	echo 'record 1 2 1 59000 0 0 500 1 0 0 0 0'
	echo 'freeze 60 1234 - convert'
	echo 'freeze 700 77 - former'
} | make_history
report --since 10
like "$out" '^frozen       1 process, 0 times; at most 1 at once, and one for 59\.000 s$' \
	'who is frozen is so, however long ago it began'
like "$out" '^ *1234 convert ' 'and has a name'
unlike "$out" former 'but nobody of whom an earlier daemon left no end'

# The daemon off for twenty minutes.
{
	calm 3600 2400 0
	echo restart
	calm 1200 60 50000
} >"$WORK/off"
make_history <"$WORK/off"
report --since 59m
like "$out" '^not watched  (19|20) min' \
	'twenty minutes without a daemon are told'

### check_thrash_frozen

make_state
make_history <"$WORK/thrash"
run $frozen
is "$status" 0 'at this moment all is well'
unlike "$out" worst 'of which a check without --since speaks alone'
run $frozen --since 600
is "$status ${out%%:*}" '0 FROZEN OK' 'so it was for the last ten minutes'
like "$out" 'nothing is frozen; worst in 600 s: 0 frozen \| frozen=0;;;0 longest=0s;;;0 freezes=9c;;;0 frozen_worst=0;0;5;0 longest_worst=0s;90;300;0$' \
	'which the text and the performance data say'
run $frozen --since 3000
like "$status $out" '^1 FROZEN WARNING: nothing is frozen; worst in 3000 s: 3 frozen, longest 58\.2 s: convert\[1234\]' \
	'--since finds what was in between, with names'
like "$out" 'frozen_worst=3;0;5;0 longest_worst=58.2s;90;300;0$' \
	'and judges by the limits'
is "$(echo "$out" | grep -o 'convert' | wc -l)" 1 'a name is told once'
run $frozen --since 50m -c 2
is "$status" 2 'limits are of the worst'
run $frozen --since 3000 -v
like "$out" '^convert\[1234\]: was frozen for [0-9.]* s, method signal, class batch: there is no room for it$' \
	'-v tells of each how long and why'
make_history <"$WORK/off"
run $frozen --since 3000
like "$out" 'worst in 3000 s \([0-9.]* s watched\): 0 frozen' \
	'what nobody watched is told'
rm "$run/history"
run $frozen --since 60
like "$status $out" '^3 FROZEN UNKNOWN: nothing is frozen; no history: ' \
	'without a history the past is UNKNOWN'

### check_thrash_pressure

make_history <"$WORK/thrash"
make_state
run $pressure
like "$status $out" '^0 PRESSURE OK: .* major_faults=0;;;0' \
	'the pressure of this moment is none'
run $pressure --since 3000 --major-faults-warning 9
like "$status $out" '^1 PRESSURE WARNING: .*, the worst of 3000 s' \
	'the worst of some time is judged'
like "$out" 'major_faults=([1-9][0-9])(\.[0-9])?;9' 'by its rate'
run $pressure --since 600 --major-faults-warning 9
like "$status $out" '^0 ' 'and only of that time'
rm "$run/history"
run $pressure --since 600
like "$status $out" '^3 PRESSURE UNKNOWN: no history: ' \
	'without a history that is UNKNOWN'

### Munin

# slots FIELD: the times that are sent for it
slots() {
	printf '%s\n' "$out" | sed -n "s/^$1\\.value \\([0-9]*\\):.*/\\1/p"
}

# The master away: whatever it missed of the last hour is there.
make_history <"$WORK/thrash"
make_state
for plugin in majfault:pgmajfault swap:in freezes:frozen stall:thrashing; do
	field=${plugin#*:}
	run "$BIN/thrash_${plugin%:*}"
	is "$status$err" 0 "thrash_${plugin%:*} fetches with a history"
	slots "$field" >"$WORK/slots"
	count=$(wc -l <"$WORK/slots")
	[ "$count" -ge 11 ] && [ "$count" -le 13 ]
	ok $? "$field has each five minutes of an hour, and now" ||
		diag "$count: $out"
	is "$(sort -n "$WORK/slots" | uniq)" "$(cat "$WORK/slots")" \
		"their times rise"
	awk 'NR > 1 && $1 - last > 600 { exit 1 } { last = $1 }' "$WORK/slots"
	ok $? 'nothing that a master would show as a hole is between them'
	unlike "$out" '\.value [^:]*$' 'and none is without a time'
	now=$(date +%s)
	last=$(tail -n 1 "$WORK/slots")
	[ "$last" -le "$now" ] && [ "$last" -ge $((now - 5)) ]
	ok $? 'the last of them is now'
done
run "$BIN/thrash_freezes"
is "$(printf '%s\n' "$out" | sed -n 's/^frozen\.value [0-9]*://p' |
	sort -n | tail -n 1)" 3 'the most that were frozen are not missed'
is "$(printf '%s\n' "$out" | sed -n 's/^longest\.value [0-9]*://p' |
	sort -n | tail -n 1)" 58.200 'nor is the longest time'
# past: the values that have a time, but for those of now
past() {
	grep '\.value' | awk -F '[ :]' -v now="$(date +%s)" '$2 < now - 9'
}
is "$(MUNIN_CAP_DIRTYCONFIG=1 "$BIN/thrash_majfault" config | past)" \
	"$("$BIN/thrash_majfault" | past)" \
	'config has the same, if it is to have values'
is "$(backfill=0 "$BIN/thrash_majfault" | grep -c :)" 0 \
	'env.backfill 0 switches it off'
is "$(backfill=900 "$BIN/thrash_majfault" | grep -c '^pgmajfault')" 4 \
	'and others say how long'
is "$(backfill=x "$BIN/thrash_majfault" | grep -c '^pgmajfault')" \
	"$("$BIN/thrash_majfault" | grep -c '^pgmajfault')" \
	'a bad one is the default'

# The daemon off: a hole, of the master's making and not of ours.
make_history <"$WORK/off"
run "$BIN/thrash_freezes"
slots freezes | awk 'NR > 1 && $1 - last > 1000 { holes++ } { last = $1 }
	END { exit holes != 1 }'
ok $? 'where no daemon was nothing is sent'

# What the master makes of it, by its own tool.
if command -v rrdtool >/dev/null; then
	for case in thrash:0:9000 off:1:51200; do
		make_counters "${case##*:}"
		case=${case%:*}
		make_history <"$WORK/${case%:*}"
		run "$BIN/thrash_majfault"
		rm -f "$WORK/rrd"
		first=$(slots pgmajfault | head -n 1)
		last=$(slots pgmajfault | tail -n 1)
		rrdtool create "$WORK/rrd" --start $((first - 300)) --step 300 \
			DS:42:DERIVE:600:0:U RRA:AVERAGE:0.5:1:576
		printf '%s\n' "$out" | sed -n 's/^pgmajfault\.value //p' |
			xargs rrdtool update "$WORK/rrd"
		rrdtool fetch "$WORK/rrd" AVERAGE -s $((first + 300)) \
			-e $((last - 300)) | grep -v '^$\|42' >"$WORK/rates"
		# shellcheck disable=SC2046 # words
		set -- $(awk '/nan/ { if (!was) gaps++; was = 1; next }
			{ was = 0; if ($2 + 0 > most) most = $2 + 0 }
			END { print gaps + 0, most < 100 }' "$WORK/rates")
		is "$1" "${case#*:}" "rrdtool: gaps in the graph (${case%:*})"
		is "$2" 1 "rrdtool: no peak that was not there (${case%:*})" ||
			diag "$(cat "$WORK/rates")"
	done
else
	skip 'no rrdtool'
	skip 'no rrdtool'
	skip 'no rrdtool'
	skip 'no rrdtool'
fi

# The host was started anew.
make_history <"$WORK/thrash"
echo 0b8a6b48-0001-4000-8000-000000000002 >"$proc/sys/kernel/random/boot_id"
if [ "$(stat -f -c %T "$run")" = tmpfs ]; then
	skip 'what is in memory is of this boot'
else
	is "$("$BIN/thrash_majfault" | grep -c :)" 0 \
		'of an earlier boot, whose counters were others, nothing is sent'
	report
	is "$status" 1 'nor is it reported'
fi
echo 0b8a6b48-0001-4000-8000-000000000001 >"$proc/sys/kernel/random/boot_id"

### What is no history

# harmless NAME
harmless() {
	run timeout 5 "$BIN/thrash_majfault"
	is "$status:$(printf '%s\n' "$out" | grep -c :)" 0:0 \
		"$1 as history does not stop a graph"
	# shellcheck disable=SC2086 # words
	run timeout 5 $frozen --since 60
	is "$status" 3 "$1 is UNKNOWN to a check"
	run timeout 5 "$BIN/thrash-protect" --run-dir "$run" --proc "$proc" \
		--report
	is "$status:$out:$(echo "$err" | wc -l)" 1::1 "$1 is no report"
}
rm "$run/history"
mkfifo "$run/history"
harmless 'a FIFO'
rm "$run/history"
"$TOOLS/chronicler" "$WORK" "$proc" </dev/null
ln -s "$WORK/history" "$run/history"
harmless 'a link'
rm "$run/history"
mkdir "$run/history"
harmless 'a directory'
rmdir "$run/history"
head -c 2290944 /dev/urandom >"$run/history"
harmless rubbish
rm "$run/history"
calm 3600 60 0 | make_history
truncate -s -1 "$run/history"
harmless 'one that is cut'
calm 3600 60 0 | make_history
chmod 666 "$run/history"
harmless 'one that anybody can write'

### Whose it is

as_user() {
	as_user_id=$1
	shift
	setpriv --reuid "$as_user_id" --regid "$as_user_id" --clear-groups "$@"
}

# Whether root and two users believe the history in $given.
is_believed_by_all() {
	for reader in 0 65534 65533; do
		run as_user "$reader" "$BIN/thrash-protect" --run-dir "$given" \
			--proc "$proc" --report --since 55m
		like "$status $out" '1234 convert' \
			"user $reader believes $1: the report"
		run as_user "$reader" "$BIN/check_thrash_frozen" \
			--run-dir "$given" --proc "$proc" --since 3000
		like "$out" 'worst in 3000 s: 3 frozen, .*convert\[1234\]' \
			"user $reader believes $1: a check"
		is "$(as_user "$reader" env THRASH_PROTECT_RUN_DIR="$given" \
			"$BIN/thrash_freezes" | grep -c '^frozen\.value .*:3$')" \
			1 "user $reader believes $1: a graph"
	done
}

is_believed_by_nobody_else() {
	for reader in 0 65533; do
		run as_user "$reader" "$BIN/thrash-protect" --run-dir "$given" \
			--proc "$proc" --report --since 55m
		is "$status:$out" 1: "user $reader does not believe $1"
		like "$err" "^thrash-protect: $given.*: others than root can write" \
			'and says why'
		run as_user "$reader" "$BIN/check_thrash_frozen" \
			--run-dir "$given" --proc "$proc" --since 3000
		is "$status" 3 "to a check of user $reader it is UNKNOWN"
		unlike "$out" convert 'which names nobody'
		is "$(as_user "$reader" env THRASH_PROTECT_RUN_DIR="$given" \
			"$BIN/thrash_majfault" | grep -c :)" 0 \
			"and to a graph of user $reader it is none"
	done
}

# plant USER: the history of a thrash, by that user's daemon
plant() {
	rm -f "$given/history"
	as_user "$1" "$TOOLS/chronicler" "$given" "$proc" <"$WORK/thrash"
}

test_owners() {
	given=$WORK/given
	mkdir "$given"
	cp "$run/state" "$given/state"
	chown 65534 "$given" "$given/state"
	plant 65534
	is "$(stat -c %u%a "$given/history")" 65534644 \
		'a daemon that is not root has a history of its own'
	is_believed_by_all 'what is of the user to whom root gave the directory'
	as_user 0 chown 0 "$given/history"
	is_believed_by_all "root's own there"
	chown 65532 "$given/history"
	is_believed_by_nobody_else "another user's there"
	plant 65534
	mkdir "$WORK/open"
	chmod 1777 "$WORK/open"
	mv "$given" "$WORK/open/given"
	given=$WORK/open/given
	is_believed_by_nobody_else 'what lies where anybody can put it'
	rm -r "$WORK/open"
	mkdir "$WORK/another"
	chown 65532 "$WORK/another"
	given=$WORK/another/given
	as_user 65532 mkdir "$given"
	plant 65532
	is_believed_by_nobody_else 'what lies where another user can put it'
	rm -r "$WORK/another"
}

# A real one, with the kernel's own counters.
test_daemon_of_a_user() {
	mkdir "$WORK/users"
	chown 65534 "$WORK/users"
	# not by as_user, of which the shell would make a process of its own
	setpriv --reuid 65534 --regid 65534 --clear-groups \
		"$BIN/thrash-protect" --config /dev/null --dry-run \
		--run-dir "$WORK/users" --marker '' 2>"$WORK/log" &
	daemon=$!
	at_exit "kill $daemon 2>/dev/null"
	wait_for 5 grep -q ready "$WORK/log"
	ok $? 'a daemon that is not root begins' || diag "$(cat "$WORK/log")"
	wait_for 5 test -s "$WORK/users/history"
	is "$(stat -c %u%a "$WORK/users/history")" 65534644 \
		'and keeps a history'
	for reader in 0 65533; do
		run as_user "$reader" "$BIN/thrash-protect" --report \
			--run-dir "$WORK/users"
		is "$status$err" 0 "of which user $reader gets a report"
		run as_user "$reader" "$BIN/check_thrash_frozen" --since 60 \
			--run-dir "$WORK/users" --proc /proc -w 9 --longest-warning 9
		like "$status $out" '^0 .*worst in ' \
			"by which user $reader gets a check's result"
	done
	end_child TERM "$daemon"
}

if [ "$(id -u)" -eq 0 ] && setpriv --version >/dev/null 2>&1; then
	test_owners
	(
		unset THRASH_PROTECT_PROC THRASH_PROTECT_RUN_DIR
		test_daemon_of_a_user
	)
else
	skip 'to be several users takes root and setpriv'
fi

### A daemon

# begin_daemon: a dry run in a directory of ours
begin_daemon() {
	: >"$WORK/log"
	"$BIN/thrash-protect" --config /dev/null --dry-run --run-dir "$run" \
		--marker '' 2>"$WORK/log" &
	daemon=$!
	at_exit "kill $daemon 2>/dev/null"
	wait_for 5 grep -q ready "$WORK/log"
}
unset THRASH_PROTECT_PROC
rm -f "$run/history" "$run/state"
ln -s "$WORK/victim" "$run/history"
begin_daemon
is "$(grep -c 'history is begun anew: it is not a file' "$WORK/log")" 1 \
	'what is no history is replaced, with one warning'
is "$(stat -c %a%F "$run/history")" '644regular file' 'by one for all to read'
[ ! -e "$WORK/victim" ]
ok $? 'and no link is followed'
run "$BIN/thrash-protect" --run-dir "$run" --report --json
is "$status$err" 0 'there is a report at once'
kill_both "$daemon"
before=$(cksum <"$run/history")
begin_daemon
is "$(grep -c history "$WORK/log")" 0 'after kill -9 the next one goes on'
wait_for 1 false
[ "$before" != "$(cksum <"$run/history")" ]
ok $? 'and writes'
kill -HUP "$daemon"
wait_for 5 sh -c "[ \$(grep -c ready '$WORK/log') = 2 ]"
is "$(grep -c history "$WORK/log")" 0 'so it does over a reload'
end_child TERM "$daemon"
[ -e "$run/history" ]
ok $? 'when the daemon ends the history stays'
is "$(stat -c %s "$run/history")" 2290944 'in its size'

if [ "$(id -u)" -ne 0 ] ||
	! unshare --pid --fork --mount-proc true 2>/dev/null; then
	skip 'to freeze somebody takes root and namespaces'
else
	unset THRASH_PROTECT_RUN_DIR
	in_pretence "$0" freeze_really
	wait $!
	is $? 0 'the tests inside the namespace have come to their end'
fi

done_testing
