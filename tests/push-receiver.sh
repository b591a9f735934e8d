# shellcheck shell=sh
# shellcheck disable=SC2016,SC2034,SC2154,SC2317 # for who sources it
# SPDX-License-Identifier: GPL-3.0-or-later
# A receiver of NRDP that does what it is told, for tests of thrash-protect-push,
# sourced after tests/push-fixture.sh.

if ! /usr/bin/python3 -c 'import http.server, ssl' 2>/dev/null; then
	skip 'needs Python 3'
	done_testing
fi
server=$WORK/server
server_pid=
mkdir "$server"
echo 's3cret&tok en' >"$server/token"

# server_start [CERTIFICATE KEY]
server_start() {
	rm -f "$server/port"
	/usr/bin/python3 tests/tools/receiver.py "$server" "$@" \
		2>"$server/errors" &
	server_pid=$!
	wait_for 10 test -s "$server/port"
	port=$(cat "$server/port")
}

at_exit '[ -z "$server_pid" ] || kill -KILL "$server_pid"'

# mode WORD: how it answers from now on
mode() {
	echo "$1" >"$server/mode.new"
	mv "$server/mode.new" "$server/mode"
}

has_results() {
	[ "$(grep -sc . "$server/results")" = "$1" ]
}

# states: what was taken, one digit each
states() {
	cut -d '|' -f 3 "$server/results" | tr -d '\n'
}

# numbers: which states of the state file were taken
numbers() {
	sed -n 's/.*freezes=\([0-9]*\)c.*/\1/p' "$server/results"
}

reset() {
	rm -rf "$spool" "$server/results"
	: >"$server/results"
	mode up
}
