#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# What the daemon leaves where others read it, and what it makes of what
# others have left there: run directory, state file, recovery, marker.
#
# The daemon runs in a PID namespace of its own, where /proc/vmstat is a file
# of ours: the host "thrashes" when we say so, and two growing hogs are there
# to be frozen.  Nothing is really short of memory.
cd "$(dirname "$0")/.." || exit 1
# shellcheck source=tests/lib.sh
. tests/lib.sh
# shellcheck source=tests/pretence-fixture.sh
. tests/pretence-fixture.sh

run_dir=$WORK/run
state=$run_dir/state
marker=$WORK/marker
log=$WORK/log
sticky_rule=/proc/sys/fs/protected_regular

### The daemon

# daemon_start ARG...
daemon_start() {
	: >"$log" # what the one before said
	"$BIN/thrash-protect" --config /dev/null --run-dir "$run_dir" \
		--marker "$marker" --use-psi no --interval 0.02 --calm 0.1 \
		--quantum 0.1 "$@" 2>"$log" &
	daemon=$!
	wait_for 5 is_ready
}

is_ready() {
	grep -q ready "$log" || ended "$daemon"
}

is_alive() {
	! ended "$daemon"
}

daemon_stop() {
	end_child TERM "$daemon"
}

# For a start that must fail.
start_refused() {
	run timeout 5 "$BIN/thrash-protect" --config /dev/null \
		--run-dir "$run_dir" --marker "$marker" "$@"
}

has_frozen() {
	grep -qs '^frozen ' "$state"
}

has_thawed_all() {
	! has_frozen
}

frozen_pids() {
	sed -n 's/^frozen \([0-9]*\) .*/\1/p' "$state" | tr '\n' ' ' |
		sed 's/ $//'
}

# The file that descriptor 3 was opened for has another in its place.
is_replaced() {
	[ "$(stat -c %i "$1")" != "$(stat -L -c %i /proc/self/fd/3)" ]
}

# Lines of the log that speak of $1.
told() {
	grep -e "$1" "$log"
}

# told_once PATTERN NAME: at least one line does, and none comes twice
told_once() {
	lines=$(told "$1")
	test -n "$lines" && test -z "$(echo "$lines" | sort | uniq -d)"
	ok $? "$2" || diag "$lines"
}

### What a state file of an earlier daemon may say

# write_state FROZEN_LINE...
write_state() {
	printf '%s\n' 'format 1' 'version 0.1.0' 'pid 99999999' \
		'pid_start_time 1' 'boottime_ms 1' 'fresh_for_ms 60000' \
		'mode swap' 'verdict thrashing' "frozen_processes $#" \
		'longest_frozen_ms 1' "$@"
}

# entry PID [START_TIME]
entry() {
	echo "frozen $1 ${2-$(start_time "$1")} 10 signal batch sleep"
}

is_stopped() {
	[ "$(process_state "$1")" = T ]
}

# A process that somebody has stopped: $sleeper.
stopped_sleeper() {
	sleep 1000 &
	sleeper=$!
	kill -STOP $sleeper
	wait_for 5 is_stopped $sleeper
}

end_sleeper() {
	end_child KILL "$sleeper"
}

test_run_directory() {
	umask 077
	daemon_start --dry-run
	umask 022
	is "$(stat -c '%a %u %F' "$run_dir")" '755 0 directory' \
		'the run directory is made: root, mode 0755, whatever the umask'
	is "$(stat -c '%a %u %F' "$state")" '644 0 regular file' \
		'the state file is for all to read: mode 0644'
	is "$(cd "$run_dir" && echo *)" 'history lock state' \
		'nothing but the lock and the history lie beside it'
	worker=$(worker_of $daemon)
	like "$(cat "$state")" "^pid $worker\$" 'it says who wrote it'
	like "$(cat "$state")" "^pid_start_time $(start_time "$worker")\$" \
		'it says when that process was started'
	run "$BIN/thrash-protect" --config /dev/null --run-dir "$run_dir" \
		--status
	is "$status $(echo "$out" | head -n 1)" '0 format 1' \
		'--status prints it'

	exec 3<"$state" # so that its inode is not used again
	is "$(cat "$state")" "$(cat <&3)" 'the state rests while it is calm'
	begin_thrash
	wait_for 5 grep -q '^verdict thrashing' "$state"
	ok $? 'a change of verdict is published'
	is_replaced "$state"
	ok $? 'by a new file, so that nobody reads half of one'
	is "$(stat -L -c %h /proc/self/fd/3)" 0 'and the old one is gone'
	exec 3<&-
	end_thrash

	start_refused --dry-run
	is "$status $(echo "$err" | grep -c 'another thrash-protect')" '1 1' \
		'a second daemon with the same run directory is refused'
	is "$(echo "$err" | grep -c .)" 1 'it says so in one line'
	is_alive
	ok $? 'the first goes on'
	like "$(cat "$state")" "^pid $worker\$" 'the state stays the first one'
	daemon_stop
	is "$status" 0 'SIGTERM: exit status 0'
	test ! -e "$state"
	ok $? 'SIGTERM: the state file is gone'
	rm -rf "$run_dir"
}

