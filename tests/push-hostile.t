#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# thrash-protect-push among those who mean it ill, and where the host fails it:
# receivers, names that nobody looks up, planted files, a full disk, too few
# descriptors, an end in the midst.  As root in namespaces of its own.
# shellcheck disable=SC2016,SC2154,SC2317 # code for later; from the fixtures; functions run by wait_for
if [ "$(id -u)" = 0 ] && [ -z "${PUSH_HOSTILE-}" ] &&
	unshare --mount --net true 2>/dev/null; then
	PUSH_HOSTILE=apart exec unshare --mount --net "$0" "$@"
fi
cd "$(dirname "$0")/.." || exit 1
. tests/lib.sh
[ -x "$BIN/thrash-protect-push" ] ||
	skip_all 'needs thrash-protect-push (make push, with libcurl)'
. tests/push-fixture.sh
. tests/push-receiver.sh
[ -z "${PUSH_HOSTILE-}" ] || ip link set lo up

# skip_but_apart N: as many tests need what only root can make
skip_but_apart() {
	[ -z "${PUSH_HOSTILE-}" ] || return 1
	for _ in $(seq "$1"); do
		skip 'needs root, and namespaces'
	done
}

# within SECONDS COMMAND...: fails when it took longer
within() {
	within_limit=$1
	within_start=$(date +%s)
	shift
	"$@"
	[ $(($(date +%s) - within_start)) -le "$within_limit" ]
}

# took SECONDS COMMAND...: the same of a program that is run
took() {
	took_limit=$1
	shift
	within "$took_limit" run timeout 60 "$@"
}

once() {
	run timeout 20 "$push" --config "$config" --once "$@"
}

put_state 1 1
put_secrets 'token = s3cret&tok en'
server_start
nrdp="url = http://127.0.0.1:$port/nrdp"

### receivers

put_config 'receiver = nrdp' "credentials = $secrets" "$nrdp" 'timeout = 1'
for mode in busy broken missing limit page redirect dead drop garbage cut body \
	headers continues drip; do
	reset
	mode $mode
	took 4 "$push" --config "$config" --once
	is "$? $status $(waiting) $(states)" '0 1 1 ' \
		"from who is $mode it turns away soon, and keeps the result"
	printf '%s\n' "$err" | tail -n 1 >"$WORK/line"
	like "$(cat "$WORK/line")" ': 127.0.0.1|http://127.0.0.1:.*; trying again$' \
		'after one line that says so'
done
[ ! -e "$server/elsewhere" ]
ok $? 'nobody else was sent anything'
mode up
once
is "$status $(states | tr -s 1)" '0 1' 'once it is well, all is'
for mode in body headers; do
	reset
	mode $mode
	push_start
	wait_for 3 grep -q 'trying again' "$log"
	if [ -n "${SANITIZED-}" ]; then
		skip 'needs a build without a sanitizer, which keeps memory'
	else
		most=$(awk '/^VmHWM/ { print $2 }' "/proc/$push_pid/status")
		test "$most" -le 24576
		ok $? "a $mode without an end is not kept ($most kB at most)"
	fi
	push_stop
done

reset
mode lost
push_start
wait_for 5 test "$(grep -sc . "$server/results")" -ge 2
mode up
wait_for 5 is_empty
ok $? 'a result whose answer got lost is sent until one comes'
is "$(numbers | sort -u)" 1 'which is always the same result'
push_stop

### the log

reset
mode busy
push_start
sleep 0.7
mode drop
sleep 0.7
mode missing
sleep 0.7
push_stop
is "$(grep -c 'trying again' "$log")" 3 \
	'of failures in a row each other cause is told once'
put_config 'receiver = nrdp' "credentials = $secrets" "$nrdp" \
	'heartbeat = 1' 'poll = 0.2'
for mode in narrow up narrow; do
	[ $mode = up ] || reset
	mode $mode
	[ -n "$push_pid" ] || push_start
	sleep 2.2
