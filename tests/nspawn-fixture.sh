# shellcheck shell=sh
# SPDX-License-Identifier: GPL-3.0-or-later
# A test that runs in a system that is booted for it, with a pure tree of
# cgroups of version 2: the one that "make nspawn" makes, or another $tree, of
# which nothing is written to.  To be sourced.
#
#   need_tree        skips all where there is none
#   outside          all of a test that runs its function inside there
#   ended_inside     the last of inside
#   unit NAME LINE...  runs a service: $name
#   property NAME    of the last one
#   kill_unit        both processes of that one, which is a daemon, while
#                    somebody is frozen

tree=${THRASH_TEST_TREE:-/var/cache/thrash-protect-tests/bookworm}
tree_target=nspawn       # of make
tree_has=usr/sbin/sshd   # a file that says that it is as wanted
test_folder=             # where below tests/ the test is, with a slash
boot_s=120               # at most

need_tree() {
	[ "$(id -u)" -eq 0 ] || skip_all 'needs root'
	[ -e "$tree/$tree_has" ] ||
		skip_all "needs a system in $tree (see make $tree_target)"
}

outside() {
	need_tree
	command -v systemd-nspawn >/dev/null ||
		skip_all 'needs systemd-nspawn (Debian: systemd-container)'
	# shellcheck disable=SC2154 # it is lib.sh's
	cat >"$WORK/test.service" <<UNIT
[Unit]
Description=The test
Requires=basic.target
After=basic.target
[Service]
Type=oneshot
ExecStart=/bin/sh $PWD/tests/$test_folder${0##*/} inside
ExecStopPost=/bin/systemctl --no-block poweroff
Environment=BUILD=$build THRASH_TEST_WORK=$WORK HOME=/root LC_ALL=C.UTF-8
StandardOutput=append:$WORK/out
StandardError=append:$WORK/err
UNIT
	# a tmpfs over it, so that nothing of the tree is written to
	at_exit remove_cgroups
	find /sys/fs/cgroup -type d >"$WORK/cgroups"
	SYSTEMD_NSPAWN_UNIFIED_HIERARCHY=1 timeout -k 5 "$boot_s" \
		systemd-nspawn --quiet --register=no --keep-unit \
		--private-network --volatile=overlay --directory="$tree" \
		--machine="thrash-protect-test-$$" --hostname=web1.test \
		--capability=CAP_IPC_LOCK \
		--bind-ro="$PWD" --bind-ro="$build" --bind="$WORK" \
		--bind-ro="$WORK/test.service:/etc/systemd/system/test.service" \
		--boot systemd.unit=test.service \
		</dev/null >"$WORK/boot" 2>&1
	status=$?
	[ ! -e "$WORK/out" ] || sed '/^ended$/d' "$WORK/out"
	is "$status" 0 'a system boots, is tested and ends' ||
		diag "$(tail -n 20 "$WORK/boot" "$WORK/err")"
	grep -qx ended "$WORK/out"
	ok $? 'the tests inside have come to their end' ||
		diag "$(cat "$WORK/err")"
	done_testing
}

# Those that nspawn leaves behind, empty, the deepest first.
remove_cgroups() {
	find /sys/fs/cgroup -depth -type d | grep -Fvx -f "$WORK/cgroups" |
		while read -r cgroup; do
			rmdir "$cgroup" 2>/dev/null
		done
}

### Inside

ended_inside() {
	echo ended
	exit 0
}

unit() {
	name=$1
	shift
	printf '%s\n' '[Service]' "$@" >"/run/systemd/system/$name.service"
	systemctl daemon-reload
	systemctl start "$name"
	sleep 0.5
}

property() {
	systemctl show --property "$1" --value "$name"
}

# From the first stop nobody is thawed.
kill_unit() {
	main=$(property MainPID)
	kill -STOP "$main" "$(worker_of "$main")"
	is_somebody_stopped
	ok $? "$name: somebody is frozen when all of it is killed"
	kill_both "$main"
}
