# shellcheck shell=sh
# SPDX-License-Identifier: GPL-3.0-or-later
# A thrash that is none: in a PID and mount namespace with counters of our own
# in place of /proc/vmstat, so that a daemon with --use-psi no freezes and
# thaws as long as is wanted, and nobody waits for a disk.  To be sourced.
#
#   in_pretence COMMAND...  runs it in these namespaces, in the background: $!.
#                    Its cgroups of version 2, if there are any, are its own as
#                    well: who thaws all lets go on everybody whom he finds
#                    frozen by cgroup, also those of another test
#   outside          all of a test that runs its function inside_namespace there
#   pretend_vmstat   the counters, written by $pump; fails if it may not
#   begin_pretence   the counters, and two hogs: $hogs; fails if it may not
#   start_hogs       as many again
#   begin_thrash     from now on the host thrashes
#   end_thrash

# Who is in there has been killed, but may not be dead yet.
pretence_remove_cgroup() {
	pretence_tries=100
	until find "$1" -depth -type d -exec rmdir {} + 2>/dev/null ||
		[ ! -d "$1" ]; do
		pretence_tries=$((pretence_tries - 1))
		[ $pretence_tries -gt 0 ] || return
		sleep 0.05
	done
}

# The way into it, by shells of their own, so that the pid stays.
# shellcheck disable=SC2016
pretence_join='echo 0 >"$0/cgroup.procs" || exit
	exec unshare --cgroup --pid --fork --mount-proc --kill-child \
		sh -c "$PRETENCE_MOUNT" "$0" "$@"'
# shellcheck disable=SC2016
pretence_mount='mount --bind "$0" "${0%/*}" && exec "$@"'

in_pretence() {
	for pretence_tree in /sys/fs/cgroup/unified /sys/fs/cgroup ''; do
		[ ! -e "$pretence_tree/cgroup.procs" ] || break
	done
	pretence_cgroup=$(mktemp -d \
		"$pretence_tree/thrash-protect-test.XXXXXX" 2>/dev/null)
	if [ -n "$pretence_tree" ] && [ -n "$pretence_cgroup" ]; then
		at_exit "pretence_remove_cgroup '$pretence_cgroup'"
		PRETENCE_MOUNT="$pretence_mount" \
			sh -c "$pretence_join" "$pretence_cgroup" "$@" &
	else
		unshare --pid --fork --mount-proc --kill-child "$@" &
	fi
	at_exit "kill -KILL $! 2>/dev/null"
}

outside() {
	[ "$(id -u)" -eq 0 ] || skip_all 'needs root'
	unshare --pid --fork --mount-proc true 2>/dev/null ||
		skip_all 'needs PID and mount namespaces'
	in_pretence "$0" inside_namespace
	wait $!
	is $? 0 'the tests inside the namespace have come to their end'
	done_testing
}

# Same length always, one write.
write_vmstat() {
	printf 'pswpin %015d\npswpout %015d\npgmajfault %015d\n' \
		"$1" "$1" "$1" 1<>"$WORK/vmstat"
}

# Pages come and go as long as $WORK/pressure exists.
pump() {
	pages=1000000
	while :; do
		[ ! -e "$WORK/pressure" ] || pages=$((pages + 1000))
		write_vmstat $pages
		sleep 0.02
	done
}

# Two, that always want more memory; those that are there stay.
start_hogs() {
	for hog in 1 2; do
		[ $hog -le "$(echo "$hogs" | wc -w)" ] && continue
		"$TOOLS/hog" 48 0 grow &
		hogs="$hogs $!"
	done
}

begin_thrash() {
	: >"$WORK/pressure"
}

end_thrash() {
	rm -f "$WORK/pressure"
}

pretend_vmstat() {
	write_vmstat 1000000
	mount --bind "$WORK/vmstat" /proc/vmstat 2>/dev/null || return 1
	pump &
	# shellcheck disable=SC2034 # for tests
	pump=$!
}

begin_pretence() {
	pretend_vmstat || return 1
	hogs=
	start_hogs
}