done
push_stop
is "$(grep -c 'a result is refused, HTTP status 413' "$log") $(waiting)" '2 0' \
	'what is refused for good does not wait, and is told once in a row'
put_config 'receiver = nrdp' "credentials = $secrets" "$nrdp" \
	'queue_results = 10' 'retry = 5' 'retry_max = 5'
reset
mode busy
push_start
for number in $(seq 16); do
	put_state $((number % 2)) "$number"
	sleep 0.05
done
mode up
wait_for 10 is_empty
push_stop
is "$(grep -o 'older results go\|[0-9]* results had to go so far' "$log" |
	tr '\n' ' ' | tr -d 0-9)" \
	'older results go  results had to go so far ' \
	'that the queue is full is told once, and how many went when it is over'

put_config 'receiver = nrdp' "credentials = $secrets" "$nrdp"
reset
mode busy
put_state 0 1
for number in 2 3 4; do
	once
	put_state 0 $number
done
put_state 1 5
once
once
mode up
once
is "$(states) $(numbers | tr '\n' ' ')" '0011 1 3 5 5 ' \
	'of many starts without a change only the last result waits'

### its end in the midst

put_config 'receiver = nrdp' "credentials = $secrets" "$nrdp"
put_state 1 1
reset
mode slow
push_start
wait_for 5 has_results 1
push_stop
is "$status $(states) $(waiting)" '0 1 0' \
	'SIGTERM waits for the answer that is under way, so that nothing comes twice'
mode dead
push_start
sleep 0.3
within 3 push_stop
is "$? $(waiting)" '0 1' 'but not for long, and what has no answer waits'
push_start
sleep 0.3
end_child KILL "$push_pid"
push_pid=
mode up
once
is "$status $(states | sed 's/^1*$/1/') $(waiting)" '0 1 0' \
	'nor does it get lost when it is killed'

### files

reset
mode busy
once
echo mine >"$WORK/mine"
ln -s "$WORK/mine" "$spool/00000000000000000100"
ln -s "$WORK/mine" "$spool/.00000000000000000101.new"
mkfifo "$spool/00000000000000000102"
mkdir "$spool/00000000000000000103"
head -c 100000 /dev/urandom >"$spool/00000000000000000104"
: >"$spool/00000000000000000105"
head -c 3000 /dev/urandom >"$spool/00000000000000000106"
cp "$spool/00000000000000000001" "$spool/18446744073709551615"
echo x >"$spool/notes"
mode up
took 10 "$push" --config "$config" --once
is "$? $status $(states | tr -s 1)" '0 0 1' \
	'whatever lies in the spool, results are sent'
is "$(find "$spool" -mindepth 1 -printf '%f\n' | sort | tr '\n' ' ')" \
	'00000000000000000103 18446744073709551615 notes ' \
	'what has the name of a result and is none is removed'
is "$(cat "$WORK/mine")" mine 'a link is removed, not what it leads to'
rm -rf "$spool"

# bad NAME: refused with one line that can be printed
bad() {
	run timeout 10 "$push" --config "$config" --check-config
	is "$status $(printf '%s\n' "$err" | grep -c .)" '2 1' \
		"$1 is refused in one line"
	unlike "$err" '[^ -~]' 'which can be printed'
}

put_config 'receiver = nrdp' "credentials = $secrets" "$nrdp"
cp "$config" "$WORK/good.conf"
printf 'host = a\0b\n' >>"$config"
bad 'a NUL in the settings'
cp "$WORK/good.conf" "$config"
printf '\377\033[2J\001 = x\n' >>"$config"
bad 'a name of other bytes'
head -c 20000 /dev/urandom >"$config"
bad 'what is no text'
{
	cat "$WORK/good.conf"
	yes '# a comment that goes on' | head -n 1000
} >"$config"
bad 'more than 16 KiB of settings'
rm "$config"
mkfifo "$config"
bad 'a FIFO in place of the settings'
rm "$config"
mkdir "$config"
bad 'a directory in place of the settings'
rmdir "$config"
for mode in 0664 0646; do
	cp "$WORK/good.conf" "$config"
	chmod $mode "$config"
	bad "settings of mode $mode"
	like "$err" 'others than root and user [0-9]* can write it' \
		'because secrets go where they say'
