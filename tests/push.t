#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# thrash-protect-push: its settings, its secrets, its queue, and what a small
# receiver of NRDP and a Pushgateway get, who come and go.
# shellcheck disable=SC2016,SC2317 # code for later; functions run by wait_for
cd "$(dirname "$0")/.." || exit 1
. tests/lib.sh
[ -x "$BIN/thrash-protect-push" ] ||
	skip_all 'needs thrash-protect-push (make push, with libcurl)'
. tests/push-fixture.sh

### settings

# refused PATTERN NAME: one line and exit status 2, nothing started
refused() {
	run timeout 10 "$push" --config "$config" --once
	is "$status $(echo "$err" | grep -c .) $(test -e "$spool" || echo no)" \
		'2 1 no' "$2 ends with 2, one line, and no spool"
	like "$err" "$1" "$2 is what the line is about"
}

put_state 0 1
put_secrets 'token = s3cret&tok en'
put_config 'receiver = nrdp' "credentials = $secrets"
refused 'url is not set' 'no receiver'
put_config 'receiver = nrdp' 'url = https://localhost/'
refused 'nrdp needs credentials with a token' 'no token'
put_config 'url = https://localhost:5665/' "credentials = $secrets"
refused 'icinga2 needs credentials with user and password, or a certificate' \
	'no password'
put_config 'receiver = nrdp' "credentials = $secrets" 'url = http://example.org/nrdp/'
refused 'secrets are sent by https only' 'a receiver without encryption'
put_config 'receiver = nrdp' "credentials = $secrets" \
	'url = http://localhost.example.org/nrdp/'
refused 'secrets are sent by https only' 'one that only begins like this host'
put_config 'receiver = nrdp' "credentials = $secrets" \
	'url = http://localhost/nrdp/' 'proxy = http://proxy.example.org:3128'
refused 'secrets are sent by https only' 'this host, but by a proxy'
put_config 'receiver = nrdp' "credentials = $secrets" \
	'url = https://me:hush@localhost/nrdp/'
refused 'secrets belong into the credentials file' 'a password in a URL'
unlike "$err" hush 'and it is not repeated'
put_config 'pushgateway = http://localhost/' 'host = a/b'
refused 'host: a Pushgateway takes none with a /' 'a name that cannot be in its URL'
put_config 'receiver = icinga2' 'url = https://localhost/' 'host = a!b'
refused "host: Icinga's names have no !" 'one that Icinga would take for two'
put_config 'receiver = smoke'
refused ':.*: receiver: icinga2 or nrdp is expected' 'another kind of receiver'
put_config 'password = hush'
refused 'push.conf:[0-9]*: password is not a setting' \
	'a password among the settings'
put_config 'frozen_options = --help'
refused 'frozen-options: that makes no result' 'a check that is asked for help'
put_config 'frozen_options = -w 5:1'
refused 'frozen-options: option --warning: a range is expected' \
	'a range that a check refuses'
put_config 'receiver = nrdp' "credentials = $secrets" 'url = https://localhost/nrdp/'
for mode in 0640 0604 0610 0700; do
	chmod $mode "$secrets"
	refused "secrets: must belong to user $(id -u) and have mode 0600" \
		"a file of secrets of mode $mode"
done
chmod 0400 "$secrets"
run "$push" --config "$config" --check-config
is "$status $out$err" '0 the settings are valid' 'mode 0400 will do as well'
if [ "$(id -u)" = 0 ]; then
	chown 65534 "$secrets"
	refused 'must belong to user 0' "somebody else's file of secrets"
	chown 0 "$secrets"
else
	skip 'needs root'
	skip 'needs root'
fi
mv "$secrets" "$secrets.real"
ln -s "$secrets.real" "$secrets"
refused 'secrets: ' 'a link in place of the secrets'
rm "$secrets"
refused 'secrets: No such file or directory' 'a missing file of secrets'
mkfifo "$secrets"
refused 'secrets: it is not a file' 'a FIFO in place of the secrets'
rm "$secrets"
mv "$secrets.real" "$secrets"
printf '[credentials]\npasswort = x\n' >"$WORK/bad"
chmod 600 "$WORK/bad"
put_config "credentials = $WORK/bad"
refused "bad:2: user, password or token is expected" 'an unknown secret'
run "$push" --help
like "$out" '^ .*--heartbeat SECONDS' '--help lists the settings'
unlike "$out" '--(user|password|token)' 'but there is no option for a secret'

cp plugins/nagios/examples/thrash-protect-push.conf "$config" # whose it may be
chmod 644 "$config"
run "$push" --config "$config" \
	--check-config --credentials "$WORK/none"
