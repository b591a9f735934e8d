#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# The daemon as a user of its own, in a system that was booted for it: with the
# capabilities that it needs, and in a sandbox of systemd's, it does what root's
# does; with fewer it says what is lacking, and does what it can; with none it
# says that it cannot freeze anybody.  It needs root, nspawn and the tree that
# "make nspawn" makes, and takes 15 seconds.
# shellcheck disable=SC2317 # much is called by wait_for
cd "$(dirname "$0")/.." || exit 1
# shellcheck source=tests/lib.sh
. tests/lib.sh
# shellcheck source=tests/pretence-fixture.sh
. tests/pretence-fixture.sh
# shellcheck source=tests/nspawn-fixture.sh
. tests/nspawn-fixture.sh

run_dir=/run/thrash-protect
state=$run_dir/state
marker=/tmp/thrash-protect-frozen-pid-list
nobody='setpriv --reuid 65534 --regid 65534 --clear-groups'
# What there is but CAP_SYS_RESOURCE, which a machine that tests may not have.
capabilities='CAP_KILL CAP_SYS_PTRACE CAP_SYS_NICE CAP_IPC_LOCK \
CAP_DAC_OVERRIDE CAP_FOWNER'
command="$BIN/thrash-protect --config /dev/null --use-psi no --interval 0.02 \
--state-interval 0.1 --quantum 0.1 --max-frozen 1"

# sandbox CAPABILITIES: as much of one as it can live in; the marker lies in
# everybody's /tmp, and a daemon that is started anew needs the last one's state
sandbox() {
	cat <<EOF
Type=notify
User=thrash-protect
UMask=0022
RuntimeDirectory=thrash-protect
RuntimeDirectoryPreserve=yes
AmbientCapabilities=$1
CapabilityBoundingSet=$1
LimitMEMLOCK=infinity
TasksMax=10
DevicePolicy=closed
IPAddressDeny=any
LockPersonality=yes
MemoryDenyWriteExecute=yes
NoNewPrivileges=yes
PrivateDevices=yes
PrivateNetwork=yes
ProtectClock=yes
ProtectHome=read-only
ProtectHostname=yes
ProtectKernelLogs=yes
ProtectKernelModules=yes
ProtectKernelTunables=yes
ProtectSystem=strict
ReadWritePaths=/sys/fs/cgroup /tmp
RemoveIPC=yes
RestrictAddressFamilies=AF_UNIX
RestrictNamespaces=yes
RestrictRealtime=yes
RestrictSUIDSGID=yes
SystemCallArchitectures=native
SystemCallErrorNumber=EPERM
SystemCallFilter=@system-service
SystemCallFilter=~@privileged @mount @swap @reboot @debug
BindReadOnlyPaths=$WORK/vmstat:/proc/vmstat
EOF
}

# protect NAME CAPABILITIES OPTIONS LINE...
protect() {
	unit_name=$1 unit_capabilities=$2 unit_options=$3
	shift 3
	unit "$unit_name" "$(sandbox "$unit_capabilities")" \
		"ExecStart=$command $unit_options" "$@"
}

logged() {
	journalctl --unit "$name" --output cat
}

# Each of them, at some time.
are_all_frozen_by() {
	for hog in $hogs; do
		logged_pids="$logged_pids $(sed -n \
			"s/^frozen \\($hog\\) .* $1 .*/\\1/p" $state)"
		case "$logged_pids " in
		*" $hog "*) ;;
		*) return 1 ;;
		esac
	done 2>/dev/null
}

# is_freezing METHOD: root's and others', by that
is_freezing() {
	logged_pids=
	wait_for 8 are_all_frozen_by "$1"
	ok $? "$name: everybody's jobs are frozen by $1" || diag "$(logged)"
}

### The tests

