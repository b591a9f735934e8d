#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# make bench: measures what the daemon and the plugins cost, and prints what
# was measured, what must be reached, and how much more the peers take that
# are there: earlyoom, if installed, and another daemon that PEER= names.
# Nobody is frozen or killed: peers run dry, and among nobody but themselves.
# It takes about a minute; a machine with other things to do gives other
# numbers.
cd "$(dirname "$0")/../.." || exit 1
build=${BUILD:-build}
bin=$build/bin/ tools=$build/tests/bench
PEER=${PEER-}
rest_seconds=${REST_SECONDS:-20} thrash_seconds=10 reactions=9

# What runs in a namespace comes back here: inside NAME ARGUMENT...
in_namespace() {
	unshare --pid --mount --fork --mount-proc --kill-child \
		env BENCH_WORK="$work" "$0" inside "$@"
}

# figure NAME FILE: the value of a line "name value"
figure() {
	sed -n "s/^$1 //p" "$2"
}

# files PID NAME: of the process and its children, for what both take together
files() {
	for one_pid in $1 $(cat "/proc/$1/task/$1/children" 2>/dev/null); do
		# shellcheck disable=SC2086 # a pattern
		cat "/proc/$one_pid"/$2 2>/dev/null
	done
}

# of_status NAME PID: KiB, or a count
of_status() {
	files "$2" status | awk -v name="$1:" '$1 == name { n += $2 }
		END { print n + 0 }'
}

# us of CPU that all threads have used
cpu_us() {
	files "$1" 'task/*/schedstat' | awk '{ ns += $1 }
		END { printf "%d\n", ns / 1000 }'
}

# how often they have slept
sleeps() {
	files "$1" 'task/*/status' |
		awk '/^voluntary_ctxt_switches/ { n += $2 } END { print n + 0 }'
}

# start NAME: its pid is in $pid
start() {
	case $1 in
	daemon) set -- "${bin}thrash-protect" --run-dir "$work/run" --marker '' ;;
	earlyoom) set -- earlyoom --dryrun -r 0 ;;
	*.py) set -- python3 "$1" ;;
	esac
	"$@" >"$work/log" 2>&1 &
	pid=$!
}

# inside rest NAME: what one takes while nothing happens
rest() {
	start "$1"
	sleep 2
	cpu=$(cpu_us $pid) slept=$(sleeps $pid)
	[ -d "/proc/$pid" ] || exit 1
	sleep "$rest_seconds"
	echo "cpu_us_per_s $((($(cpu_us $pid) - cpu) / rest_seconds))"
	echo "wakeups_per_minute $((($(sleeps $pid) - slept) * 60 / rest_seconds))"
	echo "rss_anon_kib $(of_status RssAnon $pid)"
	echo "locked_kib $(of_status VmLck $pid)"
	[ "$1" != daemon ] ||
		sed -n 's/^mode /mode /p' "$work/run/state"
}

if [ "${1-}" = inside ]; then
	work=$BENCH_WORK
	shift
	"$@"
	exit
fi

work=$(mktemp -d "${BENCH_TMPDIR:-/dev/shm}/thrash-protect-bench.XXXXXX") ||
	exit 1
daemon=
clean_up() {
	[ -z "$daemon" ] || kill "$daemon" 2>/dev/null
	wait
	rm -rf "$work"
}
trap clean_up EXIT
trap 'exit 1' HUP INT TERM

row() {
	printf '%-46s %14s %12s  %s\n' "$@"
}

# at_most MEASURED LIMIT UNIT WHAT [RATIOS]; an empty LIMIT judges nothing
at_most() {
	verdict=
	[ -z "$2" ] || [ "$(awk "BEGIN { print ($1 <= $2) }")" = 1 ] ||
		verdict=' MISSED'
	row "$4" "$1 $3" "${2:+<= $2 $3}" "${5-}$verdict"
}

left_out() {
	row "$1" '-' '' "left out: $2"
}

as_ms() {
	awk "BEGIN { printf \"%.1f\", $1 / 1000 }"
}

# ratio_to NAME THEIRS OURS
ratio_to() {
	awk "BEGIN { if ($3 > 0) printf \"$1 %.1f x  \", $2 / $3 }"
}

can_unshare=
unshare --pid --mount --fork --mount-proc true 2>/dev/null && can_unshare=1
peers=
! command -v earlyoom >/dev/null || peers=earlyoom
[ -z "$PEER" ] || peers="$peers $PEER"

row 'what' 'measured' 'must reach' 'others take'

### A decision: a look at the processes, and what follows from it

decision_row() { # WHAT FILE COUNT
	at_most "$(as_ms "$(figure p95_wall_us "$2")")" \
		"$([ "$3" != 10000 ] || echo 25)" ms "$1, $3 processes" \
		"worst $(as_ms "$(figure max_wall_us "$2")"), CPU $(as_ms \
			"$(figure mean_cpu_us "$2")") a look, $(figure \
			judged_per_look "$2") judged "
}

decision_among() { # COUNT GROWING WHAT
	if [ -z "$can_unshare" ]; then
		left_out "$3, $1" 'needs a PID namespace'
	elif in_namespace "$tools/crowd" "$1" "$2" "$tools/decision" /proc \
		>"$work/out" 2>"$work/log"; then
		decision_row "$3" "$work/out" "$1"
	else
		left_out "$3, $1" "$(tail -n 1 "$work/log")"
	fi
}