is "$err" "thrash-protect-push: $WORK/none: No such file or directory" \
	'the example lacks nothing but the secrets'
if command -v nagios4 >/dev/null; then
	nagios=$WORK/nagios
	mkdir "$nagios" "$nagios/spool"
	cat >"$nagios/nagios.cfg" <<-END
		log_file=$nagios/log
		cfg_file=$PWD/plugins/nagios/examples/nagios-push.cfg
		cfg_file=$nagios/host.cfg
		object_cache_file=$nagios/objects
		status_file=$nagios/status
		command_file=$nagios/command
		lock_file=$nagios/lock
		temp_file=$nagios/temp
		temp_path=$nagios
		check_result_path=$nagios/spool
		state_retention_file=$nagios/retention
		query_socket=$nagios/query
		use_syslog=0
		illegal_macro_output_chars=\`~$&|"<>
	END
	cat >"$nagios/host.cfg" <<-'END'
		define timeperiod {
			timeperiod_name 24x7
			alias all
			sunday 00:00-24:00
		}
		define command {
			command_name nothing
			command_line /bin/true
		}
		define contact {
			contact_name nobody
			host_notification_commands nothing
			service_notification_commands nothing
			host_notification_period 24x7
			service_notification_period 24x7
		}
		define contactgroup {
			contactgroup_name admins
			members nobody
		}
		define host {
			host_name web1
			hostgroups thrash-protect-push
			address 127.0.0.1
			contacts nobody
			max_check_attempts 1
			check_period 24x7
			notification_period 24x7
		}
	END
	chmod 755 "$WORK" # it runs as a user of its own
	chmod -R a+rwX "$nagios"
	run nagios4 -v "$nagios/nagios.cfg"
	is "$status $(echo "$out" | grep -E '^Total (Warn|Err)' | tr -s ' \n' ' ')" \
		'0 Total Warnings: 0 Total Errors: 0 ' \
		'Nagios accepts the services of the examples' ||
		diag "$(printf "%s\n" "$out" "$err" | grep -E "^Error|Error:" | head -20)"
	like "$out" 'Checked 2 services' 'both of them'
else
	skip 'needs nagios4'
	skip 'needs nagios4'
fi

### the spool

put_config 'receiver = nrdp' "credentials = $secrets" \
	'url = http://127.0.0.1:1/nrdp/'
mkdir -m 755 "$spool"
run timeout 10 "$push" --config "$config" --once
is "$status" 1 'a spool that others may read is refused'
like "$err" "$spool: must belong to user $(id -u) and have mode 0700" \
	'with a line that says so'
rmdir "$spool"
run sh -c 'ulimit -f 0; exec timeout 10 "$@"' sh \
	"$push" --config "$config" --once
is "$status $(waiting)" '1 0' 'where no file may grow it is not killed'
rmdir "$spool"
mkdir -m 700 "$WORK/other"
ln -s "$WORK/other" "$spool"
run timeout 10 "$push" --config "$config" --once
is "$status $(ls "$WORK/other")" '1 ' 'a link in place of the spool is refused'
rm "$spool"
run timeout 10 "$push" --config "$config" --once
is "$status $(waiting)" '1 1' 'without a receiver --once fails, and a result waits'
is "$(stat -c %a "$spool") $(find "$spool" -type f -exec stat -c %a {} +)" \
	'700 600' 'where nobody else can read it'
like "$err" '127.0.0.1:1.*trying again' 'the log says who does not answer'

### a receiver

. tests/push-receiver.sh
server_start
nrdp="url = http://127.0.0.1:$port/nrdp"
put_config 'receiver = nrdp' "credentials = $secrets" "$nrdp"
: >"$server/results"
run timeout 20 "$push" --config "$config" --once
is "$status $(waiting)" '0 0' 'once the receiver is there, --once sends what waited'
is "$(head -n 1 "$server/results")" \
	'web1|frozen|0|FROZEN OK: nothing is frozen | frozen=0;0;5;0 longest=0s;9000000;9000000;0 freezes=1c;;;0' \
	'it is what the check says, with its performance data'
is "$(grep -vc '|frozen|0|FROZEN OK' "$server/results")" 0 'and nothing else'

put_state 2 2
put_config 'receiver = nrdp' "credentials = $secrets" "$nrdp" \
	"host = wéb \"1\"\\" 'frozen_service = fröz <&> en' \
	"frozen_options = -v -w 0 -c 1 --longest-warning 9000000 --longest-critical 9000000"
reset
run timeout 20 "$push" --config "$config" --once
like "$(cat "$server/results")" '^wéb "1"\\\|fröz <&> en\|2\|FROZEN CRITICAL: 2 frozen' \
	'names with any character arrive as they are'
like "$(cat "$server/results")" '\\nhog\[1001\]: .*\\nhog\[1002\]: [^\\]*$' \
	'with -v so do the lines of details'

### it runs

put_config 'receiver = nrdp' "credentials = $secrets" "$nrdp"
reset
put_state 0 10
push_start
wait_for 5 has_results 1
put_state 1 11
wait_for 5 has_results 2
put_state 7 12
wait_for 5 has_results 3
put_state 0 13
wait_for 5 has_results 4
is "$(states)" 0120 'each change of status is sent at once'
is "$(cat "/proc/$push_pid/cmdline" "/proc/$push_pid/environ" "$log" \
	2>"$WORK/null" | tr '\0' '\n' | grep -c s3cret)" 0 \
	'no secret is in the command line, the environment or the log'
run timeout 10 "$push" --config "$config" --once
like "$status $err" '^1 .*another process uses it' \
	'a second one at the same spool is refused'
rm -r "$WORK/proc/4242"
wait_for 5 has_results 5
is "$(states)" 01202 'a daemon that is gone is noticed without any event'
mkdir "$WORK/proc/4242"
echo '4242 (thrash-protect) S 1 4242 4242 0 -1 0 0 0 0 0 0 0 0 0 20 0 1 0 777 9 25 1' \
	>"$WORK/proc/4242/stat"
wait_for 5 has_results 6
mv "$run_dir" "$run_dir.old"
wait_for 5 has_results 7
mkdir "$run_dir"
put_state 0 14
wait_for 5 has_results 8
sleep 1.2
put_state 1 15
wait_for 1 has_results 9
is "$(states)" 012020201 'a run directory that is made anew is watched again'
push_stop
is "$status" 0 'SIGTERM ends it with 0'

put_config 'receiver = nrdp' "credentials = $secrets" "$nrdp" 'heartbeat = 1'
reset
push_start
wait_for 8 has_results 4
is "$(states)" 1111 'without any change there is a heartbeat'
mode busy
sleep 3
is "$(waiting)" 1 'of heartbeats that cannot be sent only the last one waits'
mode up
wait_for 5 is_empty
push_stop

### it goes away and comes back

put_config 'receiver = nrdp' "credentials = $secrets" "$nrdp" \
	'heartbeat = 3600' 'timeout = 0.5'
reset
put_state 0 100
push_start
wait_for 5 has_results 1
# each change is seen: it waits in the spool
wanted=0
count=0
for mode in busy drop page dead busy; do
	mode $mode
	for frozen in 1 7 0 6; do
		count=$((count + 1))
		put_state $frozen $((100 + count))
		wait_for 5 test "$(waiting)" -ge 1
		seen=$(waiting)
		[ $frozen = 0 ] && wanted=${wanted}0
		[ $frozen = 1 ] && wanted=${wanted}1
		[ $frozen = 7 ] && wanted=${wanted}2
		[ $frozen = 6 ] && wanted=${wanted}2
		sleep 0.1
	done
done
is "$(states) $(waiting)" "0 $count" \
	'nothing is taken for sent that has no answer, a wrong one, or 503'
is "$seen" "$count" 'all of it waits'
push_stop
push_start
sleep 0.5
mode up
wait_for 20 is_empty
sleep 0.5
is "$(states)" "${wanted}2" \
	'across a restart nothing is lost: all changes arrive in their order'
is "$(numbers | sort -n | uniq -d | grep -vx $((100 + count)))" '' \
	'nothing is doubled but the status after the restart'
like "$(cat "$log")" 'answers again' 'the log says when it is back'
push_stop

reset
mode dead
push_start
sleep 0.3
mode up
wait_for 5 has_results 1
ok $? 'who takes the request but does not answer is given up in time'
push_stop

### late

reset
mode busy
run timeout 10 "$push" --config "$config" --once
file=$(find "$spool" -type f)
sed -i 's/^\(frozen . change\) .*/\1 1700000000/' "$file"
mode up
run timeout 10 "$push" --config "$config" --once
like "$(head -n 1 "$server/results")" \
	'\|FROZEN CRITICAL: 6 frozen, longest .* \(seen at 2023-11-14T22:13:20Z\) \| frozen=6' \
	'a result that comes late says of when it is'
reset
mode busy
run timeout 10 "$push" --config "$config" --once
file=$(find "$spool" -type f)
echo 'something else' >"$file"
echo half >"$spool/.00000000000000000009.new"
echo mine >"$spool/notes"
mode up
run timeout 10 "$push" --config "$config" --once
is "$status $(states) $(ls -A "$spool")" '0 2 notes' \
	'a damaged file is removed, another one left alone, and the rest goes on'

### a wrong secret

put_secrets 'token = wrong'
reset
run timeout 10 "$push" --config "$config" --once
is "$status $(states) $(waiting)" '1  1' 'a wrong token: not sent, and it waits'
unlike "$err" wrong 'the log does not say which token'
put_secrets 'token = s3cret&tok en'

### many changes, a receiver that is away half of the time

put_config 'receiver = nrdp' "credentials = $secrets" "$nrdp" \
	'heartbeat = 3600' 'timeout = 0.5' 'queue_results = 20'
reset
put_state 0 0
push_start
wait_for 5 has_results 1
memory() {
	awk '/^RssAnon/ { print $2 }' "/proc/$push_pid/status"
}
before=$(memory)
most=0
number=0
while [ $number -lt 1000 ]; do
	number=$((number + 1))
	case $((number % 100)) in
	1) mode busy ;;
	25) mode drop ;;
	51) mode up ;;
	esac
	case $((number % 3)) in
	0) put_state 0 $number ;;
	1) put_state 1 $number ;;
	2) put_state 6 $number ;;
	esac
	[ $((number % 10)) != 0 ] || {
		seen=$(waiting)
		[ "$seen" -le "$most" ] || most=$seen
	}
done
mode up
wait_for 20 is_empty
sleep 0.3
is "$(grep '|frozen|' "$server/results" | tail -n 1 | cut -d '|' -f 3)" 1 \
	'after 1,000 changes the receiver has the right state at the end'
test "$most" -le 21 # one may just be replaced
ok $? "the queue stays within its bound (20; $most seen)"
test "$most" -ge 15
ok $? 'which it has reached'
if [ -n "${SANITIZED-}" ]; then
	skip 'needs a build without a sanitizer, which keeps memory'
else
	test $(($(memory) - before)) -le 512
	ok $? "its memory does not grow ($before kB, then $(memory))"
fi
numbers >"$WORK/numbers"
sort -n "$WORK/numbers" | uniq | cmp -s - "$WORK/numbers" &&
	[ "$(wc -l <"$WORK/numbers")" -ge 30 ]
ok $? "none of $(wc -l <"$WORK/numbers") is doubled, and none overtakes another"
push_stop

### a Pushgateway

put_config 'frozen_service = x' 'heartbeat = 1' \
	"pushgateway = http://127.0.0.1:$port" 'host = web 1'
reset
mode busy
put_state 1 77
push_start
sleep 0.5
put_state 3 78
sleep 0.3
mode up
wait_for 5 test -s "$server/metrics"
push_stop
is "$(head -n 1 "$server/metrics")" \
	'/metrics/job/thrash_protect/instance/web%201' \
	'a Pushgateway is sent the numbers, under the name of the host'
is "$(waiting)" 0 'for it nothing waits: only what is now counts'
like "$(cat "$server/metrics")" '^thrash_protect_freezes_total 78$' \
	'it gets the latest'
tail -n +2 "$server/metrics" >"$WORK/metrics"
THRASH_PROTECT_RUN_DIR=$run_dir "$BIN/thrash-protect" --config /dev/null \
	--proc "$WORK/proc" --status --prometheus | cmp -s - "$WORK/metrics"
ok $? 'which is what --status --prometheus prints'

### encryption

if ! command -v openssl >/dev/null; then
	skip 'needs openssl'
	done_testing
fi
make_certificate() {
	openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj "/CN=$2" \
		-addext "subjectAltName=DNS:$2" -keyout "$WORK/$1.key" \
		-out "$WORK/$1.crt" 2>/dev/null
}
make_certificate good localhost
make_certificate other localhost
make_certificate elsewhere elsewhere.example
end_child TERM "$server_pid"
server_start "$WORK/good.crt" "$WORK/good.key"
# by_https CA HOST: the log of one attempt
by_https() {
	put_config 'receiver = nrdp' "credentials = $secrets" \
		"url = https://$2:$port/nrdp/" "ca = $WORK/$1"
	reset
	run timeout 20 "$push" --config "$config" --once
}
by_https good.crt localhost
is "$status $(states)" '0 1' 'a server whose authority is trusted is sent results'
by_https other.crt localhost
is "$status $(states) $(waiting)" '1  1' 'one of another authority is not'
like "$err" 'https://localhost.*(certificate|SSL)' 'and the log says why'
by_https good.crt 127.0.0.1
is "$status $(states) $(waiting)" '1  1' 'nor is one of another name'
end_child TERM "$server_pid"
server_pid=
done_testing
