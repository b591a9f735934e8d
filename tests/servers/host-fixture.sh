# shellcheck shell=sh
# SPDX-License-Identifier: GPL-3.0-or-later
# A host for real servers to watch: processes, counters, a network, /run, /tmp
# and /dev/shm (where faketime has names by pid) of its own, and our programs where Debian's packages look for them.  So
# daemon, checks and plugins run with their defaults, servers with their usual
# ports and the files in plugins/*/examples as they are, and nothing of it is
# seen outside or left behind.  To be sourced after tests/lib.sh.
#
#   host_outside     the whole of a test that runs its inside_namespace there
#   host_begin       sets it up, with four hogs that always want more memory
#   host_add_hogs    five more: then more are frozen than the checks' default
#                    for critical
#   host_renew_hogs  others instead: who was frozen and thawed is let alone
#   daemon_start     the daemon, at default paths: $daemon
#   host_freeze, host_thaw   a thrash, until somebody is frozen; and its end
#   host_frozen_since        the second from which on somebody always was
#
# What begins there ends with it, whatever becomes of the test.  FREEZER=signal
# in the environment leaves cgroups alone.

# shellcheck source=tests/pretence-fixture.sh
. tests/pretence-fixture.sh

host_state=/run/thrash-protect/state

host_outside() {
	[ "$(id -u)" -eq 0 ] || skip_all 'needs root'
	unshare --net --pid --fork --mount-proc true 2>/dev/null ||
		skip_all 'needs PID, mount and network namespaces'
	in_pretence unshare --net "$PWD/tests/servers/${0##*/}" inside_namespace
	wait $!
	is $? 0 'the tests inside the namespace have come to their end'
	done_testing
}

# host_keep COMMAND...: with a directory for each of those that may be below /tmp
# and must not be hidden
host_keep() {
	host_number=0
	# shellcheck disable=SC2154 # of tests/lib.sh
	for host_kept in "$PWD" "$WORK" "$build"; do
		host_number=$((host_number + 1))
		mkdir -p "/run/kept/$host_number" "$host_kept" &&
			"$@" "/run/kept/$host_number" "$host_kept" || return
	done
}

host_lend() {
	mount --bind "$2" "$1"
}

host_hide() {
	mount -t tmpfs -o mode=755 none /run && host_keep host_lend &&
		mount -t tmpfs -o mode=1777 none /tmp &&
		mount -t tmpfs -o mode=1777 none /dev/shm &&
		host_keep mount --move || return
	cd "$PWD" || return
}

# host_install DIRECTORY PATTERN: our programs, beside those that are there
host_install() {
	host_place=/run/places$1
	mkdir -p "$host_place" &&
		cp -a "$1/." "$host_place" &&
		find "$BIN" -name "$2" -exec cp {} "$host_place" \; &&
		mount --bind "$host_place" "$1"
}

host_begin() {
	chmod 755 "$WORK" # servers have users of their own
	ip link set lo up && host_hide && begin_pretence || return
	host_start_hogs 2
	# shellcheck disable=SC2034 # for lib.sh
	servers_dir=/run
}

# Both processes of the daemon at once, so that nobody thaws whom it has frozen.
daemon_kill() {
	kill_both "$daemon" 2>/dev/null
}

host_add_hogs() {
	host_start_hogs 5
}

host_start_hogs() {
	for hog in $(seq "$1"); do
		"$TOOLS/hog" 48 0 grow &
		hogs="$hogs $!"
	done
}

# For as long as a turn takes, which is ten minutes here.
host_renew_hogs() {
	host_renewed=$(echo "$hogs" | wc -w)
	for hog in $hogs; do
		end_child KILL "$hog"
	done
	hogs=
	host_start_hogs "$host_renewed"
}

host_is_ready() {
	grep -q ready "$WORK/daemon.log" || ended "$daemon"
}

# shellcheck disable=SC2120 # tests give more options or none
daemon_start() {
	: >"$WORK/daemon.log"
	"$BIN/thrash-protect" --config /dev/null --use-psi no --interval 0.02 \
		--calm 0.1 --quantum 600 --max-frozen 600 \
		--freezer "${FREEZER:-auto}" "$@" \
		2>"$WORK/daemon.log" &
	daemon=$!
	wait_for 10 host_is_ready
}

host_has_frozen() {
	grep -qs '^frozen ' "$host_state" && is_somebody_stopped
}

# More than the checks' default of five, which is critical.
host_has_many() {
	[ "$(grep -cs '^frozen ' "$host_state")" -gt 5 ]
}

host_has_thawed() {
	! host_has_frozen
}

host_freeze() {
	begin_thrash
	wait_for 10 host_has_frozen
}

# The daemon keeps it so.
host_frozen_since() {
	stat -c %Y /tmp/thrash-protect-frozen-pid-list
}

host_thaw() {
	end_thrash
	wait_for 30 host_has_thawed
}
