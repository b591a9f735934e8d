#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# The Nagios checks against made-up hosts and states, hostile ones too.
# shellcheck disable=SC2086 # commands are words in variables
cd "$(dirname "$0")/.." || exit 1
umask 022
PATH=$PATH:/usr/sbin:/sbin
build=${BUILD:-build}
case $build in
/*) ;;
*) build=$PWD/$build ;;
esac
bin=$build/bin
checks='check_thrash_frozen check_thrash_marker check_thrash_pressure'
for check in $checks; do
	if [ ! -x "$bin/$check" ]; then
		echo "Bail out! no $bin/$check"
		exit 1
	fi
done
unset THRASH_PROTECT_RUN_DIR THRASH_PROTECT_PROC THRASH_PROTECT_MARKER
tmp=$(mktemp -d) || exit 1
trap 'rm -rf "$tmp"' EXIT
trap 'exit 1' HUP INT TERM
chmod 755 "$tmp" # checks run as nobody too

tests=0
failures=0

# ok EXIT_CODE NAME
ok() {
	tests=$((tests + 1))
	if [ "$1" -eq 0 ]; then
		echo "ok $tests - $2"
	else
		echo "not ok $tests - $2"
		failures=$((failures + 1))
	fi
}

skip() {
	tests=$((tests + 1))
	echo "ok $tests # SKIP $1"
}

is_root() {
	[ "$(id -u)" = 0 ]
}

# run COMMAND...: its output and exit code
run() {
	out=$("$@" 2>"$tmp/errors" </dev/null)
	code=$?
	[ -s "$tmp/errors" ] && out="$out (on stderr: $(cat "$tmp/errors"))"
}

# said CODE PATTERN NAME: what the last run said, on one line
said() {
	# shellcheck disable=SC2254 # it is a pattern
	case $code:$out in
	*"
"*) ok 1 "$3" ;;
	$1:$2) ok 0 "$3" ;;
	*) ok 1 "$3" ;;
	esac
	[ "$passed" = "$failures" ] ||
		printf '%s\n' "exit code $code, wanted $1:" "$out" "wanted:" \
			"$2" | sed 's/^/# /'
	passed=$failures
}
passed=0

# lines PATTERN NAME: what follows the first line
lines() {
	rest=$(printf '%s\n' "$out" | tail -n +2)
	# shellcheck disable=SC2254 # it is a pattern
	case $rest in
	$1) ok 0 "$2" ;;
	*)
		ok 1 "$2"
		printf '%s\n' "got:" "$rest" "wanted:" "$1" | sed 's/^/# /'
		;;
	esac
	passed=$failures
}

# make_process DIRECTORY PID START_TIME STATE GROUP SESSION FLAGS COMMAND
make_process() {
	mkdir -p "$1/$2"
	printf '%s (%b) %s 1 %s %s 0 -1 %s 1 0 2 0 3 4 0 0 20 0 1 0 %s 9 25 1\n' \
		"$2" "$8" "$4" "$5" "$6" "$7" "$3" >"$1/$2/stat"
}

pressure() {
	echo "some avg10=0.00 avg60=1.25 avg300=0.05 total=$1"
	echo "full avg10=0.00 avg60=0.00 avg300=0.00 total=$1"
}

# make_counters FILE IN OUT FAULTS ANON FILE
make_counters() {
	cat >"$1.new" <<-END
		nr_free_pages 12345
		workingset_refault_anon $5
		workingset_refault_file $6
		pswpin $2
		pswpout $3
		pgfault 99
		pgmajfault $4
	END
	mv "$1.new" "$1"
}

# A host whose daemon has pid 4242 and started at 777.
proc=$tmp/proc
mkdir -p "$proc/pressure"
make_process "$proc" 1 1 S 1 1 4194560 'init'
make_process "$proc" 4242 777 S 4242 4242 4194560 'thrash-protect'
make_counters "$proc/vmstat" 5000 6000 7000 8000 9000
pressure 3000000 >"$proc/pressure/memory"
pressure 4000000 >"$proc/pressure/io"

# boottime SECONDS: that long ago, in ms
boottime() {
	awk -v ago="$1" '{ printf "%d", ($1 - ago) * 1000 }' /proc/uptime
}

# make_state DIRECTORY SECONDS_AGO LONGEST_MS [FROZEN_LINE...]: the numbers of
# the daemon can be set before
make_state() {
	directory=$1 ago=$2 longest=$3
	shift 3
	mkdir -p "$directory"
	{
		cat <<-END
			format 1
			version 1.0.0
			pid ${pid:-4242}
			pid_start_time ${start_time:-777}
			boottime_ms $(boottime "$ago")
			fresh_for_ms ${fresh_for:-60000}
			mode psi-trigger
			verdict thrashing
			freezes_total 12
			pswpin ${swapped_in:-5000}
			pswpout 6000
			pgmajfault 7000
			workingset_refault_anon 8000
			workingset_refault_file 9000
			memory_some_us ${stalled:-3000000}
			memory_full_us 0
			io_some_us 4000000
			io_full_us 0
			a_later_name x
			frozen_processes $#
			longest_frozen_ms $longest
		END
		printf 'frozen %s\n' "$@" | sed '/^frozen $/d'
	} >"$directory/state"
}

frozen="$bin/check_thrash_frozen --proc $proc"
marker="$bin/check_thrash_marker --proc $proc"
pressure="$bin/check_thrash_pressure --proc $proc"

### what all have in common

for check in $checks; do
	name=$(echo "${check#check_thrash_}" | tr '[:lower:]' '[:upper:]')
	for option in -V --version; do
		run "$bin/$check" $option
		said 3 "$check [0-9]*" "$check $option tells the version"
	done
	for option in -h --help; do
		run "$bin/$check" $option
		long=$(printf '%s\n' "$out" | awk 'length > 79' | wc -l)
		height=$(printf '%s\n' "$out" | wc -l)
		case $code:$long:$out in
		3:0:"$check "*--warning*--critical*--timeout*--run-dir*) ok 0 \
			"$check $option tells the options within 79 columns" ;;
		*) ok 1 "$check $option tells the options within 79 columns" ;;
		esac
		[ "$height" -le 24 ]
		ok $? "$check $option fits on a screen"
	done
	for bad in '-w abc' '-w 5:4' '-c 10%' '--warning=' '-w' '--nonesuch' \
		'-x' 'argument' '-t 0' '-t x' '-hV' '-w 1e1' '-c inf' \
		"-w a|b=1" '--version=2'; do
		run "$bin/$check" $bad
		said 3 "$name UNKNOWN: [!|]*" "$check $bad is refused"
		case $out in
		*'|'*) ok 1 "and without performance data" ;;
		*) ok 0 "and without performance data" ;;
		esac
	done
	run "$bin/$check" "$(printf 'two\nlines')"
	said 3 "$name UNKNOWN: *two?lines*" "$check: a newline stays harmless"
	run "$bin/$check" --proc "$tmp/none"
	said 3 "$name UNKNOWN: $tmp/none: No such file or directory" \
		"$check tells that there is no /proc"
	run "$bin/$check" --proc "$(printf '/x|\nOK')"
	said 3 "$name UNKNOWN: /x??OK: No such file*" \
		"$check shows no path that could be more than a path"
	"$bin/$check" -t 2 >/dev/full 2>/dev/null
	[ $? -eq 3 ]
	ok $? "$check is UNKNOWN when nobody can have read its answer"
done

### check_thrash_frozen

state=$tmp/frozen
frozen="$frozen --run-dir $state"
make_state "$state" 2 0
run $frozen
said 0 "FROZEN OK: nothing is frozen | frozen=0;0;5;0 longest=0s;90;300;0 freezes=12c;;;0" \
	"nothing frozen is OK"
make_state "$state" 2 1500 '10 5 1500 signal batch convert' \
	'11 6 800 signal service java'
run $frozen
said 1 "FROZEN WARNING: 2 frozen, longest 3.[5-9]* s: convert\[10] java\[11] | frozen=2;0;5;0 longest=3.*s;90;300;0 freezes=12c;;;0" \
	"something frozen is a WARNING and has names; its time goes on"
run $frozen -w 2 -c 3
said 0 "FROZEN OK: 2 frozen*" "up to -w it is OK"
run $frozen -w 1 -c 1
said 2 "FROZEN CRITICAL: 2 frozen* | frozen=2;1;1;0 *" \
	"above -c it is CRITICAL"
run $frozen -w @2:3 -c '~:9'
said 1 "FROZEN WARNING: * | frozen=2;;9;0 *" \
	"a limit that Icinga cannot read is not in the performance data"
run $frozen -w 9 -c 9 --longest-warning 3
said 1 "FROZEN WARNING: * longest=3*s;3;300;0 *" \
	"one that waits for long is a WARNING"
run $frozen -w 9 -c 9 --longest-critical=3.25
said 2 "FROZEN CRITICAL: * longest=3*s;90;3.25;0 *" \
	"one that waits for too long is CRITICAL"
run $frozen -v
lines "convert\[10]: frozen for [34].* s, method signal, class batch
java\[11]: frozen for [23].* s, method signal, class service" \
	"-v lists who is frozen, how long, how and as what"
run $frozen -vv
lines "daemon 4242, 1.0.0, mode psi-trigger, verdict thrashing
convert*" "-vv tells of the daemon"
run $frozen -v -v -v
lines "*
run directory $state, proc $proc" "-vvv tells where it looked"

many=
for i in 1 2 3 4 5 6; do
	many="$many|$i 5 1500 signal batch a-command-$i"
done
IFS='|'
make_state "$state" 2 1500 ${many#|}
unset IFS
run $frozen
said 2 "FROZEN CRITICAL: 6 frozen, longest 3.* a-command-2\[2]* ... | frozen=6;0;5;0 *" \
	"of many only some are named in the first line"
run $frozen -v
lines "*a-command-1*a-command-2*a-command-3*a-command-4*a-command-5*a-command-6*" \
	"and all with -v"
make_state "$state" 2 1500 '10 5 1500 signal batch a|b=9\012\044(x)'
run $frozen
said 1 "FROZEN WARNING: 1 frozen, * s: a\\\\174b=9\\\\012\\\\044(x)\[10] | frozen=1;*" \
	"a hostile command can neither end the line nor add performance data"
run $frozen -v
lines "a\\\\174b=9\\\\012\\\\044(x)\[10]: frozen*" "nor in the long output"
make_state "$state" 2 1500 '10 5 1500 dry-run batch convert'
run $frozen
said 1 "FROZEN WARNING: 1 in a dry run, longest*" "a dry run is called one"

make_state "$state" 200 1500 '10 5 1500 signal batch convert'
run $frozen
said 2 "FROZEN CRITICAL: the daemon has been silent for 20? s; it had frozen: convert\[10]" \
	"a silent daemon is CRITICAL"
make_state "$state" 100 0
run $frozen
said 0 "FROZEN OK:*" "one that is not overdue is not"
pid=4343
make_state "$state" 2 0
run $frozen
said 2 "FROZEN CRITICAL: the daemon (pid 4343) is gone" \
	"a daemon that is gone is CRITICAL"
pid=4242 start_time=778
make_state "$state" 2 0
run $frozen
said 2 "FROZEN CRITICAL: the daemon (pid 4242) is gone" \
	"also when its pid belongs to another process"
for status in ok:0 warning:1 critical:2 unknown:3; do
	run $frozen --no-daemon "${status%:*}"
	said "${status#*:}" "FROZEN * the daemon (pid 4242) is gone" \
		"--no-daemon=${status%:*} makes it that"
done
run $frozen --no-daemon dead
said 3 "FROZEN UNKNOWN: option --no-daemon: *" "and nothing else"
unset pid start_time
make_state "$state" 2 0
mkdir "$tmp/hidden"
run $frozen --proc "$tmp/hidden"
said 0 "FROZEN OK:*" "where /proc hides the daemon its state's age counts"
rm "$state/state"
run $frozen
said 2 "FROZEN CRITICAL: the daemon is not running ($state/state: No such file or directory)" \
	"a host without state file has no daemon"
run $frozen --run-dir "$tmp/none" --no-daemon=ok
said 0 "FROZEN OK: the daemon is not running ($tmp/none: No such file or directory)" \
	"nor has one without the directory"

# UNKNOWN NAME PATTERN: what lies there now cannot be judged, by any option
unknown() {
	run timeout 5 $frozen --no-daemon=ok
	said 3 "FROZEN UNKNOWN: $2" "$1 is UNKNOWN"
	run timeout 5 $pressure --run-dir "$state" --interval 0.1
	said 0 "PRESSURE OK: *" "and no obstacle to check_thrash_pressure"
}

mkfifo "$state/state"
unknown "a FIFO as state file" "*Invalid argument"
rm "$state/state"
make_state "$tmp/elsewhere" 2 0
ln -s "$tmp/elsewhere/state" "$state/state"
unknown "a link as state file" "*symbolic links"
rm "$state/state"
mkdir "$state/state"
unknown "a directory as state file" "*"
rmdir "$state/state"
make_state "$state" 2 0
chmod 666 "$state/state"
unknown "a state that anybody can write" "*others than root can write*"
chmod 644 "$state/state"
chmod 777 "$state"
unknown "a state in a directory that anybody can write" \
	"*others than root can write*"
chmod 755 "$state"
head -c 70000 /dev/zero | tr '\0' x >>"$state/state"
unknown "a huge state" "*File too large"
echo 'format 2' >"$state/state"
unknown "a state of another format" "*not of format 1"
printf 'format 1\nfrozen_processes 9999\n' >"$state/state"
unknown "half a state" "*no line version"
head -c 3000 /dev/urandom >"$state/state"
unknown "a state of rubbish" "*"
: >"$state/state"
unknown "an empty state" "*"
make_state "$state" 2 0
if is_root; then
	chown 12345 "$state/state"
	unknown "somebody else's state" "*others than root can write*"
	chown 0 "$state/state"
	nobody="setpriv --reuid 65534 --regid 65534 --clear-groups"
	chmod 700 "$state"
	run $nobody $frozen --no-daemon=ok
	said 3 "FROZEN UNKNOWN: $state: Permission denied" \
		"a directory that may not be read is UNKNOWN, not: no daemon"
	chmod 755 "$state"
	chmod 600 "$state/state"
	run $nobody $frozen --no-daemon=ok
	said 3 "FROZEN UNKNOWN: $state/state: Permission denied" \
		"and so is a file that may not be read"
	chmod 644 "$state/state"
	run $nobody $frozen
	said 0 "FROZEN OK:*" "nobody may read the state of root"
else
	skip "needs root: states of other users"
fi
run env THRASH_PROTECT_RUN_DIR="$state" THRASH_PROTECT_PROC="$proc" \
	"$bin/check_thrash_frozen"
said 0 "FROZEN OK:*" "the environment says where to look"
run env THRASH_PROTECT_RUN_DIR="$tmp/none" $frozen
said 0 "FROZEN OK:*" "and the command line wins over it"
run env THRASH_PROTECT_PROC= "$bin/check_thrash_frozen" --run-dir "$state" \
	--no-daemon=ok
said 0 "FROZEN OK: the daemon (pid 4242) is gone" "nothing in the environment means nothing"

make_process "$proc" 50 5 T 50 50 4194560 'tracked'
make_process "$proc" 51 5 T 51 51 4194560 'orph|an\n'
make_process "$proc" 52 5 T 52 40 4194560 'job'
make_process "$proc" 53 5 t 53 53 4194560 'traced'
make_process "$proc" 54 5 S 54 54 4194560 'sleeper'
make_process "$proc" 55 5 T 0 0 2097216 'kthread'
make_state "$state" 2 100 '50 5 100 signal batch tracked'
run $frozen --orphans
said 1 "FROZEN WARNING: 1 frozen, *: tracked\[50]; orphans: orph\\\\174an\\\\012\[51] | frozen=1;0;5;0 * orphans=1;0;5;0" \
	"an orphan is stopped, not tracked and no job of a shell"
make_state "$state" 2 100 '50 6 100 signal batch tracked'
run $frozen --orphans
said 1 "FROZEN WARNING: *; orphans: tracked\[50] * orphans=2;*" \
	"what was tracked had the same start time"
printf 'format 1\nfrozen_processes 999999\n' >"$state/state"
run $frozen --orphans
said 3 "FROZEN UNKNOWN: *no line version; orphans: tracked*| orphans=2;0;5;0" \
	"half a state does no harm to the search for orphans"
make_state "$state" 2 100 '50 5 100 signal batch tracked'
run $frozen --orphans -w 9 -c 9
said 0 "FROZEN OK: *orphans=1;9;9;0" "orphans are judged by -w and -c"
run $frozen --orphans -v
lines "tracked*
orph\\\\174an\\\\012\[51]: stopped, and no daemon tracks it" "-v lists orphans"
pid=4343
make_state "$state" 2 100 '50 5 100 signal batch tracked'
unset pid
run $frozen --orphans --no-daemon=ok -w 1
said 2 "FROZEN CRITICAL: the daemon*gone; it had frozen: tracked\[50]; orphans: tracked\[50] ... | orphans=2;1;5;0" \
	"what a dead daemon left stopped is an orphan"
make_state "$state" 2 0
rm -r "$proc/5"?
run $frozen --orphans
said 0 "FROZEN OK: nothing is frozen; orphans: none | * orphans=0;0;5;0" \
	"no orphans are told too"
run $frozen --orphans --proc "$tmp/hidden"
said 3 "FROZEN UNKNOWN: *orphans: hidden by the options of /proc | frozen=0;*" \
	"where /proc hides processes orphans are UNKNOWN"
cat >"$tmp/hidepid" <<-END
	mount -t proc -o hidepid=2 proc $tmp/hidden || exit 9
	setpriv --reuid 65534 --regid 65534 --clear-groups \
		$frozen --proc $tmp/hidden --orphans
END
# a namespace of its own: hidepid is an option of all mounts of one
if is_root && unshare --pid --fork --mount true 2>/dev/null; then
	run unshare --pid --fork --mount sh "$tmp/hidepid"
	said 3 "FROZEN UNKNOWN: *orphans: hidden by the options of /proc*" \
		"so it is with a real hidepid=2"
else
	skip "needs root and namespaces: a real hidepid=2"
fi

### check_thrash_marker

state=$tmp/state
file=$tmp/tmp/marker
mkdir "$tmp/tmp"
marker="$marker --run-dir $state --marker $file"
run $marker
said 0 "MARKER OK: nothing is frozen | age=0s;5;60;0" \
	"without a marker it is OK, also without a daemon"
touch "$file"
run $marker
said 0 "MARKER OK: frozen for 0* s; the daemon is not running* | age=0*s;5;60;0" \
	"a new marker is OK"
touch -d '10.4 seconds ago' "$file"
run $marker
said 1 "MARKER WARNING: frozen for 10.[4-9]* s; the daemon is not running* | age=10.*s;5;60;0" \
	"a marker older than -w is a WARNING"
run $marker -w 20
said 0 "MARKER OK: frozen for 1* s; * | age=1*s;20;60;0" "unless -w is higher"
touch -d '100 seconds ago' "$file"
run $marker
said 2 "MARKER CRITICAL: frozen for 10* | age=10*s;5;60;0" \
	"a marker older than -c is CRITICAL"
make_state "$state" 2 1500 '10 5 1500 signal batch convert'
run $marker
said 2 "MARKER CRITICAL: frozen for 10[0-9]* s | age=10[0-9]*s;5;60;0" \
	"with a daemon at work too"
run $marker -v
lines "marker: $file
state: up to date" "-v tells what was looked at"
make_state "$state" 2 0
run $marker
said 1 "MARKER WARNING: the marker is left over; by the state file nothing is frozen | age=0s;5;60;0" \
	"a marker without anything frozen is left over"
rm "$file"
run $marker
said 0 "MARKER OK: nothing is frozen | age=0s;5;60;0" \
	"no marker and nothing frozen is OK"
make_state "$state" 2 1500 '10 5 1500 signal batch convert'
run $marker
said 1 "MARKER WARNING: there is no marker; by the state file frozen for 3.* s | age=3.*s;5;60;0" \
	"no marker though something is frozen is a WARNING"
make_state "$state" 2 100000 '10 5 1500 signal batch convert'
run $marker
said 2 "MARKER CRITICAL: there is no marker; by the state file frozen for 10* | *" \
	"and CRITICAL if it is for long"
make_state "$state" 2 1500 '10 5 1500 signal batch convert'
(
	sleep 0.1
	touch "$file"
) &
run $marker
wait
said 0 "MARKER OK: frozen for 0* s | *" \
	"a marker that comes a moment after the state is no disagreement"
rm "$file"
make_state "$state" 2 1500 '10 5 1500 dry-run batch convert'
run $marker
said 0 "MARKER OK: nothing is frozen | *" "a dry run needs no marker"

# foreign TYPE PATTERN: what lies there now is not the daemon's
foreign() {
	make_state "$state" 2 0
	run timeout 5 $marker
	said 1 "MARKER WARNING: the marker $2 and is not the daemon's; by the state file nothing is frozen | age=0s;5;60;0" \
		"$1 in place of the marker is a WARNING, never CRITICAL"
	make_state "$state" 2 100000 '10 5 1500 signal batch convert'
	run timeout 5 $marker
	said 2 "MARKER CRITICAL: the marker $2 *; by the state file frozen for 10*" \
		"and hides nothing that is CRITICAL"
	rm -r "$state"
	run timeout 5 $marker
	said 1 "MARKER WARNING: the marker $2 *; the daemon is not running*" \
		"and is a WARNING without a daemon"
	rm -rf "$file"
}
ln -s "$tmp/none" "$file"
foreign "a dangling link" "is a symbolic link"
touch -d '100 seconds ago' "$tmp/target"
ln -s "$tmp/target" "$file"
foreign "a link to a file" "is a symbolic link"
mkdir "$file"
foreign "a directory" "is a directory"
mkfifo "$file"
foreign "a FIFO" "is a FIFO"
touch -d '1 hour' "$file"
foreign "a file from the future" "has a time to come"
if is_root; then
	mknod "$file" c 1 3
	foreign "a device" "is no plain file"
	touch -d '100 seconds ago' "$file"
	chown 12345 "$file"
	foreign "somebody else's file" "belongs to user 12345"
	chmod 700 "$tmp/tmp"
	run $nobody $marker
	said 3 "MARKER UNKNOWN: $file: Permission denied; the daemon is not*" \
		"a directory that may not be searched is UNKNOWN"
	chmod 755 "$tmp/tmp"
else
	skip "needs root: files of other users"
fi
run $marker --marker "$tmp/none/marker"
said 3 "MARKER UNKNOWN: directory of $tmp/none/marker: No such file or directory; the daemon is not*" \
	"a marker in no directory is UNKNOWN"
make_state "$state" 2 100000 '10 5 1500 signal batch convert'
run $marker --marker "$tmp/none/marker"
said 2 "MARKER CRITICAL: directory of *; by the state file frozen for 10*" \
	"unless the state file tells of something worse"
rm -r "$state"
run $marker --marker ''
said 3 "MARKER UNKNOWN: *" "and so is no marker"
run env THRASH_PROTECT_MARKER="$tmp/none/marker" \
	"$bin/check_thrash_marker" --proc "$proc" --run-dir "$state"
said 3 "MARKER UNKNOWN: directory of $tmp/none/marker: *" \
	"the environment says where the marker is"

mkdir "$proc/self"
real=$(cd "$tmp/tmp" && pwd -P)
echo '1 0 8:1 / / rw - ext4 /dev/a rw' >"$proc/1/mountinfo"
{
	cat "$proc/1/mountinfo"
	echo "2 1 8:1 /tmp/systemd-private-12-nrpe.service-ab/tmp $real rw - ext4 /dev/a rw"
} >"$proc/self/mountinfo"
run $marker
said 3 "MARKER UNKNOWN: this is a private /tmp, not the host's; the daemon is not running*" \
	"a private /tmp without a state file is UNKNOWN"
make_state "$state" 2 0
run $marker
said 0 "MARKER OK: nothing is frozen | age=0s;5;60;0" \
	"in a private /tmp the state file tells that nothing is frozen"
out=$($marker -v | head -n 1) code=0
said 0 "MARKER OK: this is a private /tmp, not the host's; by the state file nothing is frozen | age=0s;5;60;0" \
	"and with -v the check says where it is"
make_state "$state" 2 8500 '10 5 1500 signal batch convert'
run $marker
said 1 "MARKER WARNING: this is a private /tmp, *; by the state file frozen for 1*s | age=1*s;5;60;0" \
	"and for how long something is"
rm -r "$proc/self" "$proc/1/mountinfo"

# the real /proc, with this shell as the daemon
pid=$$ start_time=$(sed 's/.*) //' "/proc/$$/stat" | cut -d ' ' -f 20)
make_state "$state" 2 1500 '10 5 1500 signal batch convert'
unset pid start_time
if is_root && unshare -m true 2>/dev/null; then
	cat >"$tmp/private" <<-END
		mount -t tmpfs none $tmp/tmp || exit 9
		exec $marker --proc /proc
	END
	run unshare -m sh "$tmp/private"
	said 0 "MARKER OK: this is a private /tmp, not the host's; by the state file frozen for * | *" \
		"a private file system is found out with the real /proc"
else
	skip "needs root and namespaces: a private file system"
fi
run $marker --proc /proc
said 1 "MARKER WARNING: there is no marker; *" \
	"and what the host sees is not taken for private"

### check_thrash_pressure

state=$tmp/pressure
pressure="$pressure --run-dir $state"

# about LABEL VALUE PERCENT NAME: what the performance data of $out say
about() {
	printf '%s\n' "${out#*| }" | tr ' ' '\n' | awk -F '[=;]' \
		-v label="$1" -v wanted="$2" -v percent="$3" '
		$1 == label {
			sub(/[sB%c]$/, "", $2)
			off = $2 > wanted ? $2 - wanted : wanted - $2
			good = off <= wanted * percent / 100
		}
		END { exit !good }'
	ok $? "$4"
	[ "$passed" = "$failures" ] || printf '# %s\n' "$out"
	passed=$failures
}

# since the daemon wrote 100 s ago: 25600 pages in, 51200 out, 3000 refaults
# of either kind, 500 faults, 20 s of stall for memory and 30 s for I/O
make_state "$state" 100 0
make_counters "$proc/vmstat" 30600 57200 7500 11000 12000
pressure 23000000 >"$proc/pressure/memory"
pressure 34000000 >"$proc/pressure/io"
page=$(getconf PAGESIZE)
run $pressure
said 1 "PRESSURE WARNING: stall *, swap-in 10*kB/s, swap-out 20* kB/s, refaults *0/s over 10?* s | stall=*%;10;40;0;100 swap_in=*B;;;0 swap_out=*B;;;0 refaults=*;;;0 major_faults=*;;;0 io_stall=*%;;;0;100" \
	"rates are those since the daemon wrote its state"
about stall 20 3 "stall is a share of the time"
about swap_in $((256 * page)) 3 "pages that come in are bytes per second"
about swap_out $((512 * page)) 3 "and those that go out"
about refaults 60 3 "refaults of both kinds are added up"
about major_faults 5 3 "major faults are counted"
about io_stall 30 3 "and waiting for input and output"
run $pressure -w 25
said 0 "PRESSURE OK: *" "up to -w it is OK"
run $pressure -c 15
said 2 "PRESSURE CRITICAL: *" "above -c it is CRITICAL"
for limit in "swap-in:$((200 * page))" "swap-out:$((400 * page))" \
	refaults:50 major-faults:4 io-stall:20; do
	metric=${limit%:*}
	label=$(echo "$metric" | tr - _)
	run $pressure -w 90 -c 90 "--$metric-warning=${limit#*:}"
	said 1 "PRESSURE WARNING: * $label=*;${limit#*:};;0*" \
		"--$metric-warning is a limit"
	run $pressure -w 90 -c 90 "--$metric-critical" "${limit#*:}"
	said 2 "PRESSURE CRITICAL: * $label=*;;${limit#*:};0*" \
		"--$metric-critical is a limit"
done
run $pressure -w 90 -c 90 --io-stall-warning 1
said 1 "PRESSURE WARNING: *, I/O stall *over*" \
	"what alerts is in the text"
run $pressure -v
lines "stall * %
swap-in * kB/s
swap-out * kB/s
refaults */s
major faults */s
I/O stall * %" "-v lists all"
stalled=0
make_state "$state" 10 0
unset stalled
run $pressure
said 2 "PRESSURE CRITICAL: stall 100 %*stall=100%;*" \
	"no stall is more than all of the time"
