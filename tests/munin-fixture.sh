# shellcheck shell=sh
# SPDX-License-Identifier: GPL-3.0-or-later
# Hosts and states for the Munin plugins, made up below $WORK.  To be sourced
# after tests/lib.sh.
#
#   $plugins
#   $now $old $psi0 $noswap $empty     what is in place of /proc
#   $calm $busy $dead $hostile $full   run directories; also $WORK/run-silent
#   make_state, make_process           more of them
#   on PROC RUN_DIR                    where plugins look from now on
#   has TEXT LINE NAME                 a result: that whole line is in the text
# shellcheck disable=SC2034 # of the variables some are for one test only

unset warning critical MUNIN_CAP_DIRTYCONFIG
plugins='thrash_majfault thrash_swap thrash_freezes thrash_stall'
chmod 755 "$WORK" # Munin runs plugins as nobody

# has TEXT LINE NAME
has() {
	printf '%s\n' "$1" | grep -qxF -e "$2"
	ok $? "$3" || diag "no line \"$2\" in:
$1"
}

# on PROC RUN_DIR
on() {
	THRASH_PROTECT_PROC=$1
	THRASH_PROTECT_RUN_DIR=$2
	export THRASH_PROTECT_PROC THRASH_PROTECT_RUN_DIR
}

# make_process DIRECTORY PID START_TIME
make_process() {
	mkdir -p "$1/$2"
	echo "$2 (a) b) S 1 $2 $2 0 -1 4194560 1 0 2 0 3 4 0 0 20 0 1 0 $3" \
		"1000000 25 18446744073709551615" >"$1/$2/stat"
}

pressure() {
	echo "some avg10=0.00 avg60=1.25 avg300=0.05 total=$1"
	echo "full avg10=0.00 avg60=0.00 avg300=0.00 total=$2"
}

# A host of today: counters beyond 2^53, which a double cannot hold.
now=$WORK/now
mkdir -p "$now/pressure"
cat >"$now/vmstat" <<'EOF'
nr_free_pages 181517
workingset_refault_anon 9007199254740993
workingset_refault_file 18446744073709551615
pswpin 5
pswpout 2199023255553
pgmajfault 9007199254740995
EOF
pressure 12345678 20000 >"$now/pressure/memory"
pressure 9007199254740993 9999 >"$now/pressure/io"
make_process "$now" 1 3
make_process "$now" 4242 777

# Linux 4.4.
old=$WORK/old
mkdir -p "$old"
cat >"$old/vmstat" <<'EOF'
nr_free_pages 181517
workingset_refault 31
workingset_activate 7
pswpin 1
pswpout 2
pgmajfault 3
EOF
make_process "$old" 1 3

# psi=0: the files are there and cannot be read.
psi0=$WORK/psi0
mkdir -p "$psi0/pressure/memory" "$psi0/pressure/io"
cp "$now/vmstat" "$psi0"

# A kernel that cannot swap.
noswap=$WORK/noswap
mkdir "$noswap"
sed '/pswp/d' "$now/vmstat" >"$noswap/vmstat"

empty=$WORK/empty
mkdir "$empty"

# make_state NAME [FROZEN_LINE...]; variables change single lines.  Written in
# the future: 0 s old however long the test takes.
make_state() {
	run=$WORK/run-$1
	shift
	mkdir -p "$run"
	{
		cat <<EOF
format 1
version 1.0.0
pid 4242
pid_start_time ${start_time:-777}
boottime_ms ${boottime_ms:-9000000000000}
fresh_for_ms ${fresh_for_ms:-60000}
mode psi-trigger
verdict thrashing
thrash_us_total 29999
freezes_total 9007199254740993
thaws_total 41
frozen_us_total 7999999
frozen_processes $#
longest_frozen_ms ${longest_ms:-0}
EOF
		for frozen; do
			printf 'frozen %s\n' "$frozen"
		done
	} >"$run/state"
}

make_state calm
calm=$run
longest_ms=61005 make_state busy \
	'1234 99 61005 signal batch make' \
	'77 98 249 signal batch tmux:\040server'
busy=$run
start_time=778 make_state dead
dead=$run
boottime_ms=1 fresh_for_ms=1 make_state silent

# Names that somebody has chosen to do harm, and as many as there can be.
# shellcheck disable=SC2016 # nothing is to be expanded
make_state hostile \
	'11 1 0 signal batch #\040timeout' \
	'12 1 0 signal batch a\012x.value\0401' \
	'13 1 0 signal batch ${var:host}' \
	'14 1 0 signal batch \134n\134t|;`x`' \
	'15 1 0 signal batch <b>"&'\' \
	'16 1 0 signal batch a,\0401\040init' \
	'17 1 0 signal batch \303\251\377\033[1m'
hostile=$run
set --
while [ $# -lt 256 ]; do
	set -- "$@" "$((2147483000 + $#)) 1 18446744073709551\
 signal batch aaaaaaaaaaaaaaa"
done
make_state full "$@"
full=$run