# refuses NAME: the run directory is what was planted
refuses() {
	start_refused --dry-run
	is "$status $(echo "$err" | grep -c "$run_dir")" '1 1' \
		"a run directory that is $1 is refused"
	is "$(echo "$err" | grep -c .)" 1 "$1: it says so in one line"
}

test_planted_run_directory() {
	mkdir "$WORK/elsewhere"
	ln -s elsewhere "$run_dir"
	refuses 'a link'
	is "$(ls -A "$WORK/elsewhere")" '' 'a link: nothing is written there'
	rm "$run_dir"
	mkdir -m 777 "$run_dir"
	refuses 'writable for all'
	is "$(ls -A "$run_dir")" '' 'writable for all: nothing is written'
	chmod 775 "$run_dir"
	refuses 'writable for a group'
	chmod 755 "$run_dir"
	chown 65534 "$run_dir"
	refuses "somebody else's"
	is "$(ls -A "$run_dir")" '' "somebody else's: nothing is written"
	rmdir "$run_dir"
	: >"$run_dir"
	refuses 'a file'
	rm "$run_dir"
	mkfifo "$run_dir"
	refuses 'a FIFO'
	rm "$run_dir"
	ln -s "$WORK/nowhere" "$run_dir"
	refuses 'a dangling link'
	test ! -e "$WORK/nowhere"
	ok $? 'a dangling link: nothing is made where it points'
	rm "$run_dir"
}

# not_believed NAME: the state file is as planted; the sleeper is in it
not_believed() {
	daemon_start
	is_alive
	ok $? "$1 as state file: the daemon starts"
	told_once 'state' "$1 as state file: it says so"
	is_stopped "$sleeper"
	ok $? "$1 as state file: nobody is thawed by it"
	[ "$1" = 'a directory' ] || is "$(stat -c '%a %u %F' "$state")" \
		'644 0 regular file' "$1 as state file: a good one replaces it"
	daemon_stop
	is "$status" 0 "$1 as state file: the daemon ends well"
	rm -rf "$state"
}

test_planted_state() {
	stopped_sleeper
	mkdir "$run_dir"
	write_state "$(entry $sleeper)" >"$WORK/target"
	print=$(stat -c '%i %Y %s' "$WORK/target")
	ln -s "$WORK/target" "$state"
	not_believed 'a link'
	is "$(stat -c '%i %Y %s' "$WORK/target")" "$print" \
		'a link as state file: what it points to is untouched'
	ln -s "$WORK/nowhere" "$state"
	not_believed 'a dangling link'
	test ! -e "$WORK/nowhere"
	ok $? 'a dangling link as state file: it is not followed'
	mkfifo "$state"
	not_believed 'a FIFO'
	mkdir "$state"
	not_believed 'a directory'
	cp "$WORK/target" "$state"
	chown 65534 "$state"
	not_believed "somebody else's file"
	cp "$WORK/target" "$state"
	chmod 666 "$state"
	not_believed 'a file that all can write'
	{
		cat "$WORK/target"
		head -c 10000000 /dev/zero | tr '\0' x
	} >"$state"
	not_believed 'a huge file'
	: >"$state"
	not_believed 'an empty file'
	head -c 2000 /dev/urandom >"$state"
	not_believed 'a file of random bytes'
	head -c -20 "$WORK/target" >"$state"
	not_believed 'a file that is cut'
	sed 's/^frozen_processes.*/frozen_processes 2/' "$WORK/target" >"$state"
	not_believed 'a file with a wrong count'
	sed 's/^format 1/format 2/' "$WORK/target" >"$state"
	not_believed 'a file of another format'
	for pid in 0 -1 99999999999999999999 '' x; do
		write_state "$(entry $sleeper)" "$(entry "$pid" 1)" >"$state"
		not_believed "a file with the pid '$pid'"
	done
	start_refused --thaw-all
	is "$status" 0 '--thaw-all with nothing there ends with 0'
	echo nonsense >"$state"
	start_refused --thaw-all
	is "$status $(echo "$err" | grep -c .)" '1 1' \
		'--thaw-all by a bad state file ends with 1 and one line'
	is_stopped $sleeper
	ok $? '--thaw-all by a bad state file thaws nobody'
	end_sleeper
	rm -rf "$run_dir"
}

