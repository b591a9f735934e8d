#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# Somebody comes to help a host that thrashes: in a system that was booted for
# it, by ssh, on a console, by sudo, su and tmux, while a load of services and
# of jobs from earlier logins is frozen by the daemon.  Each login, and what the
# shell has to answer, takes less than two seconds; nothing that it needs was
# frozen at any time.  It needs root, nspawn and the tree that "make nspawn"
# makes, and takes half a minute.
# shellcheck disable=SC2317 # much is called by wait_for
cd "$(dirname "$0")/.." || exit 1
# shellcheck source=tests/lib.sh
. tests/lib.sh
# shellcheck source=tests/pretence-fixture.sh
. tests/pretence-fixture.sh
# shellcheck source=tests/nspawn-fixture.sh
. tests/nspawn-fixture.sh

LOGIN_MS=2000
LOAD=6 # jobs
# What must be there while somebody is logged in.
NEEDED='(sd-pam) bash dbus-daemon login sshd systemd systemd-journal
systemd-logind tmux:'
state=/run/thrash-protect/state

### The system

make_users() {
	useradd --create-home --shell /bin/bash alice
	echo 'alice ALL=(ALL) NOPASSWD: ALL' >/etc/sudoers.d/alice
	ssh-keygen -q -N '' -t ed25519 -f "$WORK/key"
	for user in root alice; do
		home=$(getent passwd $user | cut -d : -f 6)
		install -o $user -m 700 -d "$home/.ssh"
		install -o $user "$WORK/key.pub" "$home/.ssh/authorized_keys"
		echo 'PS1="ready "' >>"$home/.bashrc"
	done
	echo "127.0.0.1 $(hostname)" >>/etc/hosts
	systemctl start dbus systemd-logind systemd-user-sessions ssh
}

# by_ssh ARG... [USER@]HOST [COMMAND...]
by_ssh() {
	ssh -q -i "$WORK/key" -o BatchMode=yes -o StrictHostKeyChecking=no \
		-o UserKnownHostsFile=/dev/null "$@"
}

### Terminals

# begin_terminal NAME COMMAND...: $terminal, what it shows is in $screen; keys
# go to descriptor 3
begin_terminal() {
	screen=$WORK/screen.$1
	rm -f "$WORK/keys"
	mkfifo "$WORK/keys"
	: >"$screen"
	shift
	"$@" <"$WORK/keys" >"$screen" 2>&1 &
	terminal=$!
	exec 3>"$WORK/keys"
}

type_line() {
	printf '%s\n' "$*" >&3
}

shows() {
	tr "\033\r" "[\n*]" <"$screen" | grep -q "$1"
}

# How often a shell has asked for a line.
prompts() {
	grep -Fo 'ready ' "$screen" | wc -l
}

has_prompted() {
	[ "$(prompts)" -gt "$prompted" ]
}

# ask COMMAND ANSWER: at one more prompt than there were, $prompted
ask() {
	wait_for 5 has_prompted && type_line "$1" && wait_for 5 shows "$2"
}

### The load

# Services, what a login has left behind, and what runs below shells that are
# still open: tmux has one, and the keys of another are descriptor 9.
start_load() {
	hog="$TOOLS/hog 48 0 grow"
	unit load-1 "ExecStart=$hog"
	unit load-2 "ExecStart=$hog"
	by_ssh alice@127.0.0.1 "nohup $hog >/dev/null 2>&1 </dev/null &"
	by_ssh alice@127.0.0.1 "tmux new-session -d '$hog & exec bash'"
	begin_terminal old by_ssh -tt alice@127.0.0.1
	prompted=0
	wait_for 10 has_prompted
	for _ in 1 2; do
		type_line "nohup $hog >/dev/null 2>&1 </dev/null &"
	done
	old=$terminal old_screen=$screen
	exec 9>&3 3>&-
	wait_for 5 is_loaded
}

is_loaded() {
	[ "$(grep -lx hog /proc/[0-9]*/comm 2>/dev/null | wc -l)" -eq $LOAD ]
}

# frozen_for MS: who has been for so long, and is
frozen_for() {
	awk -v "ms=$1" '$1 == "frozen" && $4 >= ms { print $2 }' $state |
		sort
}

is_load_frozen() {
	[ "$(frozen_for 1000 2>/dev/null | wc -l)" -ge $((LOAD / 2)) ]
}

### The daemon

# protect FREEZER: it thrashes, until all have been frozen for a second but
# those whose turn it is
protect() {
	unit "protect-$1" Type=notify "ExecStart=$BIN/thrash-protect \
--config /dev/null --use-psi no --interval 0.02 --state-interval 0.1 \
--quantum 1000 --max-frozen 1000 --freezer $1"
	begin_thrash
	wait_for 20 is_load_frozen
	ok $? "by $1: a load of services and jobs is frozen" ||
		diag "$(cat $state)"
}

# Who was frozen at any time, by the state file.
watch_state() {
	while :; do
		sed -n 's/^frozen \([^ ]* \)\{5\}//p' $state 2>/dev/null
		sleep 0.02
	done >>"$WORK/samples"
}

# Who was frozen at any time, by the log; and continued to be so.
logged() {
	journalctl --unit "$name" --output cat |
		sed -n 's/.*: \(froze\|paused\) [0-9]* (\(.*\)), .*/\2/p'
}