for count in 100 1000 10000; do
	"$tools/fake_thrash" make "$work/proc" $count
	"$tools/decision" "$work/proc" >"$work/out"
	decision_row 'decision, made-up /proc' "$work/out" $count
	rm -rf "$work/proc"
	decision_among $count 0 'decision, real ones'
done
# more than it remembers, so that each look finds as many new as it may
decision_among 10000 96 'decision, with candidates'

### From the first page that comes back to the first freeze

# react SECONDS: the daemon's reaction, and what it takes, into $work/out
react() {
	"$tools/fake_thrash" make "$work/proc" 300
	"${bin}thrash-protect" --dry-run --proc "$work/proc" --run-dir \
		"$work/run" --marker '' 2>"$work/log" &
	daemon=$!
	sleep "0.5$((${time:-0} * 13 % 100))" # at any moment of a turn
	cpu=$(cpu_us $daemon)
	"$tools/fake_thrash" run "$work/proc" "$work/run/state" "$1" \
		>"$work/out" || echo 'reaction_ms 9999' >"$work/out"
	echo "cpu_us $(($(cpu_us $daemon) - cpu))" >>"$work/out"
	kill $daemon
	wait $daemon
	daemon=
}
for time in $(seq $reactions); do
	react 1
	figure reaction_ms "$work/out" >>"$work/reactions"
done
at_most "$(sort -n "$work/reactions" | sed -n $((reactions / 2 + 1))p)" 100 ms \
	"freeze after the onset (median of $reactions, made-up)"
react $thrash_seconds
at_most "$(awk "BEGIN { printf \"%.2f\", \
	$(figure cpu_us "$work/out") / 10000 / $thrash_seconds }")" 1 % \
	'CPU in a thrash of 300 processes (made-up)'
rm -rf "$work/proc" "$work/run"

### At rest

if [ -n "$can_unshare" ]; then
	for one in daemon $peers; do
		in_namespace rest "$one" >"$work/rest.${one##*/}" &
		running="${running-} $!"
	done
	# shellcheck disable=SC2086
	wait $running
	ours=$work/rest.daemon
	of_peers() { # FIGURE OURS: the ratios
		for one in $peers; do
			theirs=$(figure "$1" "$work/rest.${one##*/}")
			[ -z "$theirs" ] || ratio_to "${one##*/}" "$theirs" "$2"
		done
	}
	held() {
		echo $(($(figure rss_anon_kib "$1") + $(figure locked_kib "$1")))
	}
	for one in daemon $peers; do
		file=$work/rest.${one##*/}
		[ ! -s "$file" ] || echo "held_kib $(held "$file")" >>"$file"
	done
	for part in 'rss_anon_kib|memory of its own' 'locked_kib|locked memory'; do
		value=$(figure "${part%|*}" "$ours")
		at_most "$value" '' kB "${part#*|}" \
			"$(of_peers "${part%|*}" "$value")"
	done
	value=$(figure held_kib "$ours")
	at_most "$value" 1536 kB 'both together' "$(of_peers held_kib "$value")"
	mode=$(figure mode "$ours") value=$(figure wakeups_per_minute "$ours")
	case $mode in
	psi-trigger) limit=1 ;;
	*) limit= ;; # the kernel refuses to wake it
	esac
	at_most "$value" "$limit" '' "wake-ups a minute at rest ($mode)" \
		"$(of_peers wakeups_per_minute "$value")"
	value=$(figure cpu_us_per_s "$ours")
	at_most "$(awk "BEGIN { printf \"%.3f\", $value / 10000 }")" 0.1 % \
		'CPU at rest' "$(of_peers cpu_us_per_s "$value")"
else
	left_out 'memory, wake-ups and CPU at rest' 'needs a PID namespace'
fi

### The plugins, against an empty program that is linked as they are

"${bin}thrash-protect" --dry-run --run-dir "$work/run" --marker '' \
	2>"$work/log" &
daemon=$!
sleep 0.5
commands=$tools/nothing
for check in frozen marker pressure; do
	commands="$commands -- ${bin}check_thrash_$check --run-dir $work/run"
done
for graph in freezes majfault stall swap; do
	commands="$commands -- ${bin}thrash_$graph"
done
# shellcheck disable=SC2086
THRASH_PROTECT_RUN_DIR=$work/run "$tools/spawn" $commands >"$work/out"
nothing_us=$(sed -n '1s/ .*//p' "$work/out")
at_most "$(as_ms "$nothing_us")" '' ms 'an empty program'
sed 1d "$work/out" | while read -r us path; do
	at_most "$(awk "BEGIN { printf \"%.2f\", $us / $nothing_us }")" 1.5 x \
		"${path##*/}, against that" "$(as_ms "$us") ms"
done

# What each needs of memory; static ones.
peak_row() {
	THRASH_PROTECT_RUN_DIR=$work/run "$build/tests/tools/peak" \
		"${bin}$1" >/dev/null 2>"$work/out"
	at_most "$(figure peak_kib "$work/out")" 1024 kB "$1, at its peak"
}
for plugin in check_thrash_frozen check_thrash_marker check_thrash_pressure \
	thrash_freezes thrash_majfault thrash_stall thrash_swap; do
	peak_row $plugin
done
