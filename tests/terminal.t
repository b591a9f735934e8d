#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# What somebody at a terminal sees of a freeze: nothing.  A shell with jobs in
# front, on a terminal of its own; they are frozen by the daemon's own freezer,
# by cgroup and by signal.
# shellcheck disable=SC2317 # much is called by wait_for
cd "$(dirname "$0")/.." || exit 1
# shellcheck source=tests/lib.sh
. tests/lib.sh

screen=$WORK/screen
pids=$WORK/pids
said=$WORK/said

command -v bash >/dev/null || skip_all 'needs bash'
at_exit terminal_kill

### The terminal

# What runs in it says who it is.
cat >"$WORK/job" <<EOF
#!/bin/sh
echo \$\$ >>'$pids'
exec "\$@"
EOF
printf '#!/bin/sh\nexec "%s/job" sleep 1000\n' "$WORK" >"$WORK/job-asleep"
chmod +x "$WORK/job" "$WORK/job-asleep"

# terminal_begin COMMAND...: $terminal; keys go to descriptor 3
terminal_begin() {
	rm -f "$WORK/keys" "$pids"
	mkfifo "$WORK/keys"
	"$TOOLS/pty" "$@" <"$WORK/keys" >"$screen" 2>&1 &
	terminal=$!
	exec 3>"$WORK/keys"
}

shell_begin() {
	terminal_begin env -i "PATH=$PATH" HOME=/ TERM=dumb "PS1=ready> " \
		bash --norc --noprofile --noediting -i
	wait_for 5 grep -q 'ready>' "$screen"
	shell=$(cat "/proc/$terminal/task/$terminal/children")
	shell=${shell% }
}

terminal_end() {
	type_line 'exit'
	exec 3>&-
	reap "$terminal"
	terminal=
}

# Whatever happened: the freezer thaws when its input ends, and the kernel
# hangs up on who is left at the terminal.
terminal_kill() {
	exec 3>&- 4>&-
	[ -z "${freezer-}" ] || wait_for 5 ended "$freezer"
	[ -z "${terminal-}" ] || kill -KILL "$terminal"
	[ ! -e "$pids" ] || xargs kill -KILL <"$pids" 2>/dev/null
}

type_line() {
	printf '%s\n' "$1" >&3
}

shows() {
	tr -d '\r' <"$screen" | grep -q -e "$1"
}

# As it was typed, and as the job has written it.
shows_twice() {
	[ "$(grep -c "$1" "$screen")" -eq 2 ]
}

has_pids() {
	[ -e "$pids" ] && [ "$(wc -l <"$pids")" -eq "$1" ]
}

# begin_job COUNT LINE: types it and waits for so many processes
begin_job() {
	rm -f "$pids"
	type_line "$2"
	wait_for 5 has_pids "$1" || diag "$(cat "$screen")"
	sleep 0.2 # until they have become what they are to be
}

# field NUMBER PID: of its stat, counted from the state, which is 1
field() {
	sed 's/.*) //' "/proc/$2/stat" | cut -d ' ' -f "$1"
}

is_in_front() {
	[ "$(field 3 "$1")" = "$(field 6 "$1")" ]
}

# The shell does what is typed; works NAME
number=0
works() {
	number=$((number + 1))
	type_line "echo works\$(($number + 1000))"
	wait_for 5 shows "works$((number + 1000))$"
	ok $? "$1" || diag "$(cat "$screen")"
}

# silent NAME: the shell has said nothing of a stop
silent() {
	unlike "$(cat "$screen")" 'Stopped|[0-9]\]\+' "$1"
}

### The freezer

# freeze_begin PID...: until freeze_end
freeze_begin() {
	rm -f "$WORK/hold"
	mkfifo "$WORK/hold"
	: >"$said"
	"$TOOLS/freeze" "$method" "$@" <"$WORK/hold" >"$said" 2>&1 3>&- &
	freezer=$!
	exec 4>"$WORK/hold"
	wait_for 5 grep -q ready "$said"
}