# Of all the system but this test, with its cgroup: what is there, and what the
# daemon thinks of it in quiet times.
judge_all() {
	find /sys/fs/cgroup/user.slice /sys/fs/cgroup/init.scope \
		/sys/fs/cgroup/system.slice/ssh.service \
		/sys/fs/cgroup/system.slice/dbus.service \
		/sys/fs/cgroup/system.slice/systemd-*.service \
		-name cgroup.procs -exec cat {} + 2>/dev/null |
		while read -r pid; do
			"$BIN/thrash-protect" --config /dev/null \
				--explain "$pid" 2>/dev/null |
				awk '$1 == "comm" { comm = $2 }
					$1 == "class" { print comm, $2 }'
		done | sed 's/\\040/ /' | grep -v '^hog ' >"$WORK/judged"
}

# Short-lived helpers of a login may still be there for a moment.
is_all_protected() {
	judge_all
	! grep -qv ' protected$' "$WORK/judged"
}

### The logins

now_ms() {
	echo $(($(date +%s%N) / 1000000))
}

# Those who were frozen when it began have been all the time, but for the one
# whose turn it is.
is_frozen_still() {
	frozen_for "$1" | comm -13 - "$WORK/frozen" >"$WORK/thawed"
	[ "$(wc -l <"$WORK/frozen")" -ge $((LOAD / 2)) ] &&
		[ "$(wc -l <"$WORK/thawed")" -le 1 ]
}

# attempt COMMAND...: a login; $took
attempt() {
	frozen_for 1000 >"$WORK/frozen"
	begun=$(now_ms)
	"$@"
	status=$?
	took=$(($(now_ms) - begun))
	is_frozen_still $took && [ $status -eq 0 ] && [ $took -lt $LOGIN_MS ]
}

# test_login NAME COMMAND...: the machine may be busy with something else once
test_login() {
	login=$1
	shift
	attempt "$@" || attempt "$@" || attempt "$@"
	ok $? "$login is done in 2 s, and before anybody is thawed" ||
		diag "status $status, thawed: $(cat "$WORK/thawed")
$(cat "$screen" $state)"
	diag "$login: $took ms"
}

# terminal COMMAND...: a prompt, a command, and the end
terminal() {
	prompted=0 asked=0
	begin_terminal new "$@"
	# shellcheck disable=SC2016
	ask 'echo answer-$((6 * 7))' answer-42 || asked=1
	type_line exit
	exec 3>&-
	wait_for 5 ended $terminal || kill -KILL $terminal
	wait $terminal && [ $asked -eq 0 ]
}

# in_old COMMAND QUESTION ANSWER: in the terminal that was there before
in_old() {
	screen=$old_screen prompted=$(prompts) asked=0
	exec 3>&9
	type_line "$1"
	ask "$2" "$3" || asked=1
	type_line exit
	exec 3>&-
	wait_for 5 has_ended_in_old && [ $asked -eq 0 ]
}

has_ended_in_old() {
	[ "$(prompts)" -ge $((prompted + 3)) ]
}

test_logins() {
	for user in root alice; do
		test_login "by $1: ssh $user@... true" \
			by_ssh $user@127.0.0.1 true
		test_login "by $1: ssh $user@..., a prompt and a command" \
			terminal by_ssh -tt $user@127.0.0.1
	done
	test_login "by $1: a login on a console" \
		terminal "$TOOLS/pty" agetty --autologin alice - linux
	test_login "by $1: ssh and sudo -i" \
		terminal by_ssh -tt alice@127.0.0.1 sudo -i
	test_login "by $1: ssh and su -" \
		terminal by_ssh -tt root@127.0.0.1 su - alice
	# shellcheck disable=SC2016
	test_login "by $1: sudo -i in an older login" \
		in_old 'sudo -i' 'echo user-$(id -u)' user-0
	# shellcheck disable=SC2016
	test_login "by $1: tmux in an older login" in_old \
		'tmux new-session -A -s new' 'echo ${TMUX:+multiplexed}' \
		'multiplexed$'
}

# Somebody is logged in for longer.
test_judgements() {
	prompted=0
	begin_terminal console "$TOOLS/pty" agetty --autologin alice - linux
	wait_for 5 has_prompted
	wait_for 5 is_all_protected
	ok $? "by $1: all that logins need is protected" ||
		diag "$(cat "$WORK/judged")"
	missing=
	for command in $NEEDED; do
		grep -Fq "$command" "$WORK/judged" ||
			missing="$missing $command"
	done
	is "$missing" '' 'which is sshd, the shells, their managers and logging'
	type_line exit
	exec 3>&-
	wait_for 5 ended $terminal || kill -KILL $terminal
}

test_freezer() {
	: >"$WORK/samples"
	protect "$1"
	watch_state &
	watcher=$!
	test_logins "$1"
	test_judgements "$1"
	kill $watcher
	is "$(sort -u "$WORK/samples")" hog \
		"by $1: nobody but the load was seen frozen at any time"
	is "$(logged | sort -u)" hog 'nor does the log say so'
	end_thrash
	systemctl stop "$name"
}

inside() {
	export TERM=vt100
	make_users
	pretend_vmstat
	start_load
	ok $? 'there are services, and jobs that earlier logins have left'
	test_freezer cgroup
	test_freezer signal
	exec 3>&9
	type_line exit
	exec 3>&- 9>&-
	wait_for 5 ended "$old"
	ended_inside
}

"${1:-outside}"
