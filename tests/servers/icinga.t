#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# The checks behind a real Icinga 2 with plugins/nagios/examples/icinga2.conf:
# started by itself, by way of NRPE, and passive.  States and performance data
# are read back through its API, and its own parser says what it finds in
# them, while a daemon freezes real processes.
cd "$(dirname "$0")/../.." || exit 1
# shellcheck source=tests/lib.sh
. tests/lib.sh
# shellcheck source=tests/servers/lib.sh
. tests/servers/lib.sh
# shellcheck source=tests/servers/host-fixture.sh
. tests/servers/host-fixture.sh

# A check each second looks back five.
interval_s=1
since_s=5

outside() {
	servers_need icinga2 nrpe curl perl ip
	host_outside
}

# What is an hour of waiting elsewhere is seconds here.
make_hosts() {
	for kind in local nrpe passive; do
		cat <<END
object Host "host-$kind" {
	check_command = "dummy"
	address = "127.0.0.1"
	vars.thrash_protect = "$kind"
}
END
	done
}

# set_attributes HOST CHECK JSON
set_attributes() {
	icinga POST "/v1/objects/services/host-$1!thrash-$2" \
		"{\"attrs\":{$3}}" >/dev/null
}

# hurry HOST CHECK: it has an interval of a minute
hurry() {
	set_attributes "$1" "$2" "\"check_interval\":$interval_s,
		\"retry_interval\":$interval_s"
	icinga POST '/v1/actions/reschedule-check' "{\"type\":\"Service\",
		\"filter\":\"service.__name == \\\"host-$1!thrash-$2\\\"\",
		\"force\":true}" >/dev/null
}

# attribute HOST CHECK NAME
attribute() {
	icinga GET "/v1/objects/services/host-$1!thrash-$2?attrs=${3%%.*}" |
		json "results.0.attrs.$3"
}

# state HOST CHECK: its number and what it says
state() {
	attributes=$(icinga GET "/v1/objects/services/host-$1!thrash-$2" |
		json results.0.attrs)
	echo "$(printf '%s\n' "$attributes" | json state)" \
		"$(printf '%s\n' "$attributes" | json last_check_result.output)"
}