freeze_end() {
	exec 4>&-
	reap "$freezer"
	freezer=
}

stand_still() {
	while read -r pid; do
		[ "$(process_state "$pid")" = T ] || return 1
	done <"$pids"
}

# frozen NAME: all of the job is, by the method wanted
frozen() {
	wait_for 5 stand_still
	ok $? "$how: $1: frozen" || diag "$(cat "$said")"
	like "$(cat "$said")" "^frozen [0-9]+ $method$" "$how: $1: in this way"
}

frozen_for_a_while() {
	# shellcheck disable=SC2046 # a list of pids
	freeze_begin $(cat "$pids")
	frozen "$1"
	sleep 0.3
	freeze_end
}

### What is promised

test_foreground() {
	begin_job 1 "$WORK/job cat"
	# shellcheck disable=SC2046
	freeze_begin $(cat "$pids")
	frozen 'a job in front'
	type_line 'typed meanwhile'
	sleep 0.3
	is "$(grep -c 'typed meanwhile' "$screen")" 1 \
		"$how: a job in front: it does nothing"
	freeze_end
	wait_for 5 shows_twice 'typed meanwhile'
	type_line 'typed afterwards'
	wait_for 5 shows_twice 'typed afterwards'
	ok $? "$how: a job in front: thawed it reads on" ||
		diag "$(cat "$screen")"
	is_in_front "$(cat "$pids")"
	ok $? "$how: a job in front: it still is"
	is_going_on "$shell"
	ok $? "$how: a job in front: its shell waits"
	printf '\004' >&3
	works "$how: a job in front: when it ends the shell goes on"
	silent "$how: a job in front: the shell has noticed nothing"
}

test_pipeline() {
	begin_job 3 "$WORK/job cat | $WORK/job cat | $WORK/job cat"
	frozen_for_a_while 'a pipeline'
	type_line 'through it'
	wait_for 5 shows_twice 'through it'
	ok $? "$how: a pipeline: thawed it works"
	printf '\004' >&3
	works "$how: a pipeline: then the shell goes on"
	silent "$how: a pipeline: the shell has noticed nothing"
}

# under COMMAND...: what runs another, given as one word, and watches it
under() {
	if ! "$@" true >/dev/null 2>&1 </dev/null; then
		skip "$1 does not work here"
		return
	fi
	begin_job 1 "$* '$WORK/job-asleep'"
	frozen_for_a_while "under $1"
	is_going_on "$(cat "$pids")"
	ok $? "$how: under $1: it sleeps on"
	printf '\003' >&3
	wait_for 5 ended "$(cat "$pids")"
	ok $? "$how: under $1: ^C ends it"
	works "$how: under $1: then the shell goes on"
	silent "$how: under $1: the shell has noticed nothing"
}

test_make() {
	printf 'all: a b c\n%%:\n\t@%s sleep 0.6\n\t@echo made $@\n' \
		"$WORK/job" >"$WORK/makefile"
	begin_job 3 "make -j3 -f $WORK/makefile; echo \"ended \$?\""
	make=$(field 2 "$(head -n 1 "$pids")")
	echo "$make" >>"$pids"
	frozen_for_a_while 'make -j'
	wait_for 5 shows '^ended 0$'
	ok $? "$how: make -j: it ends well" || diag "$(cat "$screen")"
	is "$(grep -cw 'made [abc]' "$screen")" 3 "$how: make -j: all is made"
	silent "$how: make -j: the shell has noticed nothing"
}

