#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# The daemon among people who mean harm: names made to be misread, where
# processes are hidden, where /proc has less than elsewhere, and in a fork bomb.
# (Files that are planted: state-and-marker.t.)
cd "$(dirname "$0")/.." || exit 1
# shellcheck source=tests/lib.sh
. tests/lib.sh
# shellcheck source=tests/pretence-fixture.sh
. tests/pretence-fixture.sh

BOMB_PROCESSES=300 BOMB_USER=54321 BOMB_S=4
run_dir=$WORK/run
state=$run_dir/state
marker=$WORK/marker
log=$WORK/log

# daemon_start ARG...
daemon_start() {
	: >"$log"
	"$BIN/thrash-protect" --config /dev/null --run-dir "$run_dir" \
		--marker "$marker" --use-psi no --interval 0.02 --calm 0.1 \
		--quantum 0.1 --state-interval 0.1 --debug "$@" 2>"$log" &
	daemon=$!
	wait_for 5 grep -q ready "$log"
}

is_somebody_frozen() {
	grep -qs '^frozen ' "$state" && test -e "$marker"
}

# Whoever it is, in this namespace.
stopped() {
	grep -ls '^State:	T' /proc/[0-9]*/status
}

is_nobody_stopped() {
	[ -z "$(stopped)" ]
}

# freezes NAME
freezes() {
	begin_thrash
	wait_for 5 is_somebody_frozen
	ok $? "$1: the daemon freezes" || diag "$(cat "$log")"
}

# ends NAME: in the midst of it
ends() {
	end_child TERM "$daemon"
	is "$status" 0 "$1: the daemon ends well"
	is "$(stopped)" '' "$1: nobody is left frozen"
	end_thrash
}

### Names

# is_plain NAME FILE: what a terminal takes for letters, spaces and new lines
is_plain() {
	is "$(LC_ALL=C tr -d '\n -~' <"$2" | od -c)" "$(od -c </dev/null)" \
		"$1 has nothing raw in it"
}

# command NAME COMMAND...: which prints it to a terminal
command_is_plain() {
	what=$1
	shift
	run "$@"
	cat "$WORK/.out" "$WORK/.err" >"$WORK/printed"
	is_plain "$what" "$WORK/printed"
}

# The first who is frozen is called as $ARGV[0] is, escaped as in the state file.
# shellcheck disable=SC2016
is_command='my $json = decode_json(join "", <STDIN>);
	my $name = $json->{frozen}[0]{command};
	$name =~ s/\\([0-7]{3})/chr oct $1/ge;
	print "$name is not it\n" if $name ne $ARGV[0];'

# named NAME COMMAND: both hogs are called so, and one of them is frozen
named() {
	for hog in $hogs; do
		end_child KILL "$hog"
	done
	ln -sf "$TOOLS/hog" "$WORK/names/$2"
	hogs=
	for _ in 1 2; do
		"$WORK/names/$2" 48 0 grow &
		hogs="$hogs $!"
	done
	daemon_start
	freezes "$1"
	cp "$state" "$WORK/state"
	is_plain "$1: the state file" "$WORK/state"
	is "$(grep -c '^frozen ' "$WORK/state")" \
		"$(sed -n 's/^frozen_processes //p' "$WORK/state")" \
		"$1: it has a line for each"
	unlike "$(sed -n 's/^frozen //p' "$WORK/state")" \
		'^([^ ]+ ){0,4}[^ ]*$|^([^ ]+ ){6}' \
		"$1: with as many words as any"
	like "$(cat "$marker")" '^[0-9 ]+$' "$1: the marker has numbers only"
	command_is_plain "$1: --status" "$BIN/thrash-protect" \
		--config /dev/null --run-dir "$run_dir" --status
	command_is_plain "$1: --status --json" "$BIN/thrash-protect" \
		--config /dev/null --run-dir "$run_dir" --status --json
	is "$(perl -MJSON::PP -e "$is_command" "$2" <"$WORK/.out" 2>&1)" '' \
		"$1: and that is JSON, with the name"
	command_is_plain "$1: --explain" "$BIN/thrash-protect" \
		--config /dev/null --explain "${hogs##* }"
	command_is_plain "$1: the check" "$BIN/check_thrash_frozen" \
		--run-dir "$run_dir" -w 0 -v
	is "$(head -n 1 "$WORK/.out" | tr -dc '|' | wc -c)" 1 \
		"$1: the check has one | in its first line"
	command_is_plain "$1: the graph" env frozen_warning=0 \
		THRASH_PROTECT_RUN_DIR="$run_dir" "$BIN/thrash_freezes" fetch
	is "$(grep -vc '^[a-z]*\.[a-z]* ' "$WORK/.out")" 0 \
		"$1: each line of it is of a field"
	like "$(cat "$WORK/.out")" '^frozen.extinfo [0-9]+ [^ ]+ [0-9.]+ s' \
		"$1: one names who is frozen, in a word"
	ends "$1"
	is_plain "$1: the log" "$log"
	unlike "$(cat "$log")" '^(thrash-protect: )?evil' \
		"$1: no line is one that the name has made"
}