# in_place NAME FILE: what was planted there stops nothing
in_place() {
	daemon_start
	freezes "$1"
	is "$(stat -c '%a %u %F' "$state")" '644 0 regular file' \
		"$1: the state file is a good one"
	thaws "$1"
	rm -rf "$2"
}

# At the other names that the daemon uses in its run directory.
test_planted_beside() {
	mkdir "$run_dir"
	echo 'of root' >"$WORK/precious"
	print=$(stat -c '%i %Y %Z %s %u %a' "$WORK/precious")
	for name in .state.new lock; do
		planted=$run_dir/$name
		rm -f "$planted" # a lock that was made meanwhile
		mkfifo "$planted"
		in_place "a FIFO as $name" "$planted"
		rm -f "$planted"
		echo 'of nobody' >"$planted"
		chown 65534 "$planted"
		in_place "somebody else's file as $name" "$planted"
	done
	ln -s "$WORK/precious" "$run_dir/.state.new"
	in_place 'a link as .state.new' "$run_dir/.state.new"
	mkdir "$run_dir/.state.new"
	in_place 'a directory as .state.new' "$run_dir/.state.new"

	rm "$run_dir/lock"
	ln -s "$WORK/precious" "$run_dir/lock"
	start_refused --dry-run
	is "$status $(echo "$err" | grep -c lock)" '1 1' \
		'a link as lock is refused'
	kept 'a link as lock, or as .state.new: its target is untouched' \
		"$WORK/precious"
	rm "$run_dir/lock"
	mkdir "$run_dir/lock"
	start_refused --dry-run
	is "$status $(echo "$err" | grep -c .)" '1 1' \
		'a directory as lock is refused, in one line'
	rm -rf "$run_dir"
}

# The pid of a thread, which is no process's; this one's process is stopped.
test_thread() {
	mkdir "$run_dir"
	: >"$WORK/second.log"
	"$BIN/thrash-protect" --config /dev/null --run-dir "$WORK/second" \
		--marker '' --use-psi no 2>"$WORK/second.log" &
	second=$!
	wait_for 5 grep -q ready "$WORK/second.log"
	threaded=$(worker_of $second)
	kill -STOP "$threaded"
	wait_for 5 is_stopped "$threaded"
	thread=$(find "/proc/$threaded/task" -mindepth 1 -maxdepth 1 \
		-printf '%f\n' | grep -vx "$threaded")
	write_state "$(entry "$thread")" >"$state"
	daemon_start
	is_stopped "$threaded"
	ok $? 'the pid of a thread: its process gets no signal' ||
		diag "$(cat "$log")"
	daemon_stop
	kill -CONT "$threaded"
	end_child TERM $second
	rm -rf "$run_dir"
}

