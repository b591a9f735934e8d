#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# In a system that was booted for it, and is monitored already: apt installs the
# packages, and all answer; who is killed comes back; an upgrade and a removal
# leave nobody frozen, and a purge leaves nothing.
# shellcheck disable=SC2317 # much is called by wait_for
cd "$(dirname "$0")/../.." || exit 1
# shellcheck source=tests/lib.sh
. tests/lib.sh
# shellcheck source=tests/pretence-fixture.sh
. tests/pretence-fixture.sh
# shellcheck source=tests/nspawn-fixture.sh
. tests/nspawn-fixture.sh
# shellcheck source=tests/packages/lib.sh
. tests/packages/lib.sh

# shellcheck disable=SC2034 # the fixture's
tree_has=usr/sbin/munin-node test_folder=packages/
names='thrash-protect thrash-protect-push monitoring-plugins-thrash-protect
munin-plugins-thrash-protect'
repository=$WORK/repository
drop_in=/run/systemd/system/thrash-protect.service.d
name=thrash-protect

# A mirror of its own, which has the same once more as a later version.
make_repository() {
	mkdir "$repository" "$WORK/later"
	for package in $names; do
		cp "$packages/${package}"_*.deb "$repository"
	done
	dpkg-deb -R "$packages"/thrash-protect_*.deb "$WORK/later/tree"
	sed -i 's/^Version: .*/&+later/' "$WORK/later/tree/DEBIAN/control"
	dpkg-deb --root-owner-group -b "$WORK/later/tree" "$WORK/later" \
		>/dev/null
	(cd "$repository" && apt-ftparchive packages . >Packages)
}

apt() {
	DEBIAN_FRONTEND=noninteractive run apt-get --quiet --yes \
		-o APT::Sandbox::User=root --no-install-recommends "$@"
}

# What is on disk, but for what dpkg, apt and who logs keep for themselves.
listing() {
	find /etc /usr /var /home /root /run/thrash-protect /tmp -xdev \
		! -path '/var/lib/dpkg*' ! -path '/var/lib/apt*' \
		! -path '/var/cache*' ! -path '/var/log*' ! -path "$WORK*" \
		! -path '/tmp/systemd-private-*' ! -path '/var/tmp/systemd-*' \
		! -path '/var/lib/systemd*' ! -path '/var/lib/munin*' \
		! -path '*/__pycache__*' ! -path '/etc/*-' 2>/dev/null | sort
	cut -d : -f 1 /etc/passwd /etc/group
}

cages() {
	find /sys/fs/cgroup -name 'thrash-protect.[0-9w]*' -type d
}

is_active() {
	[ "$(property ActiveState)" = active ]
}

nrpe() {
	run /usr/lib/nagios/plugins/check_nrpe -H 127.0.0.1 -c "$1"
}

munin() {
	printf '%s\n' "$@" quit >"$WORK/asked"
	# shellcheck disable=SC2016 # bash expands it
	run timeout 20 bash -c 'exec 3<>/dev/tcp/127.0.0.1/4949
		cat "$0" >&3; cat <&3' "$WORK/asked"
}

### The tests

test_install() {
	# nothing is asked of a mirror
	rm -f /etc/apt/sources.list
	listing >"$WORK/before"
	echo "deb [trusted=yes] file:$repository ./" \
		>/etc/apt/sources.list.d/test.list
	apt update
	systemctl start nagios-nrpe-server munin-node
	# shellcheck disable=SC2086 # words
	apt install $names
	is "$status" 0 'apt installs the packages' || diag "$out" "$err"
	wait_for 5 is_active
	is "$(property ActiveState) $(systemctl is-enabled $name)" \
		'active enabled' 'the daemon is up, and will be after a boot' ||
		diag "$(journalctl --unit $name --output cat)"
	main=$(property MainPID)
	is "$(stat -c %U "/proc/$main" "/proc/$(worker_of "$main")" |
		sort -u)" thrash-protect 'as a user of its own'
	unlike "$(journalctl --unit $name --output cat)" \
		'without .*CAP_(KILL|DAC|SYS_N|SYS_P|IPC|FOWNER)' \
		'with all that it was given'
	is "$(sed -n 's/^0:://p' "/proc/$main/cgroup")" \
		/thrash-protect.service 'and with a share of its own'
	run sh packaging/debian/tests/installed
	is "$status" 0 'and everybody who asks gets an answer' ||
		diag "$out" "$err"
	is "$(systemctl is-enabled thrash-protect-push)" disabled \
		'the push tool waits for its settings'
	is "$(stat -c '%U %a' /var/spool/thrash-protect-push)" \
		'thrash-protect-push 700' 'its spool is there, and its own'
}

