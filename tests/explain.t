#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# --explain: what the daemon would think of a process.  No daemon runs here.
cd "$(dirname "$0")/.." || exit 1
# shellcheck source=tests/lib.sh
. tests/lib.sh

config=$WORK/config
: >"$config"

# explain ARG...: never with this host's own configuration or run directory
explain() {
	run timeout 10 "$BIN/thrash-protect" --config "$config" \
		--run-dir "$WORK/run" --explain "$@"
}

# value NAME: of the line of the last explanation that has it
value() {
	printf '%s\n' "$out" | sed -n "s/^$1 //p"
}

### What is asked for

# is_usage PATTERN ARG...
is_usage() {
	pattern=$1
	shift
	explain "$@"
	is "$status $out" '2 ' "--explain $*: exit status 2"
	like "$err" "$pattern" "--explain $*: the line says what is wrong"
}

is_usage 'option --explain: a whole number' hog
is_usage 'option --explain: a whole number' ''
is_usage 'option --explain: .*from 1 to' 0
is_usage 'option --explain: .*from 1 to' 2147483648
is_usage 'one thing' 1 --status
is_usage 'one thing' 1 --replay /dev/null

sleep 0 &
gone=$!
wait $gone
explain $gone
is "$status $out" '1 ' 'a process that is gone: exit status 1'
is "$err" "thrash-protect: there is no process $gone" \
	'a process that is gone: one line says so'
explain 1 --proc "$WORK/none"
is "$status $out" '1 ' 'without a /proc: exit status 1'
like "$err" "$WORK/none: No such file" 'without a /proc: one line says so'

### Of this host

sh -c 'sleep 60; :' &
shell=$!
at_exit "kill \$(cat /proc/$shell/task/$shell/children) $shell"
wait_for 5 grep -qx sh "/proc/$shell/comm"
explain $shell
is "$status $err" '0 ' 'a shell: exit status 0 and no complaint'
is "$(value pid) $(value class) $(value rule)" "$shell protected a shell" \
	'a shell: it is protected, and the rule is told'
is "$(value user)" "$(id -u)" 'a shell: whose it is'
is "$(value exe)" "$(readlink "/proc/$shell/exe")" 'a shell: its program'
is "$(value may_be_frozen), $(value frozen_at_most_ms)" 'no, 0' \
	'a shell: it is never frozen'
is "$(printf '%s\n' "$out" | cut -d ' ' -f 1 | tr '\n' ' ')" \
	'pid comm exe user class rule preferred memory_kib may_be_frozen frozen_at_most_ms frozen_with hazards ' \
	'an explanation has all of its lines, once'
explain 1
like "$(value rule)" '^the first process$' 'PID 1: it is never frozen'

"$TOOLS/hog" 40 60 >/dev/null 2>&1 &
hog=$!
at_exit "kill $hog 2>/dev/null"
# shellcheck disable=SC2317
has_filled() {
	resident=$(sed -n 's/^VmRSS:[^0-9]*\([0-9]*\).*/\1/p' "/proc/$hog/status")
	[ "${resident:-0}" -gt 30000 ]
}
wait_for 5 has_filled
explain $hog
is "$(value class), $(value may_be_frozen)" \
	'batch, when it takes part in a thrash' 'a hog: it may be frozen'
is "$(value rule), $(value frozen_at_most_ms)" \
	'nothing speaks for it, 60000' 'a hog: for as long as max_frozen'
test "$(value memory_kib)" -gt 30000
ok $? 'a hog: the memory that it holds'
kill -STOP $hog
# shellcheck disable=SC2317
is_stopped() {
	[ "$(process_state "$hog")" = T ]
}
wait_for 5 is_stopped
explain $hog
is "$(value class), $(value rule)" 'protected, somebody else has stopped it' \
	'what somebody has stopped is left alone'
kill -CONT $hog

### Rules

# ruled WANTED NAME ARG...: class and rule of the hog
ruled() {
	wanted=$1 name=$2
	shift 2
	explain $hog "$@"
	is "$(value class): $(value rule)" "$wanted" "$name"
}

ruled 'protected: protect = h?g (the command line)' \
	'a name protects' --protect 'x h?g'
ruled 'protected: protect = exe:*/hog (the command line)' \
	'a program protects' --protect 'exe:*/hog'
ruled "protected: protect = user:$(id -u) (the command line)" \
	'a user protects, by number' --protect "user:$(id -u)"