done
rm "$config"
cp "$WORK/good.conf" "$config"
if [ "$(id -u)" = 0 ]; then
	chown 65534 "$config"
	bad "somebody else's settings"
	chown 0 "$config"
else
	skip 'needs root'
	skip 'needs root'
fi
for text in 'hush=hush' 'hush' 'hush: x' '[hush]' 'password = x\0hush' \
	'\377hush = \377'; do
	# shellcheck disable=SC2059 # escapes
	printf "[credentials]\n$text\n" >"$secrets"
	bad "'$text' among the secrets"
	unlike "$err" hush 'and is not repeated'
done
{
	echo '[credentials]'
	yes 'token = hush' | head -n 1000
} >"$secrets"
bad 'more than 4 KiB of secrets'
put_secrets 'token = s3cret&tok en'

### the host

if command -v prlimit >/dev/null; then
	reset
	mode busy
	push_start
	wait_for 5 grep -q 'trying again' "$log"
	prlimit --pid "$push_pid" --nofile=3:1024
	mode up
	sleep 0.5
	put_state 0 2
	sleep 0.5
	is "$(waiting)" 1 'who has no descriptor left removes nothing'
	unlike "$(cat "$log")" damaged 'and does not call it damaged'
	prlimit --pid "$push_pid" --nofile=1024:1024
	wait_for 5 has_results 3 # and that nobody knew, then
	is "$(numbers | tr '\n' ' ')" '1 2 ' 'later all of it arrives'
	push_stop
else
	skip 'needs prlimit'
	skip 'needs prlimit'
	skip 'needs prlimit'
fi

if ! skip_but_apart 4; then
	reset
	mode busy
	mkdir -m 700 "$spool"
	mount -t tmpfs -o size=64k,mode=700 none "$spool"
	put_state 0 1
	push_start
	wait_for 5 test "$(waiting)" = 1
	dd if=/dev/zero of="$spool/full" 2>"$WORK/null"
	put_state 1 2
	sleep 0.3
	put_state 0 3
	sleep 0.3
	is "$(waiting) $(grep -c 'No space left.*wait in memory' "$log")" '2 1' \
		'on a full disk results wait in memory, and the log says it once'
	rm "$spool/full"
	push_stop
	is "$(waiting)" 3 'at the end they are written, if there is room again'
	mode up
	once
	is "$(numbers | tr '\n' ' ')" '1 2 3 3 ' 'and arrive in their order'
	mode busy
	dd if=/dev/zero of="$spool/full" 2>"$WORK/null"
	once
	is "$status $(waiting)" '1 1' 'a disk that stays full is no reason to fail'
	umount "$spool"
fi

