# shellcheck shell=sh
# SPDX-License-Identifier: GPL-3.0-or-later
# A real thrash, small and confined: a swap file of our own and a memory
# cgroup whose processes do not fit into its limit together.  To be sourced.
#
#   thrash_needs                        prints why it cannot be had here
#   thrash_begin DIR LIMIT_MB SWAP_MB   makes it; DIR is on a disk.  The kernel
#                                       gives up on small limits now and then
#                                       and kills (measured on 6.18: 64 MB, one
#                                       job in 30 s; not once with 128 MB)
#   thrash_slow_down READS_PER_S        makes that disk a slow one
#   thrash_namespace COMMAND...         runs it in a PID namespace of its own
#   thrash_enter COMMAND...             runs it inside the limit
#   thrash_start COMMAND...             the same in the background: $thrash_pid
#   thrash_end                          kills and removes all of it; do that
#                                       on every way out
#   thrash_outside LIMIT_MB SWAP_MB [READS_PER_S]   all of a test with lib.sh
#                                       that runs inside_namespace there
#
# Those that can fail print the reason on standard output and return 1.  Swap
# is the whole machine's: who uses it holds a lock, for others to wait for.

thrash_lock=/tmp/thrash-protect-tests.lock
thrash_wait_s=60   # for swap that somebody else has turned on
thrash_queue_s=300 # for the lock

# Where a memory cgroup can be made: version 1, or 2 at its root.
thrash_cgroup_root() {
	for thrash_root in /sys/fs/cgroup/memory /sys/fs/cgroup; do
		[ -w "$thrash_root/memory.limit_in_bytes" ] ||
			grep -qsw memory "$thrash_root/cgroup.controllers" ||
			continue
		[ -w "$thrash_root" ] && echo "$thrash_root" && return 0
	done
	return 1
}

thrash_needs() {
	[ "$(id -u)" -eq 0 ] || {
		echo 'needs root'
		return 1
	}
	for thrash_tool in mkswap swapon swapoff unshare flock; do
		command -v $thrash_tool >/dev/null || {
			echo "needs $thrash_tool"
			return 1
		}
	done
	unshare --pid --fork --mount-proc true 2>/dev/null || {
		echo 'needs PID and mount namespaces'
		return 1
	}
	thrash_cgroup_root >/dev/null || {
		echo 'needs a memory cgroup'
		return 1
	}
}

thrash_has_no_swap() {
	[ "$(wc -l </proc/swaps)" -le 1 ]
}

# Takes the lock on descriptor 9, and waits until nobody swaps.
thrash_take_turn() {
	if ! (: >>"$thrash_lock") 2>/dev/null; then
		echo "cannot open $thrash_lock"
		return 1
	fi
	exec 9>>"$thrash_lock"
	flock --timeout "$thrash_queue_s" 9 || {
		echo "$thrash_lock is held by somebody else"
		return 1
	}
	thrash_tries=$thrash_wait_s
	until thrash_has_no_swap; do
		thrash_tries=$((thrash_tries - 1))
		[ $thrash_tries -gt 0 ] || {
			echo 'this machine swaps already'
			return 1
		}
		sleep 1
	done
}

# thrash_enable CONTROLLER: for children of the root of version 2
thrash_enable() {
	grep -qw "$1" "$thrash_root/cgroup.subtree_control" ||
		echo "+$1" >"$thrash_root/cgroup.subtree_control"
}

# thrash_make_cgroup LIMIT_MB
thrash_make_cgroup() {
	thrash_root=$(thrash_cgroup_root) || return 1
	thrash_limit=memory.limit_in_bytes
	if [ -e "$thrash_root/cgroup.controllers" ]; then
		thrash_limit=memory.max
		thrash_enable memory || return 1
	fi
	thrash_cgroups=$thrash_root/thrash-protect-test.$$
	mkdir "$thrash_cgroups" &&
		echo $(($1 << 20)) >"$thrash_cgroups/$thrash_limit"
}

# thrash_make_swap FILE MB
thrash_make_swap() {
	thrash_swap=$1
	(umask 077 && dd if=/dev/zero of="$1" bs=1M count="$2") &&
		mkswap "$1" && swapon "$1"
}