test_readers() {
	wait_for 5 is_somebody_stopped
	is "$(stat -c %U $run_dir $state $run_dir/history $marker | sort -u)" \
		thrash-protect \
		"$name: what it publishes is its own"
	for reader in "$BIN/thrash-protect --status" \
		"$BIN/thrash-protect --report" "$nobody $BIN/thrash-protect --report" \
		"$nobody $BIN/check_thrash_frozen --since 60 -w 9 -c 9" \
		"$nobody $BIN/check_thrash_frozen -w 9 -c 9 --longest-warning 9" \
		"$nobody $BIN/check_thrash_marker -w 9 -c 9"; do
		run $reader
		is "$status $err" '0 ' "believed by: $(echo "$reader" |
			sed "s|$BIN/||")"
	done
}

is_over() {
	is_nobody_stopped && [ ! -e $marker ] && [ ! -e $state ]
}

kill_daemon() {
	wait_for 5 is_somebody_stopped
	kill_unit
}

test_all_capabilities() {
	for method in cgroup signal; do
		protect "by-$method" "$capabilities" "--freezer $method" \
			"ExecStopPost=$BIN/thrash-protect --thaw-all"
		is_freezing $method
		unlike "$(logged)" 'without .*CAP_(KILL|DAC|SYS_N|SYS_P|IPC)' \
			"$name: it lacks nothing that it was given"
		test_readers
		kill_daemon
		wait_for 5 is_over
		ok $? "$name: its unit thaws all by --thaw-all, as its user" ||
			diag "$(logged)"
		systemctl reset-failed "$name"
	done
}

test_root_thaws() {
	for method in cgroup signal; do
		protect "left-by-$method" "$capabilities" "--freezer $method"
		kill_daemon
		run "$BIN/thrash-protect" --config /dev/null --thaw-all
		is "$status" 0 "$name: root thaws what another user's has left"
		wait_for 5 is_over
		ok $? 'and removes what that has published' ||
			diag "$(ls -l $run_dir $marker) $err"
	done
}

test_few_capabilities() {
	protect without-cgroups CAP_KILL ''
	is_freezing signal
	like "$(logged)" 'without CAP_DAC_OVERRIDE \(freezing by signal\), ' \
		"$name: it says in one line what is lacking"
	systemctl stop "$name"
	protect without-signals CAP_DAC_OVERRIDE ''
	is_freezing cgroup
	like "$(logged)" 'without CAP_KILL \(freezing by cgroup only\), ' \
		"$name: it says in one line what is lacking"
	systemctl stop "$name"
	wait_for 5 is_over
	ok $? 'and thaws all in the end' || diag "$(logged)"
}

# shellcheck disable=SC2086 # several words each
test_no_capabilities() {
	mkdir -m 755 "$WORK/own"
	chown 65534 "$WORK/own"
	chmod 711 "$WORK"
	run timeout 5 $nobody $command --run-dir "$WORK/own" --marker ''
	is "$status" 1 'without any capability it fails'
	is "$err" "thrash-protect: nobody can be frozen by user 65534 without \
CAP_KILL; --dry-run can be tried" 'and says why in one line'
	run timeout 1 $nobody $command --run-dir "$WORK/own" --marker '' \
		--dry-run
	like "$err" 'ready' 'a dry run works'
}

test_hidden() {
	protect hidden CAP_KILL '' ProtectProc=invisible
	like "$(logged)" 'hides others. processes .* CAP_SYS_PTRACE' \
		'it fails where /proc hides everybody, and says why'
	protect seeing 'CAP_KILL CAP_SYS_PTRACE' '' ProtectProc=invisible
	is_freezing signal
	systemctl stop "$name"
}

inside() {
	useradd --system --home-dir / --shell /usr/sbin/nologin thrash-protect
	useradd alice
	pretend_vmstat
	hogs=
	for user in root alice; do
		unit "load-$user" "ExecStart=$TOOLS/hog 48 0 grow" "User=$user"
		hogs="$hogs $(property MainPID)"
	done
	begin_thrash
	test_all_capabilities
	test_root_thaws
	test_few_capabilities
	test_no_capabilities
	test_hidden
	ended_inside
}

"${1:-outside}"
