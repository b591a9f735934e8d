#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# --status --prometheus: what node_exporter's textfile collector is given.
cd "$(dirname "$0")/.." || exit 1
. tests/lib.sh

run_dir=$WORK/run
proc=$WORK/proc
mkdir -p "$run_dir" "$proc/1" "$proc/4242"
echo '1 (init) S 0 1 1 0 -1 0 0 0 0 0 0 0 0 0 20 0 1 0 1 9 25 1' >"$proc/1/stat"
echo '4242 (thrash-protect) S 1 4242 4242 0 -1 0 0 0 0 0 0 0 0 0 20 0 1 0 777 9 25 1' \
	>"$proc/4242/stat"

# A state of just now, with two processes frozen.
cat >"$run_dir/state" <<END
format 1
version 1.2.3~rc1
pid 4242
pid_start_time 777
boottime_ms $(awk '{ printf "%d", $1 * 1000 }' /proc/uptime)
fresh_for_ms 60000
mode psi-trigger
verdict thrashing
stall_permille 312
page_cost_us 95
stall_us_total 123456789
thrash_us_total 1000001
freezes_total 18446744073709551615
thaws_total 5
rotations_total 4
freezes_unhelpful_total 3
paged_out_bytes_total 4096
prefetched_bytes_total 8192
frozen_us_total 1500000
longest_gap_ms 13
pswpin 21
pswpout 22
pgmajfault 23
frozen_processes 2
longest_frozen_ms 1500
frozen 1234 5678901 1500 signal batch convert
frozen 1235 5678902 20 cgroup batch "a\\040{b}
END

status_of() {
	run "$BIN/thrash-protect" --config /dev/null --run-dir "$run_dir" \
		--proc "$proc" --status --prometheus
	printf '%s\n' "$out" >"$WORK/metrics"
}

# Each metric has HELP, then TYPE, then its one sample; nothing else is there,
# nothing comes twice, and only counters end in _total.
is_strict() {
	awk '
		NR % 3 == 1 { name = $3; good = /^# HELP thrash_protect_[a-z_]+ [A-Z].*\.$/ }
		NR % 3 == 2 {
			good = $0 == "# TYPE " name " " \
				(name ~ /_total$/ ? "counter" : "gauge")
		}
		NR % 3 == 0 {
			good = $0 ~ "^" name "([{][a-z]+=\"[-A-Za-z0-9.+~_:]+\"[}])? [0-9]+([.][0-9]+)?$"
			good = good && !seen[name]++
		}
		!good { print "# " $0; bad = 1 }
		END { exit bad || !NR || NR % 3 }
	' "$1"
}

# valid NAME
valid() {
	is_strict "$WORK/metrics"
	ok $? "$1 is told in the text format"
	if command -v promtool >/dev/null; then
		said=$(promtool check metrics <"$WORK/metrics" 2>&1)
		is "$? $said" '0 ' "promtool finds nothing in it"
	else
		skip 'needs promtool'
	fi
}

status_of
is "$status $err" '0 ' 'a running daemon is success'
valid 'what a thrashing host published'
is "$(grep -v '^#' "$WORK/metrics")" 'thrash_protect_up 1
thrash_protect_version_info{version="1.2.3~rc1"} 1
thrash_protect_mode_info{mode="psi-trigger"} 1
thrash_protect_verdict_info{verdict="thrashing"} 1
thrash_protect_stall_ratio 0.312
thrash_protect_page_cost_seconds 0.000095
thrash_protect_stall_seconds_total 123.456789
thrash_protect_thrash_seconds_total 1.000001
thrash_protect_freezes_total 18446744073709551615
thrash_protect_thaws_total 5
thrash_protect_rotations_total 4
thrash_protect_freezes_unhelpful_total 3
thrash_protect_paged_out_bytes_total 4096
thrash_protect_prefetched_bytes_total 8192
thrash_protect_frozen_process_seconds_total 1.500000
thrash_protect_longest_gap_seconds 0.013
thrash_protect_frozen_processes 2
thrash_protect_longest_frozen_seconds 1.500' \
	'every number is there, in seconds, bytes and ratios'
told=$(sed -n 's/^\([a-z_]*\) .*/\1/p' "$run_dir/state" | grep '_total$' |
	sed 's/_us_/_seconds_/; s/frozen_seconds/frozen_process_seconds/')
is "$(grep -o '^thrash_protect_[a-z_]*_total' "$WORK/metrics" |
	sed 's/thrash_protect_//')" "$told" \
	'every total of the state file is told, and no other'

# The lines of the README and the manual page, as somebody else's copy.
collector=$WORK/collector
mkdir "$collector"
sed -n 's/^ *[*] [*] [*] [*] [*] root \(.*--prometheus.*\)/\1/p' README.md \
	>"$WORK/cron"
sed -n '/^\.Dl cd .*node-exporter$/,/^\.Pp/s/^\.Dl //p' daemon/thrash-protect.8 \
	>"$WORK/page"
for example in cron page; do
	sed -i "s|/var/lib/prometheus/node-exporter|$collector|" "$WORK/$example"
	rm -f "$collector/"*
	run env "PATH=$BIN:$PATH" THRASH_PROTECT_CONFIG=/dev/null \
		"THRASH_PROTECT_RUN_DIR=$run_dir" "THRASH_PROTECT_PROC=$proc" \
		sh -ec "$(cat "$WORK/$example")"
	is "$status $out$err $(ls -A "$collector")" '0  thrash-protect.prom' \
		"the example ($example) leaves one file"
	cmp -s "$WORK/metrics" "$collector/thrash-protect.prom"
	ok $? 'with all metrics'
	is "$(sed -n 's/.*mv \(.\).* .*[.]prom.*/\1/p' "$WORK/$example")" . \
		'written under a name that the collector does not read'
done

rm -r "$proc/4242"
status_of
is "$status" 1 'a daemon that is gone is failure'
like "$out" '^thrash_protect_up 0$' 'and says so in the text'
valid 'what it left behind'

rm "$run_dir/state"
status_of
is "$status $(grep -v '^#' "$WORK/metrics")" '1 thrash_protect_up 0' \
	'without a state only that is told: nobody is there'
valid 'that, too,'
done_testing