test_recovery() {
	mkdir "$run_dir"
	stopped_sleeper
	write_state "$(entry $sleeper)" >"$state"
	daemon_start
	wait_for 5 is_going_on $sleeper
	ok $? 'what a dead daemon has left frozen is thawed at the start'
	told_once "thawed $sleeper" 'it says whom'
	daemon_stop

	kill -STOP $sleeper
	wait_for 5 is_stopped $sleeper
	write_state "$(entry $sleeper)" >"$state"
	: >"$marker"
	start_refused --thaw-all
	is "$status" 0 '--thaw-all ends with 0'
	wait_for 5 is_going_on $sleeper
	ok $? '--thaw-all thaws without a daemon'
	test ! -e "$state" && test ! -e "$marker"
	ok $? '--thaw-all removes what the dead daemon has left'

	kill -STOP $sleeper
	wait_for 5 is_stopped $sleeper
	write_state "$(entry $sleeper)" >"$state"
	daemon_start --dry-run
	is_stopped $sleeper
	ok $? '--dry-run thaws nobody at the start'
	daemon_stop
	write_state "$(entry $sleeper | sed s/signal/dry-run/)" >"$state"
	daemon_start
	is_stopped $sleeper
	ok $? 'nor is thawed who was frozen in a dry run'
	daemon_stop

	# pid 1 is this shell
	trap ': >"$WORK/continued"' CONT
	write_state "$(entry $sleeper 12345)" "$(entry 1)" \
		"$(entry 99999999 1)" "$(entry 2147483647 1)" >"$state"
	cp "$state" "$WORK/hostile"
	daemon_start
	is_alive
	ok $? 'pids that are others now: the daemon starts'
	is_stopped $sleeper
	ok $? 'a pid of another start time is not thawed'
	test ! -e "$WORK/continued"
	ok $? 'pid 1 gets no signal'
	told_once 'pid 1 ' 'pid 1: it says so'
	daemon_stop
	cp "$WORK/hostile" "$state"
	start_refused --thaw-all
	is_stopped $sleeper && test ! -e "$WORK/continued"
	ok $? '--thaw-all gives none of them a signal either'
	kill -CONT 1
	test -e "$WORK/continued"
	ok $? '(a signal to pid 1 would have been seen)'
	trap - CONT

	: >"$log"
	# shellcheck disable=SC2016 # its own pid
	sh -c '
		sed "s/^frozen .*/frozen $$ $(sed "s/.*) //" /proc/$$/stat |
			cut -d " " -f 20) 1 signal batch x/
			s/^frozen_processes.*/frozen_processes 1/" "$2" |
			uniq >"$1/state"
		exec "$0" --config /dev/null --run-dir "$1" --marker ""
	' "$BIN/thrash-protect" "$run_dir" "$WORK/hostile" 2>"$log" &
	daemon=$!
	wait_for 5 is_ready
	is_alive
	ok $? 'its own pid in the state file: the daemon starts'
	daemon_stop
	is "$status" 0 'its own pid in the state file: it ends well'
	end_sleeper
	rm -rf "$run_dir"
}

# freezes NAME: begins to thrash and waits for the consequence
freezes() {
	begin_thrash
	wait_for 5 has_frozen
	ok $? "$1: the daemon freezes" || diag "$(cat "$log")"
}

# Nothing is short any more, and who is not frozen has ended.
calm_down() {
	end_thrash
	left=" $(frozen_pids) "
	for hog in $hogs; do
		case $left in
		*" $hog "*) ;;
		*) end_child KILL "$hog" ;;
		esac
	done
	hogs=$left
	wait_for 10 has_thawed_all
}

# thaws NAME: everything, and the daemon ends well
thaws() {
	calm_down
	ok $? "$1: the daemon thaws" || diag "$(cat "$log")"
	daemon_stop
	is "$status" 0 "$1: the daemon ends well"
	start_hogs
}

test_marker() {
	daemon_start --state-interval 0.1
	test ! -e "$marker"
	ok $? 'there is no marker before anything is frozen'
	since=$(date +%s)
	freezes 'with a marker'
	wait_for 5 test -e "$marker"
	is "$(cat "$marker")" "$(frozen_pids)" \
		'the marker holds the frozen pids on one line'
	is "$(stat -c '%a %u %F' "$marker")" '644 0 regular file' \
		'the marker is for all to read: mode 0644'
	is_stopped "$(frozen_pids)"
	ok $? 'who is in it is stopped'
	like "$(cat "$state")" "^frozen $(frozen_pids) [0-9]+ [0-9]+ (cgroup|signal) " \
		'the state file says so too, with the method'
	print=$(stat -c %y "$marker")
	exec 3<"$marker"
	wait_for 5 is_replaced "$marker"
	exec 3<&-
	is "$(stat -c %y "$marker")" "$print" \
		'written again, it keeps the time when something was frozen'
	modified=$(stat -c %Y "$marker")
	test "$modified" -ge "$since" && test "$modified" -le $((since + 5))
	ok $? 'which is the right one'
	calm_down
	wait_for 5 test ! -e "$marker"
	ok $? 'the marker goes when all are thawed'
	start_hogs
	is "$(find "$WORK" -name '*marker*')" '' 'and leaves nothing behind'

	freezes 'again'
	wait_for 5 test -e "$marker"
	rm "$marker"
	echo 'of nobody' >"$marker"
	chown 65534 "$marker"
	exec 3<"$marker"
	thaws "somebody else's file in its place"
	is "$(cat <&3)" 'of nobody' \
		"somebody else's file in its place is not written to"
	exec 3<&-
	rm -f "$marker"

	daemon_start --marker ''
	freezes 'without a marker'
	test ! -e "$marker"
	ok $? 'without a marker: none is made'
	is "$(grep -c marker "$log")" 0 'without a marker: nothing is said'
	thaws 'without a marker'

	daemon_start --dry-run
	freezes 'a dry run'
	test ! -e "$marker"
	ok $? 'a dry run: there is no marker, for nobody is frozen'
	is_going_on "$(frozen_pids)"
	ok $? 'a dry run: nobody is'
	like "$(cat "$state")" '^frozen [0-9 ]+ dry-run ' \
		'a dry run: the state file says whom it would freeze'
	thaws 'a dry run'

	: >"$marker"
	daemon_start
	test ! -e "$marker"
	ok $? 'what an earlier daemon has left is removed at the start'
	daemon_stop
	rm -rf "$run_dir"
}

