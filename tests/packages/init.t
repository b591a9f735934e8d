#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# Each of the scripts that start the daemon where there is no systemd starts,
# stops and restarts a real one that freezes, and says what it does: Debian's
# for SysV with its start-stop-daemon, Red Hat's with stand-ins for its
# functions, OpenRC's with OpenRC.  Of Upstart, which is nowhere to be had, the
# commands of the job are run in its order.
# shellcheck disable=SC2317 # much is called by wait_for
cd "$(dirname "$0")/../.." || exit 1
# shellcheck source=tests/lib.sh
. tests/lib.sh
# shellcheck source=tests/pretence-fixture.sh
. tests/pretence-fixture.sh
# shellcheck source=tests/packages/lib.sh
. tests/packages/lib.sh
# shellcheck source=tests/packages/startup-fixture.sh
. tests/packages/startup-fixture.sh

root=$WORK/root

# install_for INIT: the script lies where all but Upstart has it
install_for() {
	make --no-print-directory BUILD="$build" DESTDIR="$root" prefix=/usr \
		CURL_CONFIG=none CAN_PUSH= INIT="$1" install-daemon \
		>"$WORK/log" 2>&1
	ok $? "$1: it is installed" || diag "$(tail "$WORK/log")"
}

# shellcheck disable=SC2086 # words
# the script, without waiting for who it leaves behind
script() {
	run timeout 60 setsid chroot "$root" $command "$1"
}

says() {
	is "$status" "$1" "$init: $2" || diag "$out" "$err"
}

# main_pid: of the guardian, who has started the other
main_pid() {
	for pid in $(daemon_pids); do
		[ -z "$(worker_of "$pid")" ] || echo "$pid"
	done
}

has_restarted() {
	new=$(main_pid)
	[ -n "$new" ] && [ "$new" != "$main" ] && is_up
}

# scripted INIT STOPPED DEAD COMMAND...: what its status is then
scripted() {
	init=$1 stopped=$2 dead=$3
	shift 3
	command=$*
	install_for "$init"
	script status
	says "$stopped" 'it is not running at first'
	script start
	says 0 'it starts'
	is_up
	ok $? "$init: and is up when that is done" ||
		diag "$(ls -lR "$root/run")"
	script status
	says 0 'which it says'
	main=$(main_pid)
	script start
	is "$(main_pid)" "$main" "$init: a second start changes nothing"
	freezes "$init: it freezes"
	script reload
	says 0 'it reads its settings anew'
	wait_for 5 is_up
	is "$(main_pid)" "$main" "$init: and is still the same"
	script restart
	says 0 'it restarts'
	wait_for 5 has_restarted
	ok $? "$init: and is another" || diag "$main $(daemon_pids)"
	freezes "$init: that freezes as well"
	script stop
	says 0 'it stops'
	is "$(stopped_hogs)$(daemon_pids)" '' \
		"$init: and nobody is left, frozen or of the daemon"
	script stop
	says 0 'a second stop changes nothing'
	script status
	says "$stopped" 'it is not running in the end'

	echo 'max_frozen = no' >>"$root/etc/thrash-protect.conf"
	script start
	[ "$status" -ne 0 ]
	ok $? "$init: with bad settings it does not start"
	like "$out$err" 'thrash-protect.conf:8: max_frozen' \
		"$init: and says why"
	sed -i '$d' "$root/etc/thrash-protect.conf"
	[ "$init" = openrc ] || dies
}

# all of it at once, behind the script's back
dies() {
	script start
	kill_daemon
	script status
	says "$dead" 'it says that it is dead'
	script stop
	wait_for 5 is_nobody_stopped
	ok $? "$init: a stop thaws whom it has left frozen"
	script start
	says 0 'and it starts again'
	script stop
}

test_debian() {
	scripted debian 3 1 /etc/init.d/thrash-protect
}

# What Red Hat's have of the same name does more, and in colour.
test_redhat() {
	mkdir -p "$root/etc/rc.d/init.d" "$root/var/lock/subsys"
	cat >"$root/etc/rc.d/init.d/functions" <<'FUNCTIONS'
success() { printf '[  OK  ]'; }
failure() { printf '[FAILED]'; }
status() {
	[ "$1" = -p ] || return 2
	[ -e "$2" ] || { echo "${3##*/} is stopped"; return 3; }
	kill -0 "$(cat "$2")" 2>/dev/null ||
		{ echo "${3##*/} dead but pid file exists"; return 1; }
	echo "${3##*/} (pid $(cat "$2")) is running..."
}
killproc() {
	[ "$1" = -p ] || return 2
	killproc_pid=$(cat "$2") killproc_file=$2
	shift 2
	[ "$1" != -d ] || shift 2
	[ -z "${2-}" ] || { kill "$2" "$killproc_pid"; return; }
	kill -TERM "$killproc_pid"
	while kill -0 "$killproc_pid" 2>/dev/null; do sleep 0.1; done
	rm -f "$killproc_file"
	success
}
FUNCTIONS
	rm -rf "$root/var/run"
	ln -s /run "$root/var/run"
	scripted redhat 3 1 /etc/init.d/thrash-protect
	is "$(ls "$root/var/lock/subsys")" '' 'redhat: no lock is left'
}

test_openrc() {
	inside rc-status -a >/dev/null 2>&1
	inside touch /run/openrc/softlevel
	scripted openrc 3 32 rc-service thrash-protect
	script start
	script checkconfig
	says 0 'it says that the settings are valid'
	main=$(main_pid)
	kill_daemon
	wait_for 10 has_restarted
	ok $? 'openrc: it comes back when it is killed' ||
		diag "$main: $(daemon_pids)"
	script stop
	wait_for 5 is_nobody_stopped
	ok $? 'openrc: and nobody is left frozen'
}

# job STEP: what the job has for that
job() {
	sed -n "s/^${1}exec //p" "$root/etc/init/thrash-protect.conf"
}

# shellcheck disable=SC2046 # words
test_upstart() {
	init=upstart
	install_for upstart
	is "$(grep -Ecvx '#.*|' "$root/etc/init/thrash-protect.conf") \
$(grep -Ec '^(description|start on|stop on|respawn|normal exit|kill timeout|nice|oom score|limit|umask|pre-start exec|exec|post-stop exec)( |$)' \
		"$root/etc/init/thrash-protect.conf")" '14 14' \
		'upstart: the job is of what Upstart knows'
	run inside $(job 'pre-start ')
	says 0 'the settings are tried before'
	inside $(job '') &
	wait_for 5 is_up
	ok $? 'upstart: it starts, in the foreground'
	main=$!
	freezes 'upstart: it freezes'
	kill_daemon
	run inside $(job 'post-stop ')
	wait_for 5 is_nobody_stopped
	ok $? 'upstart: what is run afterwards thaws all'
	says 0 'and succeeds'
}

inside_namespace() {
	unpack_plain
	begin_host || skip_all 'may not mount over /proc/vmstat'
	begin_settings
	test_debian
	test_redhat
	test_openrc
	test_upstart
}

need_plain
"${1:-outside}"
