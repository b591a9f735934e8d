# shellcheck shell=sh
# SPDX-License-Identifier: GPL-3.0-or-later
# TAP for tests in sh, sourced from the root of the tree.  A test's name is a
# sentence that says what is promised, and comes last.  The test's variables:
#
#   WORK   a directory of its own, removed at the end
#   BIN    where the programs are; TOOLS: where the tests' own programs are
#
# A part of a test that runs in a namespace sources this again and goes on
# counting: results are kept in a file, so a subshell can give some too.

PATH=$PATH:/usr/sbin:/sbin
umask 022
for tap_name in $(env | sed -n 's/^\(THRASH_PROTECT_[A-Za-z_]*\)=.*/\1/p'); do
	unset "$tap_name" # somebody's settings
done
build=${BUILD:-build}
case $build in
/*) ;;
*) build=$PWD/$build ;;
esac
export BIN="$build/bin" TOOLS="$build/tests/tools"

# at_exit COMMAND: the last one given is done first
at_exit() {
	tap_at_exit="$1
${tap_at_exit-}"
}

tap_clean_up() {
	trap '' HUP INT PIPE TERM
	eval "$tap_at_exit"
	rm -rf "$WORK"
}

if [ -z "${THRASH_TEST_WORK-}" ]; then
	WORK=$(mktemp -d "${TMPDIR:-/tmp}/thrash-protect-test.XXXXXX") || exit 1
	export THRASH_TEST_WORK="$WORK" # for a part in a namespace
	: >"$WORK/.results"
	tap_at_exit=
	trap tap_clean_up EXIT
	trap 'exit 1' HUP INT PIPE TERM # prove may be gone
fi
WORK=$THRASH_TEST_WORK

# ok STATUS NAME: passes for the exit status 0
ok() {
	echo "$1" >>"$WORK/.results"
	tap_number=$(($(wc -l <"$WORK/.results")))
	if [ "$1" -eq 0 ]; then
		echo "ok $tap_number - $2"
	else
		echo "not ok $tap_number - $2"
	fi
	return "$1"
}

# For the person who reads a failure.
diag() {
	printf '%s\n' "$*" | sed 's/^/# /'
}

# is GOT WANTED NAME
is() {
	test "$1" = "$2"
	ok $? "$3" || diag "got:
$1
wanted:
$2"
}

# like TEXT PATTERN NAME: an extended regular expression finds a line
like() {
	printf '%s\n' "$1" | grep -Eq -e "$2"
	ok $? "$3" || diag "no line like $2 in:
$1"
}

# unlike TEXT PATTERN NAME
unlike() {
	! printf '%s\n' "$1" | grep -Eq -e "$2"
	ok $? "$3" || diag "a line like $2 in:
$1"
}

# skip REASON: one test
skip() {
	echo 0 >>"$WORK/.results"
	echo "ok $(($(wc -l <"$WORK/.results"))) # SKIP $1"
}

# skip_all REASON: before the first test
skip_all() {
	echo "1..0 # SKIP $1"
	exit 0
}

done_testing() {
	echo "1..$(($(wc -l <"$WORK/.results")))"
	! grep -qvx 0 "$WORK/.results"
	exit
}

# run COMMAND...: what it printed is in $out and $err, how it ended in $status
# shellcheck disable=SC2034
run() {
	status=0
	"$@" >"$WORK/.out" 2>"$WORK/.err" || status=$?
	out=$(cat "$WORK/.out")
	err=$(cat "$WORK/.err")
}

# wait_for SECONDS COMMAND...: until it succeeds; fails when time is up
wait_for() {
	tap_tries=$(($1 * 20))
	shift
	until "$@"; do
		tap_tries=$((tap_tries - 1))
		[ $tap_tries -gt 0 ] || return 1
		sleep 0.05
	done
}

# ended PID: one of our own, or one whose parent has waited for it
ended() {
	case $(process_state "$1") in
	'' | X) return 0 ;;
	Z) ;;
	*) return 1 ;;
	esac
	# the first thread of several: what they share is open as long as one is
	set -- "/proc/$1/task/"*
	[ $# -le 1 ]
}

# reap PID: waits for a child that is to end by itself, but not for ever;
# $status is how it ended
# shellcheck disable=SC2034
reap() {
	status=0
	wait_for 10 ended "$1" || kill -KILL "$1"
	wait "$1" 2>/dev/null || status=$?
}

# end_child SIGNAL PID: $status is how it ended
end_child() {
	kill "-$1" "$2"
	reap "$2"
}

# kill_both PID: a daemon and its worker, so that neither sees the other die
kill_both() {
	tap_worker=$(worker_of "$1")
	kill -STOP "$1" "$tap_worker"
	kill -KILL "$1" "$tap_worker"
	reap "$1"
	wait_for 5 ended "$tap_worker"
}

# is_caged PID: whether it stands still in a cgroup that the daemon has made
is_caged() {
	tap_cgroup=$(sed -n 's/^0:://p' "/proc/$1/cgroup" 2>/dev/null)
	case $tap_cgroup in
	*/thrash-protect.*) ;;
	*) return 1 ;;
	esac
	grep -qsx 'frozen 1' "/sys/fs/cgroup/unified$tap_cgroup/cgroup.events" \
		"/sys/fs/cgroup$tap_cgroup/cgroup.events"
}

# process_state PID: T for a stopped or frozen one; empty when it is gone
process_state() {
	if is_caged "$1"; then
		echo T
		return
	fi
	sed -n 's/.*) \(.\) .*/\1/p' "/proc/$1/stat" 2>/dev/null
}

# in_order: numbers from lines, sorted, in one
in_order() {
	tr ' ' '\n' | sort -n | tr '\n' ' ' | sed 's/^ *//; s/ *$//'
}

# stopped_hogs: those of the pids in $hogs that are stopped now, in one line
# shellcheck disable=SC2154
stopped_hogs() {
	for tap_pid in $hogs; do
		[ "$(process_state "$tap_pid")" != T ] || echo "$tap_pid"
	done | in_order
}

is_somebody_stopped() {
	[ -n "$(stopped_hogs)" ]
}

is_nobody_stopped() {
	[ -z "$(stopped_hogs)" ]
}

# hogs_live: a test for each, at the end
hogs_live() {
	for tap_pid in $hogs; do
		ended "$tap_pid"
		is "$?" 1 'a hog that was frozen again and again is alive'
	done
}

# have_ended PID...
have_ended() {
	for tap_pid in "$@"; do
		ended "$tap_pid" || return 1
	done
}

# is_going_on PID: it is there, and nobody has frozen or stopped it
is_going_on() {
	! ended "$1" && [ "$(process_state "$1")" != T ]
}

# worker_of PID: of a daemon, which is the guardian, the process that works
worker_of() {
	tr -d " " <"/proc/$1/task/$1/children" 2>/dev/null
}

# start_time PID: with the pid it says which process
start_time() {
	sed 's/.*) //' "/proc/$1/stat" | cut -d ' ' -f 20
}

for tap_name in "$BIN/thrash-protect" "$TOOLS/hog"; do
	if [ ! -x "$tap_name" ]; then
		echo "Bail out! there is no $tap_name"
		exit 1
	fi
done