test_names() {
	mkdir "$WORK/names"
	named 'a name with a new line' "$(printf 'a\nevil b')"
	named 'a name that ends one' 'a) R 1 1 1 (b'
	# shellcheck disable=SC2016
	named 'a name with signs' '"\|;=$(x)`'"'&"
	named 'a name in UTF-8' "$(printf 'na\303\257ve\342\202\254')"
	named 'a name in no UTF-8' "$(printf 'a\377\376b\303')"
	named 'a name with control signs' \
		"$(printf 'a\033[31m\007\r\t\b\177')"
	named 'a name with control signs of 8 bits' \
		"$(printf '\302\233\061m\233\062m')"
	named 'a name of blanks' '   '
}

### Where less is seen

test_hidden() {
	if ! mount -o remount,hidepid=2 /proc; then
		skip 'hidepid cannot be had'
		return
	fi
	daemon_start
	freezes 'hidepid=2'
	ends 'hidepid=2'
	mkdir "$WORK/own"
	chown $BOMB_USER "$WORK/own"
	chmod 755 "$WORK"
	run timeout 2 setpriv --reuid $BOMB_USER --clear-groups \
		"$BIN/thrash-protect" --config /dev/null --marker '' \
		--run-dir "$WORK/own"
	like "$status $err" '^(124|0|1) ' \
		'hidepid=2, and no rights: it runs, or says why not'
	mount -o remount,hidepid=0 /proc
}

test_nothing_there() {
	mkdir "$WORK/proc"
	run timeout 5 "$BIN/thrash-protect" --config /dev/null --proc \
		"$WORK/proc" --run-dir "$run_dir" --marker "$marker" --dry-run
	is "$status $(echo "$err" | grep -c vmstat)" '1 1' \
		'/proc without vmstat is refused'
	is "$(echo "$err" | grep -c .)" 1 'in one line'
	if ! mount -t tmpfs none /proc/pressure 2>/dev/null; then
		skip 'pressure cannot be hidden'
		return
	fi
	daemon_start --use-psi yes
	like "$(cat "$state")" '^mode swap$' \
		'/proc without pressure: pages are counted instead'
	freezes 'without pressure'
	ends 'without pressure'
	umount /proc/pressure
}

### A fork bomb

# In a namespace of its own, to be ended at once.  Who cannot fork there ends,
# and it begins again.
start_bomb() {
	# shellcheck disable=SC2016
	unshare --pid --fork --kill-child sh -c 'while :; do
			setpriv --reuid "$0" --clear-groups \
				prlimit --nproc="$1" sh -c "$2"
		done' "$BOMB_USER" "$BOMB_PROCESSES" '
			bomb() {
				sleep 0.1
				bomb &
				bomb &
				wait
			}
			bomb' 2>/dev/null &
	bomb=$!
}

bomb_size() {
	grep -ls "^Uid:	$BOMB_USER" /proc/[0-9]*/status | wc -l
}

has_spread() {
	[ "$(bomb_size)" -gt $((BOMB_PROCESSES / 3)) ]
}

value() {
	sed -n "s/^$1 //p" "$state"
}

test_bomb() {
	start_hogs
	daemon_start --max-frozen 1
	start_bomb
	wait_for 10 has_spread
	ok $? 'a fork bomb spreads' || diag "$(bomb_size)"
	freezes 'a fork bomb'
	before=$(value freezes_total)
	sleep $BOMB_S
	test "$(value freezes_total)" -gt "$before"
	ok $? 'a fork bomb: they take turns' || diag "$(cat "$state")"
	gap=$(value longest_gap_ms)
	test "$gap" -lt 1000
	ok $? 'a fork bomb: no turn of the loop comes late' ||
		diag "$gap ms; $(cat "$log")"
	diag "$(bomb_size) processes, longest gap $gap ms"
	ends 'a fork bomb'
	end_child KILL "$bomb"
}

inside_namespace() {
	if ! begin_pretence; then
		skip 'needs to mount over /proc/vmstat'
		exit 0
	fi
	test_names
	test_hidden
	test_nothing_there
	test_bomb
	exit 0
}

"${1:-outside}"