make_state "$state" 10 0
sed '/^pswp/d; /^pgmaj/d; /refault/d; /some_us/d' "$state/state" \
	>"$state/less"
mv "$state/less" "$state/state"
run $pressure --interval 0.3
said 0 "PRESSURE OK: stall 0 %, swap-in 0 kB/s, * over 0.[3-9] s | *" \
	"a state without counters is not taken for one of zeroes"
make_state "$state" 10 0
sed '/^memory_/d; /^io_/d' "$state/state" >"$state/less"
mv "$state/less" "$state/state"
run $pressure
said 0 "PRESSURE OK: swap-in * over 10* s | swap_in=*major_faults=*" \
	"what the daemon could not read has no rate"
swapped_in=99999
make_state "$state" 10 0
unset swapped_in
run $pressure
said 3 "PRESSURE UNKNOWN: *counter of swap-in went backwards*" \
	"a counter that goes backwards is UNKNOWN"
case $out in
*swap_in=*) ok 1 "and no number" ;;
*) ok 0 "and no number" ;;
esac

make_state "$state" 0.2 0
run $pressure --interval 5
said 2 "PRESSURE CRITICAL: * over 0.[5-9] s | *" \
	"a state of just now is too new: the check waits until it is not"
pid=4343
make_state "$state" 100 0
unset pid
run $pressure --interval 0.3
said 0 "PRESSURE OK: * over 0.[3-9] s | *" "so it does when the daemon is gone"
rm -r "$state"
run $pressure
said 0 "PRESSURE OK: * over 1* s | *" "and for a second by default"
(
	sleep 0.4
	make_counters "$proc/vmstat" 40600 57200 7500 11000 12000
) &
run $pressure --interval 1 --swap-in-warning 1000
wait
said 1 "PRESSURE WARNING: *" "paging is seen without a daemon"
about swap_in $((10000 * page)) 20 "and measured"
(
	sleep 0.4
	make_counters "$proc/vmstat" 30600 57200 7500 11000 12000
) &
run $pressure --interval 1
wait
said 3 "PRESSURE UNKNOWN: *went backwards*" \
	"a counter that goes backwards meanwhile is UNKNOWN"