test_monitored() {
	nrpe check_thrash_frozen
	like "$status $out" '^0 FROZEN OK: nothing is frozen' \
		'NRPE answers at once: nothing is frozen'
	nrpe check_thrash_marker
	like "$status $out" '^0 MARKER OK' 'and that there is no marker'
	nrpe check_thrash_pressure
	like "$status $out" '^[0-2] PRESSURE ' 'and what the pressure is'
	munin list
	for graph in freezes majfault stall swap; do
		like "$out" "thrash_$graph( |\$)" "Munin knows thrash_$graph"
	done
	munin 'config thrash_freezes' 'fetch thrash_freezes'
	like "$out" '^frozen.value 0' 'and what is frozen' || diag "$out"
}

# From now on it freezes two services' processes.
begin_freezing() {
	pretend_vmstat
	mkdir -p $drop_in
	printf '[Service]\nBindReadOnlyPaths=%s\n' \
		"$WORK/vmstat:/proc/vmstat" >$drop_in/vmstat.conf
	cat >>/etc/thrash-protect.conf <<'CONF'
use_psi = no
interval = 0.02
state_interval = 0.1
quantum = 0.1
max_frozen = 2
CONF
	hogs=
	for user in root nobody; do
		unit "load-$user" "ExecStart=$TOOLS/hog 48 0 grow" "User=$user"
		hogs="$hogs $(property MainPID)"
	done
	name=thrash-protect
	begin_thrash
	systemctl restart $name
	wait_for 10 is_somebody_stopped
	ok $? 'it freezes what makes the host thrash' ||
		diag "$(journalctl --unit $name --output cat)"
	nrpe check_thrash_frozen
	like "$status $out" '^[12] FROZEN [A-Z]*: [12] frozen' \
		'which NRPE says'
}

# nobody_stays_frozen NAME: for a second, whoever would freeze
nobody_stays_frozen() {
	wait_for 5 is_nobody_stopped
	ok $? "$1" || diag "$(cages)"
	is "$(cages)" '' 'no cgroup of its is left'
}

has_come_back() {
	[ "$(property NRestarts)" = 1 ] && is_active
}

test_killed() {
	wait_for 5 is_somebody_stopped
	kill_unit
	end_thrash
	wait_for 10 has_come_back
	ok $? 'systemd starts it anew' ||
		diag "$(property ActiveState) $(property NRestarts)"
	nobody_stays_frozen 'and nobody is left frozen'
}

test_upgrade() {
	begin_thrash
	wait_for 5 is_somebody_stopped
	main=$(property MainPID)
	is_somebody_stopped
	ok $? 'somebody is frozen when an upgrade comes'
	apt install "$WORK"/later/*.deb
	is "$status" 0 'which succeeds' || diag "$out" "$err"
	wait_for 5 is_active
	[ "$(property MainPID)" != "$main" ] && is_active
	ok $? 'the daemon is the new one then'
	like "$(dpkg-query -W -f '${Version}' thrash-protect)" 'later' 'indeed'
	like "$(tail -n 1 /etc/thrash-protect.conf)" '^max_frozen = 2$' \
		'settings that were changed stay'
	is "$(cages | grep -F ".$main." || true)" '' 'the old one has left nobody'
	wait_for 5 is_somebody_stopped
	ok $? 'the new one freezes'
	end_thrash
	nobody_stays_frozen 'and thaws when it is over'
}

test_remove() {
	begin_thrash
	wait_for 5 is_somebody_stopped
	ok $? 'somebody is frozen when it is removed'
	apt remove thrash-protect
	is "$status" 0 'which succeeds' || diag "$out" "$err"
	nobody_stays_frozen 'nobody is left frozen'
	hogs_live
	end_thrash
}

test_purge() {
	rm -r $drop_in
	# shellcheck disable=SC2086 # words
	apt purge $names
	is "$status" 0 'apt purges the packages' || diag "$out" "$err"
	rm /etc/apt/sources.list.d/test.list
	listing >"$WORK/after"
	is "$(diff "$WORK/before" "$WORK/after")" '' 'which leaves nothing'
	systemctl daemon-reload
	is "$(systemctl list-unit-files --no-legend 'thrash-protect*')" '' \
		'nor has systemd anything left of it'
	nrpe check_thrash_frozen
	like "$out" 'not defined' 'NRPE does not know of it any more'
	munin list
	unlike "$out" 'thrash_' 'nor does Munin'
}

inside() {
	test_install
	test_monitored
	begin_freezing
	test_killed
	test_upgrade
	test_remove
	test_purge
	ended_inside
}

case ${1-} in
'')
	need apt-ftparchive systemd-nspawn
	need_packages 'thrash-protect_*.deb'
	make_repository
	outside
	;;
*) "$@" ;;
esac