# planted NAME: something lies at $marker, which is to stop nothing
planted() {
	daemon_start
	freezes "$1 as marker"
	thaws "$1 as marker"
	told_once marker "$1 as marker: it says so, and no line twice"
}

# kept NAME FILE: FILE is as $print remembers it
kept() {
	is "$(stat -c '%i %Y %Z %s %u %a' "$2")" "$print" "$1"
}

test_planted_marker() {
	echo 'of root' >"$WORK/precious"
	print=$(stat -c '%i %Y %Z %s %u %a' "$WORK/precious")
	ln -s "$WORK/precious" "$marker"
	planted 'a link'
	kept 'a link as marker: what it points to is untouched' \
		"$WORK/precious"
	rm -f "$marker"

	ln -s "$WORK/precious" "$WORK/.marker.new"
	daemon_start
	freezes 'a link under the temporary name'
	thaws 'a link under the temporary name'
	kept 'a link under the temporary name: its target is untouched' \
		"$WORK/precious"

	ln -s "$WORK/nowhere" "$marker"
	planted 'a dangling link'
	test ! -e "$WORK/nowhere"
	ok $? 'a dangling link as marker: nothing is made where it points'
	rm -f "$marker"

	mkfifo "$marker"
	planted 'a FIFO'
	rm -f "$marker"
	mkfifo "$WORK/.marker.new"
	daemon_start
	freezes 'a FIFO under the temporary name'
	thaws 'a FIFO under the temporary name'

	mkdir "$marker"
	planted 'a directory'
	test -d "$marker"
	ok $? 'a directory as marker is left alone'
	rmdir "$marker"
	mkdir "$WORK/.marker.new"
	daemon_start
	freezes 'a directory under the temporary name'
	thaws 'a directory under the temporary name'
	rmdir "$WORK/.marker.new"

	echo 'of nobody' >"$marker"
	chown 65534 "$marker"
	exec 3<"$marker"
	planted "somebody else's file"
	is "$(cat <&3)" 'of nobody' \
		"somebody else's file as marker is not written to"
	exec 3<&-
	rm -f "$marker"

	here=$marker
	marker=$WORK/none/marker
	planted 'a missing directory'
	test ! -e "$WORK/none"
	ok $? 'a missing directory of the marker is not made'

	mkdir "$WORK/mount"
	marker=$WORK/mount/marker
	mount -t tmpfs -o ro,size=16k none "$WORK/mount"
	planted 'a file system that cannot be written'
	mount -o remount,rw "$WORK/mount"
	head -c 100000 /dev/zero >"$WORK/mount/full" 2>/dev/null
	planted 'a full file system'
	is "$(ls -A "$WORK/mount")" full \
		'a full file system: nothing is left behind'
	umount "$WORK/mount"

	# as /tmp is, with the kernel's strictest rule for it
	mkdir -m 1777 "$WORK/sticky"
	marker=$WORK/sticky/marker
	echo 2 >"$sticky_rule" 2>/dev/null
	for name in marker .marker.new; do
		echo 'of nobody' >"$WORK/sticky/$name.nobody"
		chown 65534 "$WORK/sticky/$name.nobody"
		mv "$WORK/sticky/$name.nobody" "$WORK/sticky/$name"
	done
	planted 'a file of somebody else in a sticky directory'
	marker=$here
	rm -rf "$run_dir"
}

inside_namespace() {
	if ! begin_pretence; then
		skip 'needs to mount over /proc/vmstat'
		return
	fi
	test_run_directory
	test_planted_run_directory
	test_planted_state
	test_planted_beside
	test_recovery
	test_thread
	test_marker
	test_planted_marker
	for hog in $hogs; do
		is_going_on "$hog"
		ok $? 'a hog that was frozen again and again is well'
	done
	exit 0
}

# what a test sets for the whole host
[ ! -w "$sticky_rule" ] || at_exit "echo $(cat "$sticky_rule") >$sticky_rule"

"${1:-outside}"