old=$tmp/old
mkdir "$old"
printf 'pgmajfault 7\nworkingset_refault 5\n' >"$old/vmstat"
pressure="$pressure --interval 0.1"
run $pressure --proc "$old"
said 0 "PRESSURE OK: refaults 0/s over 0.* s, no pressure information | refaults=0;;;0 major_faults=0;;;0" \
	"an old kernel without swap has no stall, and the text says so"
echo 'pgmajfault 7' >"$old/vmstat"
run $pressure --proc "$old"
said 0 "PRESSURE OK: major faults 0/s over 0.* s, no pressure information | major_faults=0;;;0" \
	"an older one has no refaults either"
echo 'pgmajfault many' >"$old/vmstat"
run $pressure --proc "$old"
said 3 "PRESSURE UNKNOWN: counters in $old: Invalid argument" \
	"malformed counters are UNKNOWN"
rm "$old/vmstat"
run $pressure --proc "$old"
said 3 "PRESSURE UNKNOWN: counters in $old: No such file or directory" \
	"and so are none"
run $pressure --interval 5 --timeout 5
said 3 "PRESSURE UNKNOWN: --interval must be shorter than --timeout" \
	"to watch for longer than the time there is, is refused"
run $pressure --proc /proc
said '[012]' "PRESSURE *: *" "the real /proc can be read"

