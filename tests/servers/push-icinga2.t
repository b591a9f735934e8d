#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# thrash-protect-push against the API of a real Icinga 2, which is started here
# on loopback, without systemd, and told to write down every result it takes.
# shellcheck disable=SC2016,SC2119,SC2120,SC2317 # code for later; functions run by wait_for
cd "$(dirname "$0")/../.." || exit 1
. tests/lib.sh
[ -x "$BIN/thrash-protect-push" ] ||
	skip_all 'needs thrash-protect-push (make push, with libcurl)'
. tests/servers/push-icinga2-fixture.sh

icinga daemon -C -c "$home/etc/icinga2.conf" >"$WORK/pki" 2>&1
ok $? 'Icinga accepts the services of the examples' ||
	diag "$(grep -m 2 -A5 critical "$WORK/pki")"
put_secrets 'user = push' 'password = s3cret'
put_icinga_config 'heartbeat = 3600'

### it works

icinga_start
ok $? 'Icinga is there' || {
	tail -n 5 "$WORK/icinga.log" | sed 's/^/# /'
	done_testing
}
put_state 0 1
push_start
wait_for 10 has_taken 1
put_state 2 2
wait_for 10 is_in 1
ok $? 'frozen processes are WARNING in Icinga'
put_state 7 3
wait_for 10 is_in 2
ok $? 'many are CRITICAL'
put_state 0 4
wait_for 10 is_in 0
ok $? 'none is OK'
wait_for 10 has_taken 4
is "$(states) $(numbers)" '0120 1 2 3 4 ' 'each came once, in this order'
like "$(taken | sed -n 3p)" \
	'\|FROZEN CRITICAL: 7 frozen, longest [0-9.]+ s: hog\[1001\]' \
	'the text is that of the check'
like "$(ask '/v1/objects/services/web1!thrash-protect%20frozen?attrs=last_check_result')" \
	'"check_source":"web1".*"performance_data":\["frozen=0;0;5;0","longest=0s;9000000;9000000;0"' \
	'so is the performance data, one string for each metric'

### it goes down and comes back

sleep 1.1 # what it writes at the end is named by the second, too
icinga_stop
for frozen in 1 6 0 1 0; do
	number=$((${number:-10} + 1))
	seen=$(waiting)
	put_state $frozen $number
	wait_for 5 test "$(waiting)" -gt "$seen"
	sleep 0.2
done
is "$(waiting)" 5 'while it is down all changes wait'
push_stop
push_start
sleep 0.5
put_state 3 16
sleep 0.5
icinga_start
wait_for 20 is_empty
wait_for 10 is_in 1
ok $? 'once it is back it gets the state of now'
wait_for 10 has_taken 11
is "$(states | sed 's/001$/01/')" 0120120101 \
	'nothing is lost and nothing doubled, but the status after a restart of ours'
is "$(numbers | tr ' ' '\n' | sed '/^$/d' | sort -n | uniq -d)" '15' \
	'by their numbers too'
like "$(cat "$log")" 'answers again' 'the log says that it is back'
push_stop

### who is refused

before=$(taken | wc -l)
put_secrets 'user = push' 'password = hush'
run timeout 20 "$push" --config "$config" --once
is "$status $(waiting)" '1 1' 'with a wrong password results wait'
like "$err" 'HTTP status 401 .look at the credentials' 'the log says why'
unlike "$err" hush 'but not with which'
put_secrets 'user = push' 'password = s3cret'
openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj '/CN=other' \
	-keyout "$WORK/other.key" -out "$WORK/other.crt" 2>/dev/null
run timeout 20 "$push" --config "$config" --once --ca "$WORK/other.crt"
is "$status $(waiting)" '1 2' 'of another authority it is sent nothing'
like "$err" 'certificate|SSL' 'and the log says why'
sleep 2.5
is "$(taken | wc -l)" "$before" 'none of these got there'
rm -r "$spool"
put_icinga_config 'frozen_service = nobody knows' 'pressure_service = thrash-protect pressure'
run timeout 20 "$push" --config "$config" --once
is "$status $(waiting)" '0 0' 'an unknown service does not hold up the others'
like "$err" "a result is refused, HTTP status 404: is there a service 'nobody knows'" \
	'and is told'
wait_for 10 eval 'taken "thrash-protect pressure" | grep -q "PRESSURE OK"'
ok $? 'the other has arrived'

### a certificate

cp "$home/data/certs/web1.crt" "$WORK/web1.crt"
(
	umask 077
	cat "$home/data/certs/web1.key" >"$WORK/web1.key"
)
put_config "url = https://localhost:$port" "ca = $home/data/certs/ca.crt" \
	"certificate = $WORK/web1.crt" "key = $WORK/web1.key" \
	'frozen_service = thrash-protect frozen'
before=$(taken | wc -l)
run timeout 20 "$push" --config "$config" --once
is "$status $err" '0 thrash-protect-push: ready
thrash-protect-push: FROZEN WARNING: 3 frozen, longest '"${err##*longest }" \
	'a client certificate does instead of user and password'
wait_for 10 has_taken $((before + 1))
ok $? 'and the result arrives'
chmod 644 "$WORK/web1.key"
run timeout 20 "$push" --config "$config" --once
is "$status" 2 'a key that others may read is refused'

### heartbeats and freshness

put_secrets 'user = push' 'password = s3cret'
put_icinga_config 'heartbeat = 1' 'poll = 0.5'
before=$(taken | wc -l)
push_start
wait_for 10 has_taken $((before + 4))
ok $? 'without any change there are heartbeats'
kill -KILL "$push_pid"
wait "$push_pid" 2>"$WORK/null"
push_pid=
wait_for 15 is_in 3
ok $? 'when they stop, Icinga makes the service UNKNOWN'
like "$(ask '/v1/objects/services/web1!thrash-protect%20frozen?attrs=last_check_result')" \
	'"output":"No result from thrash-protect-push' \
	'with the text of the example'
push_start
wait_for 10 is_in 1
ok $? 'and what it is when they go on'
push_stop
icinga_stop
done_testing