test_user_stops() {
	begin_job 1 "$WORK/job cat"
	printf '\032' >&3
	wait_for 5 shows 'Stopped'
	ok $? "$how: who presses ^Z is told so"
	# shellcheck disable=SC2046
	freeze_begin $(cat "$pids")
	like "$(cat "$said")" '^refused' "$how: what he stopped is not frozen"
	freeze_end
	is "$(process_state "$(cat "$pids")")" T "$how: and stays stopped"
	works "$how: and his shell works"

	: >"$screen"
	type_line 'fg'
	wait_for 5 is_in_front "$(cat "$pids")"
	sleep 0.2
	# shellcheck disable=SC2046
	freeze_begin $(cat "$pids")
	frozen 'a job that is wanted'
	printf '\032' >&3
	wait_for 5 shows 'Stopped'
	ok $? "$how: ^Z at a frozen job works" || diag "$(cat "$screen" "$said")"
	like "$(cat "$said")" '^wanted' "$how: as it is let go on"
	works "$how: so that the shell can be used"
	freeze_end
	is "$(process_state "$(cat "$pids")")" T "$how: and it stays stopped"

	type_line 'fg'
	wait_for 5 is_in_front "$(cat "$pids")"
	sleep 0.2
	# shellcheck disable=SC2046
	freeze_begin $(cat "$pids")
	# the shell may be in the midst of handing over the terminal
	for _ in 1 2 3 4 5; do
		printf '\003' >&3
		wait_for 1 ended "$(cat "$pids")" && break
	done
	ended "$(cat "$pids")"
	ok $? "$how: ^C at a frozen job ends it"
	works "$how: and the shell goes on"
	freeze_end
}

test_background() {
	begin_job 1 "$WORK/job sleep 1000 &"
	# shellcheck disable=SC2046
	freeze_begin $(cat "$pids")
	frozen 'a job behind'
	works "$how: a job behind: its shell can be used"
	freeze_end
	is_going_on "$(cat "$pids")"
	ok $? "$how: a job behind: it goes on"
	kill "$(cat "$pids")"
	works "$how: a job behind: and the shell too"
}

test_shell() {
	shell_begin
	test_foreground
	test_pipeline
	under sudo
	under su -c
	test_make
	terminal_end
	shell_begin
	test_background
	test_user_stops
	terminal_end
}

# tmux continues what is stopped in it, so that a signal is no way there.
test_tmux() {
	terminal_begin env -i "PATH=$PATH" HOME=/ TERM=xterm "PS1=ready> " \
		SHELL=/bin/bash tmux -f /dev/null -S "$WORK/tmux" new-session \
		'bash --norc --noprofile --noediting -i'
	wait_for 5 grep -q 'ready>' "$screen"
	begin_job 1 "$WORK/job cat"
	# shellcheck disable=SC2046
	freeze_begin $(cat "$pids")
	if [ "$method" = cgroup ]; then
		frozen tmux
		sleep 0.3
	else
		like "$(cat "$said")" '^refused' "$how: tmux: not frozen"
	fi
	freeze_end
	: >"$screen"
	type_line 'typed afterwards'
	wait_for 5 grep -q 'typed afterwards' "$screen"
	ok $? "$how: tmux: the job goes on"
	is_in_front "$(cat "$pids")"
	ok $? "$how: tmux: in front"
	printf '\004' >&3
	works_in_tmux
	unlike "$(tmux -S "$WORK/tmux" capture-pane -p 2>&1)" Stopped \
		"$how: tmux: the shell has noticed nothing"
	terminal_end
}

works_in_tmux() {
	type_line "echo works\$((20 + 22))"
	wait_for 5 grep -q works42 "$screen"
	ok $? "$how: tmux: when it ends the shell goes on"
}

for method in cgroup signal; do
	how="by $method"
	if [ $method = cgroup ] && ! "$TOOLS/freeze" cgroup $$ \
		</dev/null >"$said" 2>&1; then
		skip "$(sed -n 's/^refused.*: //p' "$said")"
		continue
	fi
	test_shell
	if command -v tmux >/dev/null; then
		test_tmux
	else
		skip 'needs tmux'
	fi
done
done_testing