if ! skip_but_apart 4; then
	cat >"$WORK/silent.py" <<-'END'
		import socket, time
		server = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
		server.bind(("127.0.0.53", 53))
		time.sleep(60)
	END
	/usr/bin/python3 "$WORK/silent.py" &
	silent_pid=$!
	at_exit '[ -z "$silent_pid" ] || kill -KILL "$silent_pid"'
	printf 'nameserver 127.0.0.53\noptions timeout:9 attempts:3\n' \
		>"$WORK/resolv.conf"
	mount --bind "$WORK/resolv.conf" /etc/resolv.conf
	put_config 'receiver = nrdp' "credentials = $secrets" 'timeout = 1' \
		'url = https://nobody.example/nrdp/'
	version=$(curl-config --vernum 2>"$WORK/null" || echo ffffff)
	if [ $((0x$version)) -lt $((0x075700)) ]; then
		skip 'needs libcurl 7.87, which leaves who looks up names behind'
		skip 'likewise'
	else
		took 4 "$push" --config "$config" --once
		is "$? $status" '0 1' \
			'a name that nobody looks up does not hold it up'
		put_config 'receiver = nrdp' "credentials = $secrets" \
			'timeout = 60' 'connect_timeout = 60' \
			'url = https://nobody.example/nrdp/'
		push_start
		sleep 0.3
		within 4 push_stop
		ok $? 'nor its end'
	fi
	umount /etc/resolv.conf
	kill -KILL "$silent_pid"
	silent_pid=

	# the authority of the system is not the one that is named
	openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=system \
		-addext subjectAltName=DNS:localhost -keyout "$WORK/system.key" \
		-out "$WORK/system.crt" 2>"$WORK/null"
	openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=ours \
		-keyout "$WORK/ours.key" -out "$WORK/ours.crt" 2>"$WORK/null"
	mount -t tmpfs none /etc/ssl/certs
	cp "$WORK/system.crt" "/etc/ssl/certs/$(openssl x509 -hash -noout \
		-in "$WORK/system.crt").0"
	cp "$WORK/system.crt" /etc/ssl/certs/ca-certificates.crt
	end_child TERM "$server_pid"
	server_start "$WORK/system.crt" "$WORK/system.key"
	reset
	put_config 'receiver = nrdp' "credentials = $secrets" \
		"url = https://localhost:$port/nrdp"
	once
	is "$status $(states)" '0 0' 'without a setting the system says whom to trust'
	reset
	once --ca "$WORK/ours.crt"
	is "$status $(states)" '1 ' 'an authority that is named is the only one'
	umount /etc/ssl/certs
	end_child TERM "$server_pid"
	server_start
fi

if command -v openssl >/dev/null && command -v script >/dev/null; then
	(
		umask 077
		openssl genrsa 2048 2>"$WORK/null" | openssl rsa -aes128 \
			-passout pass:abcd -out "$WORK/locked.key" 2>"$WORK/null"
	)
	openssl req -x509 -key "$WORK/locked.key" -passin pass:abcd -days 2 \
		-subj /CN=web1 -out "$WORK/locked.crt" 2>"$WORK/null"
	put_config 'receiver = nrdp' "credentials = $secrets" \
		"url = https://127.0.0.1:$port/nrdp" \
		"certificate = $WORK/locked.crt" "key = $WORK/locked.key"
	took 5 script -qec "$push --config $config --once" "$WORK/null" </dev/null
	is "$? $status" '0 1' 'for a key with a passphrase nobody is asked'
	like "$out" 'unable to set private key' 'and the log says what is wrong'
else
	skip 'needs openssl and script'
	skip 'needs openssl and script'
fi

### an ordinary user

if [ "$(id -u)" = 0 ] && command -v setpriv >/dev/null; then
	end_child TERM "$server_pid"
	server_start
	put_config 'receiver = nrdp' "credentials = $secrets" \
		"url = http://127.0.0.1:$port/nrdp"
	reset
	chmod 755 "$WORK"
	mkdir -m 700 "$spool"
	chown 65534 "$spool" "$secrets"
	run setpriv --reuid 65534 --regid 65534 --clear-groups \
		timeout 10 "$push" --config "$config" --once
	is "$status $(states)" '0 0' 'it needs no rights'
	: >"$log"
	(exec setpriv --reuid 65534 --regid 65534 --clear-groups \
		"$push" --config "$config" 2>"$log") &
	push_pid=$!
	wait_for 5 grep -q ready "$log"
	is "$(stat -c %u "/proc/$push_pid/environ")" 0 \
		'and what it holds in memory is not for others of the same user'
	push_stop
else
	skip 'needs root'
	skip 'needs root'
fi
end_child TERM "$server_pid"
server_pid=
done_testing