if [ "$(id -u)" = 0 ]; then
	ruled 'protected: protect = user:root (the command line)' \
		'a user protects, by name' --protect user:root
else
	skip 'needs root'
fi
ruled 'protected: protect = cgroup:/* (the command line)' \
	'a cgroup protects' --protect 'cgroup:/*'
ruled 'batch: nothing speaks for it' 'what does not match does not' \
	--protect 'exe:hog user:4711 cgroup:hog'
ruled 'interactive: interactive = hog (the command line)' \
	'a rule makes interactive' --interactive hog
is "$(value frozen_at_most_ms)" 2000 'interactive is not frozen for long'
explain $hog --interactive hog --max-frozen 1
is "$(value frozen_at_most_ms)" 1000 'and never longer than max_frozen'
ruled 'batch: batch = hog (the command line)' 'a rule makes batch' \
	--interactive hog --batch hog
explain $hog --prefer hog
is "$(value preferred)" yes 'a rule prefers'
printf '[thrash-protect]\n\ncmd_whitelist = vim hog\n' >"$config"
ruled "protected: protect = hog ($config:3)" \
	'a rule of the file is told with its line, by any name'
THRASH_PROTECT_PROTECT="ho*" ruled \
	'protected: protect = ho* (the environment)' \
	'a rule of the environment is told as such'
: >"$config"

### Hazards

flock --no-fork "$WORK/lock" sleep 60 &
holder=$!
at_exit "kill $holder"
wait_for 5 grep -q " $holder " /proc/locks
flock "$WORK/lock" true &
at_exit "kill $! 2>/dev/null"
if wait_for 3 grep -q -- "-> .* $! " /proc/locks; then
	explain $holder
	is "$(value hazards)" 'others wait for a lock that it has' \
		'a lock that others wait for is told'
else
	skip 'this kernel does not show locks'
fi

### Hostile names, and a /proc of our own

mkdir -p "$WORK/proc/7/fd" "$WORK/proc/8" "$WORK/proc/9"
stat_of() { # PID COMM PARENT PAGES
	printf '%s (%s) S %s %s %s 0 -1 4194304 0 0 0 0 0 0 0 0 20 0 1 0 100 4096 %s 0\n' \
		"$1" "$2" "$3" "$1" "$1" "$4"
}
stat_of 7 "$(printf 'a) b\033[1m\n\tx')" 1 9000 >"$WORK/proc/7/stat"
: >"$WORK/proc/7/status"
ln -s "$(printf '/opt/x y\033[2J')" "$WORK/proc/7/exe"
ln -s /dev/fuse "$WORK/proc/7/fd/4"
explain 7 --proc "$WORK/proc"
is "$(value comm)" 'a)\040b\033[1m\012\011x' 'a hostile name is escaped'
is "$(value exe)" '/opt/x\040y\033[2J' 'and so is a hostile path'
is "$(printf '%s\n' "$out" | wc -l)" 12 'neither makes another line'
is "$(value hazards), $(value frozen_at_most_ms)" \
	'it serves a file system, 2000' 'who serves a file system waits briefly'
stat_of 8 sshd 1 90000 >"$WORK/proc/8/stat"
: >"$WORK/proc/8/status"
ln -s /opt/hog "$WORK/proc/8/exe"
stat_of 9 sshd 1 2000 >"$WORK/proc/9/stat"
: >"$WORK/proc/9/status"
ln -s /opt/hog "$WORK/proc/9/exe"
if [ "$(id -u)" = 0 ]; then
	explain 8 --proc "$WORK/proc"
	is "$(value class)" protected "root's sshd is believed"
	chown 1000 "$WORK/proc/8" "$WORK/proc/9"
	explain 8 --proc "$WORK/proc"
	is "$(value class) $(value user)" 'batch 1000' \
		"a user's hog that is called sshd is not"
	explain 9 --proc "$WORK/proc"
	is "$(value class) $(value user)" 'protected 1000' \
		'as long as it is small it is'
else
	skip 'other users take root'
	skip 'other users take root'
	skip 'other users take root'
fi
echo garbage >"$WORK/proc/8/stat"
explain 8 --proc "$WORK/proc"
is "$status $out" '1 ' 'a broken /proc: exit status 1'
is "$(printf '%s\n' "$err" | wc -l)" 1 'a broken /proc: one line says so'

done_testing