# As words: label value unit warning critical minimum maximum; "-" for nothing.
words() {
	perl -MJSON::PP -e '
		my $json = JSON::PP->new->canonical->allow_nonref;
		for my $metric (@{ $json->decode(join "", <STDIN>) }) {
			print join(" ", map { length($_ // "") ? $_ : "-" }
				@$metric{qw(label value unit warn crit min max)}),
				$metric->{counter} ? " counter\n" : "\n";
		}'
}

# metrics HOST CHECK: as Icinga's parser reads what it has kept
metrics() {
	icinga_eval "get_service(\"host-$1\", \"thrash-$2\").last_check_result.\
performance_data.map(text => parse_performance_data(text))" | words
}

state_matches() {
	state "$1" "$2" | grep -Eq -e "$3"
}

# becomes HOST CHECK PATTERN NAME: soon
becomes() {
	wait_for 20 state_matches "$1" "$2" "$3"
	ok $? "$4" || diag "$(state "$1" "$2")" "wanted: $3"
}

# both_become CHECK PATTERN NAME
both_become() {
	becomes local "$1" "$2" "$3"
	becomes nrpe "$1" "$2" "$3, by NRPE"
}

# send CHECK: as a passive result what the check says now
send() {
	# shellcheck disable=SC2154,SC2086 # words, of lib.sh
	run $as_nagios "/usr/lib/nagios/plugins/check_thrash_$1"
	icinga POST "/v1/actions/process-check-result?service=host-passive!thrash-$1" \
		"$(printf '%s\n' "$out" | perl -MJSON::PP -e '
			my ($text, $data) = split / \| /, <STDIN>, 2;
			chomp($data //= "");
			print encode_json({exit_status => shift,
				plugin_output => $text,
				performance_data => [split / /, $data]})' \
			"$status")" >/dev/null
}

# is_prompt HOST: but for the second in which it was published, no check that was
# started after the freeze may have said OK
is_prompt() {
	last_ok=$(attribute "$1" frozen last_state_ok)
	first=$(attribute "$1" frozen last_state_change)
	since=$(host_frozen_since)
	awk "BEGIN { exit !($last_ok < $since + 2 &&
		$first - $since < $interval_s + 2) }"
	ok $? "frozen processes are there within a check interval ($1)" ||
		diag "frozen at $since, last OK at $last_ok, other at $first"
}

test_calm() {
	both_become frozen '^0 FROZEN OK: nothing is frozen; worst in 5 s' \
		'nothing frozen is OK in Icinga'
	both_become marker '^0 MARKER OK: ' 'no marker is OK in Icinga'
	both_become pressure '^[0-2] PRESSURE [A-Z]+: .*swap-in 0 kB/s' \
		'the pressure is there in Icinga'
	is "$(metrics nrpe frozen)" 'frozen 0 - - - 0 -
longest 0 seconds - - 0 -
freezes 0 - - - 0 -
frozen_worst 0 - 0 5 0 -
longest_worst 0 seconds 90 300 0 -' 'the performance data of an active check is there, by NRPE'
}

# What is passed over when only the moment of a check counts.
test_past() {
	for host in local nrpe; do
		set_attributes $host frozen '"enable_active_checks":false'
	done
	sleep 1 # for one that has been started
	host_freeze
	sleep 1
	host_thaw
	for host in local nrpe; do
		set_attributes $host frozen '"enable_active_checks":true'
	done
	both_become frozen \
		'^1 FROZEN WARNING: nothing is frozen; worst in .*: [1-4] frozen, .*hog\[' \
		'a freeze between two checks is seen in Icinga'
	both_become frozen '^0 ' 'for so long as the check looks back'
	host_renew_hogs
}

test_frozen() {
	host_freeze
	ok $? 'processes are frozen' || diag "$(cat "$WORK/daemon.log")"
	both_become frozen \
		'^1 FROZEN WARNING: [1-4] frozen, longest .*: hog\[[0-9]+\]' \
		'frozen processes are a WARNING in Icinga, with their names'
	is_prompt local
	is_prompt nrpe
	like "$(metrics local frozen)" '^frozen_worst [1-4] - 0 5 0 -$' \
		'and their number is in the performance data'
	send frozen
	becomes passive frozen '^1 FROZEN WARNING: [1-4] frozen, ' \
		'a passive result is a WARNING'
	like "$(metrics passive frozen)" '^longest [0-9.]+ seconds 90 300 0 -$' \
		'and has its performance data'
	both_become marker '^1 MARKER WARNING: frozen for ([5-9]|[1-9][0-9])' \
		'a marker that is older than 5 s is a WARNING in Icinga'
	like "$(metrics local marker)" '^age [0-9.]+ seconds 5 60 0 -$' \
		'and its age is in the performance data'
}

test_many() {
	host_add_hogs
	wait_for 20 host_has_many
	both_become frozen '^2 FROZEN CRITICAL: [6-9] frozen, ' \
		'many frozen processes are CRITICAL in Icinga'
	send frozen
	becomes passive frozen '^2 FROZEN CRITICAL: [6-9] frozen, ' \
		'a passive result is CRITICAL'
	host_thaw
	both_become frozen '^0 FROZEN OK' 'and OK when the thrash is over'
	send frozen
	becomes passive frozen '^0 FROZEN OK: nothing' \
		'so it is with a passive result'
}

test_unknown() {
	chmod 700 /run/thrash-protect
	both_become frozen '^3 FROZEN UNKNOWN: .*Permission denied' \
		'what may not be read is UNKNOWN in Icinga'
	send frozen
	becomes passive frozen \
		'^3 FROZEN UNKNOWN: .*Permission denied' \
		'a passive result is UNKNOWN'
	chmod 755 /run/thrash-protect
	becomes local frozen '^0 ' 'and OK again when it may be read'
	hurry passive pressure
	becomes passive pressure '^3 No Passive Check Result Received' \
		'a passive service without results is UNKNOWN'
}

# With limits of every kind.
say_all() {
	for range in 5 0 1.5 .25 0:7 :7 '~:9' 3: 1:2 @2:3 @:4; do
		"$BIN/check_thrash_frozen" -w "$range" -c "$range" --orphans \
			--longest-warning "$range" --longest-critical "$range"
		"$BIN/check_thrash_marker" -w "$range" -c "$range"
		set -- -w "$range" -c "$range" --interval 0.1
		for what in swap-in swap-out refaults major-faults io-stall; do
			set -- "$@" --$what-warning "$range" \
				--$what-critical "$range"
		done
		"$BIN/check_thrash_pressure" "$@"
	done
}

# What is to be found in them: limits only if they mean "not above".
expected() {
	awk -F '[=;]' '
		function number(text) {
			sub(/^\./, "0.", text)
			return text == "" ? "-" : text
		}
		{
			unit = $2
			gsub(/[0-9.]/, "", unit)
			sub(/[^0-9.]+$/, "", $2)
			name = unit == "s" ? "seconds" : unit == "B" ? "bytes" \
				: unit == "%" ? "percent" : "-"
			print $1, $2, name, number($3), number($4), number($5),
				number($6)
		}'
}

test_parser() {
	say_all | sed -n 's/^[A-Z]* [A-Z]*: [^|]* | //p' | tr ' ' '\n' |
		sort -u >"$WORK/metrics"
	icinga_eval "[$(sed 's/.*/parse_performance_data({{{&}}}),/' \
		"$WORK/metrics" | tr -d '\n' | sed 's/,$//')]" | words >"$WORK/read"
	expected <"$WORK/metrics" >"$WORK/expected"
	[ "$(wc -l <"$WORK/metrics")" -gt 50 ] &&
		diff "$WORK/expected" "$WORK/read" >"$WORK/difference"
	ok $? "Icinga reads the performance data as they are meant" ||
		diag "$(cat "$WORK/difference")"
}

test_gone() {
	end_child TERM "$daemon"
	both_become frozen \
		'^2 FROZEN CRITICAL: the daemon is not running ' \
		'a daemon that is not there is CRITICAL in Icinga'
}

inside_namespace() {
	host_begin && host_install /usr/lib/nagios/plugins 'check_thrash_*'
	ok $? 'a host has been made' || exit 1
	daemon_start
	nrpe_start nrpe 5666
	ok $? 'NRPE is there' || diag "$(cat "$WORK"/*.out)"
	make_hosts >"$WORK/hosts.conf"
	icinga_prepare 5665
	ok $? 'Icinga has its keys' || diag "$(cat "$WORK/icinga.keys")"
	icinga_start "$WORK/hosts.conf" plugins/nagios/examples/icinga2.conf
	ok $? 'Icinga is there' || diag "$(cat "$WORK"/icinga.*)"
	unlike "$(cat "$WORK/icinga.check")" '(warning|critical)/' \
		'Icinga has no objection to the examples'
	for host in local nrpe; do
		for check in frozen marker pressure; do
			hurry $host $check
		done
	done
	test_calm
	test_past
	test_frozen
	test_many
	test_parser
	test_unknown
	test_gone
	exit 0
}

"${1:-outside}"
