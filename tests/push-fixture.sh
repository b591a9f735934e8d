# shellcheck shell=sh
# SPDX-License-Identifier: GPL-3.0-or-later
# A made-up host for tests of thrash-protect-push, sourced after tests/lib.sh.

push=$BIN/thrash-protect-push
run_dir=$WORK/run
spool=$WORK/spool
config=$WORK/push.conf
secrets=$WORK/secrets
log=$WORK/log
mkdir -p "$run_dir" "$WORK/proc/1" "$WORK/proc/4242" "$WORK/proc/pressure"
echo '1 (init) S 0 1 1 0 -1 0 0 0 0 0 0 0 0 0 20 0 1 0 1 9 25 1' \
	>"$WORK/proc/1/stat"
echo '4242 (thrash-protect) S 1 4242 4242 0 -1 0 0 0 0 0 0 0 0 0 20 0 1 0 777 9 25 1' \
	>"$WORK/proc/4242/stat"
printf 'pswpin 1\npswpout 1\npgmajfault 1\n' >"$WORK/proc/vmstat"
for push_file in memory io; do
	printf '%s avg10=0.00 avg60=0.00 avg300=0.00 total=1\n' some full \
		>"$WORK/proc/pressure/$push_file"
done
export THRASH_PROTECT_PROC="$WORK/proc"
push_boottime=$(awk '{ printf "%d", $1 * 1000 }' /proc/uptime)
push_pid=

# put_state FROZEN NUMBER: so many are frozen; the number is in the results
put_state() {
	{
		echo "format 1
version 1.2.3
pid 4242
pid_start_time 777
boottime_ms $push_boottime
fresh_for_ms 3600000
mode psi-trigger
verdict calm
freezes_total $2
pgmajfault 1
frozen_processes $1
longest_frozen_ms $(($1 > 0))"
		push_frozen=0
		while [ $push_frozen -lt "$1" ]; do
			push_frozen=$((push_frozen + 1))
			echo "frozen $((1000 + push_frozen)) 5 1 signal batch hog"
		done
	} >"$run_dir/.state.new"
	mv "$run_dir/.state.new" "$run_dir/state"
}

# put_config LINE...: with what all tests want
put_config() {
	{
		printf '%s\n' '[thrash-protect-push]' "run_dir = $run_dir" \
			"spool = $spool" 'host = web1' 'interval = 0.01' \
			'poll = 1' 'retry = 0.05' 'retry_max = 0.2' \
			'frozen_service = frozen' 'pressure_service =' \
			'frozen_options = --longest-warning 9000000 --longest-critical 9000000'
		printf '%s\n' "$@"
	} >"$config"
}

put_secrets() {
	(
		umask 077
		rm -f "$secrets"
		printf '%s\n' '[credentials]' "$@" >"$secrets"
	)
}

push_start() {
	: >"$log" # of the last one
	"$push" --config "$config" 2>"$log" &
	push_pid=$!
	wait_for 5 grep -q ready "$log"
}

push_stop() {
	end_child TERM "$push_pid"
	push_pid=
}

# shellcheck disable=SC2016 # for later
at_exit '[ -z "$push_pid" ] || kill -KILL "$push_pid"'

# waiting: how many results wait
waiting() {
	find "$spool" -type f 2>/dev/null | wc -l
}

is_empty() {
	[ "$(waiting)" = 0 ]
}