### how they run

# stop_check NAME [COMMAND...]: stopped beyond its time, a check that the
# command starts hears of it first when it goes on
stop_check() {
	name=$1
	shift
	"$@" "$bin/check_thrash_pressure" --proc "$proc" -t 1 --interval 0.9 \
		--run-dir "$tmp/none" >"$tmp/late" &
	late=$!
	sleep 0.2
	kill -STOP $late
	sleep 1.2
	kill -CONT $late
	wait $late
	code=$? out=$(cat "$tmp/late")
	said 3 "PRESSURE UNKNOWN: no answer within 1 s" "$name"
}

stop_check "a check that takes too long says so, in one line"
"$bin/check_thrash_pressure" --proc "$proc" -t 20 --interval 0.9 \
	--run-dir "$tmp/none" >"$tmp/late" &
late=$!
sleep 0.2
kill -ALRM $late
wait $late
ok $? "somebody else's SIGALRM does no harm"
if env --block-signal=ALRM true 2>/dev/null; then
	stop_check "also when its parent had blocked SIGALRM" \
		env --block-signal=ALRM
else
	skip "needs env --block-signal"
fi
if strace -f -o "$tmp/trace" true 2>/dev/null; then
	for command in "$frozen --orphans -v" "$marker" "$pressure"; do
		ASAN_OPTIONS=detect_leaks=0 strace -f -o "$tmp/trace" \
			$command >/dev/null # leaks are not sought under strace
		! grep -Eq '(fork|clone3?|socket|O_CREAT|O_WRONLY|O_RDWR)' \
			"$tmp/trace"
		ok $? "${command##*/}: no process, no socket, no file written"
	done
else
	skip "needs strace"
fi

echo "1..$tests"
[ "$failures" -eq 0 ]