thrash_begin() {
	thrash_needs && thrash_take_turn || return 1
	thrash_make_cgroup "$2" 2>"$1/thrash.err" &&
		thrash_make_swap "$1/thrash.swap" "$3" >/dev/null \
			2>>"$1/thrash.err" && return 0
	echo "cannot be set up: $(tail -n 1 "$1/thrash.err")"
	thrash_end
	return 1
}

# thrash_limit_reads DISK READS_PER_S
thrash_limit_reads() {
	if [ -e "$thrash_root/cgroup.controllers" ]; then
		thrash_enable io && echo "$1 riops=$2" >"$thrash_cgroups/io.max"
		return
	fi
	thrash_slow=/sys/fs/cgroup/blkio/thrash-protect-test.$$
	mkdir "$thrash_slow" && thrash_cgroups="$thrash_cgroups $thrash_slow" &&
		echo "$1 $2" >"$thrash_slow/blkio.throttle.read_iops_device"
}

thrash_slow_down() {
	thrash_disk=$(findmnt -n -o MAJ:MIN -T "$thrash_swap" | tr -d ' ')
	# of a partition only the whole disk can be slowed down
	[ ! -e "/sys/dev/block/$thrash_disk/partition" ] || thrash_disk=$(
		cat "$(readlink -f "/sys/dev/block/$thrash_disk")/../dev"
	)
	thrash_limit_reads "$thrash_disk" "$1" 2>/dev/null || {
		echo 'the disk cannot be slowed down'
		return 1
	}
}

# In the background, so that a signal to us is not put off until the end.
thrash_namespace() {
	unshare --pid --fork --mount-proc --kill-child \
		env "THRASH_CGROUPS=$thrash_cgroups" "$@" &
	thrash_unshare=$!
	wait $thrash_unshare
	thrash_status=$?
	thrash_unshare=
	return $thrash_status
}

# The way into the limit: run by a shell of its own, so that the pid stays.
# shellcheck disable=SC2016
thrash_entrance='for cgroup in $0; do
		echo 0 >"$cgroup/cgroup.procs" || exit
	done
	exec "$@"'

thrash_enter() {
	sh -c "$thrash_entrance" "${THRASH_CGROUPS-$thrash_cgroups}" "$@"
}

# shellcheck disable=SC2034
thrash_start() {
	sh -c "$thrash_entrance" "${THRASH_CGROUPS-$thrash_cgroups}" "$@" &
	thrash_pid=$!
}

# thrash_empty CGROUP: whoever is there was put there by us
thrash_empty() {
	thrash_tries=100
	until rmdir "$1" 2>/dev/null || [ ! -d "$1" ]; do
		while read -r thrash_pid; do
			kill -KILL "$thrash_pid" 2>/dev/null
		done <"$1/cgroup.procs"
		thrash_tries=$((thrash_tries - 1))
		[ $thrash_tries -gt 0 ] || return
		sleep 0.1
	done
}

thrash_end() {
	[ -z "${thrash_unshare-}" ] || kill -KILL "$thrash_unshare"
	for thrash_cgroup in ${thrash_cgroups-}; do
		thrash_empty "$thrash_cgroup"
	done
	if [ -n "${thrash_swap-}" ]; then
		! grep -qsF "$thrash_swap " /proc/swaps || swapoff "$thrash_swap"
		rm -f "$thrash_swap"
	fi
	thrash_cgroups=
	thrash_swap=
	exec 9>&-
}

thrash_outside() {
	thrash_needs >"$WORK/reason" || skip_all "$(cat "$WORK/reason")"
	at_exit thrash_end
	thrash_begin "$WORK" "$1" "$2" >"$WORK/reason" ||
		skip_all "$(cat "$WORK/reason")"
	[ -z "${3-}" ] || thrash_slow_down "$3" >"$WORK/reason" ||
		diag "$(cat "$WORK/reason"): at full speed"
	thrash_namespace "$0" inside_namespace
	is $? 0 'the tests inside the namespace have come to their end'
	thrash_made=$thrash_cgroups
	thrash_end
	is "$(grep -F "$WORK" /proc/swaps)" '' 'no swap is left behind'
	# shellcheck disable=SC2086
	is "$(ls -d $thrash_made 2>/dev/null)" '' 'no cgroup is left behind'
	done_testing
}
