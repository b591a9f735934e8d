#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# The module in a system that systemd has booted, with apt: the unit runs, what
# drifts comes back, NRPE sees the marker when it is to, secrets are kept, and
# when all of it goes nobody stays frozen.
# shellcheck disable=SC2154,SC2034 # they are those of what is sourced
cd "$(dirname "$0")/../.." || exit 1
# shellcheck source=tests/lib.sh
. tests/lib.sh
# shellcheck source=tests/puppet/fixture.sh
. tests/puppet/fixture.sh

drop_in=/etc/systemd/system/nagios-nrpe-server.service.d/thrash-protect.conf
marker=/tmp/thrash-protect-frozen-pid-list
push='class { "thrash_protect": manage_nrpe => false, manage_push => true }
class { "thrash_protect::nrpe": sees_marker => true }'
secrets='thrash_protect::push::url: https://localhost:5665
thrash_protect::push::login: web1
thrash_protect::push::password: hunter2'

property() {
	systemctl show --property "$2" --value "$1"
}

test_include() {
	applies 2 'one include installs all of it'
	wait_for 5 is_running
	is "$(property thrash-protect ActiveState) $(property thrash-protect User)" \
		'active thrash-protect' 'the unit runs, as a user of its own'
	is "$(systemctl is-enabled thrash-protect nagios-nrpe-server munin-node | sort -u)" \
		enabled 'all of it starts with the host'
	applies 0 'once more changes nothing'
}

test_drift() {
	systemctl disable --now thrash-protect 2>/dev/null
	rm /etc/thrash-protect.conf
	applies 2 'a daemon that was stopped and disabled, without its settings'
	is "$(systemctl is-active thrash-protect) $(systemctl is-enabled thrash-protect)" \
		'active enabled' '... runs again, and when the host starts'
	test -e /etc/thrash-protect.conf
	ok $? '... with its settings'
}

test_marker() {
	dpkg --install /var/cache/local/nagios-nrpe-plugin_*.deb >/dev/null 2>&1
	echo 1 >$marker
	touch -d '20 seconds ago' $marker
	ask_nrpe check_thrash_marker
	unlike "$out" 'WARNING' 'NRPE has a /tmp of its own'
	hiera=$secrets
	site=$push
	applies 2 'it gets the one of the host when it is to see the marker'
	is "$(property nagios-nrpe-server PrivateTmp)" no '... at once'
	ask_nrpe check_thrash_marker
	like "$out" 'WARNING' '... and sees it'
	rm -f $marker
}

test_secrets() {
	unlike "$out$err$(journalctl --output cat)" hunter2 \
		'a password is in no log'
	is "$(stat -c '%U %a' /etc/thrash-protect-push.secrets)" \
		'thrash-protect-push 600' '... and in a file for its reader only'
	grep -qx 'password = hunter2' /etc/thrash-protect-push.secrets
	ok $? '... as Hiera has it'
	is "$(grep -rl hunter2 /var/lib/puppet /var/cache/puppet /var/log 2>/dev/null |
		grep -v '/catalog/')" '' '... and nowhere else but in catalogues'
	wait_for 5 systemctl --quiet is-active thrash-protect-push
	ok $? 'what pushes runs'
	applies 0 'once more changes nothing'
}

# By a daemon that was killed, with its other half, so that nobody could thaw.
test_absent() {
	systemctl stop thrash-protect
	sleep 1000 &
	left=$!
	mkfifo "$WORK/hold"
	"$TOOLS/freeze" cgroup "$left" <"$WORK/hold" >"$WORK/said" 2>&1 &
	freezer=$!
	exec 4>"$WORK/hold"
	wait_for 5 grep -q ready "$WORK/said"
	kill -KILL $freezer
	exec 4>&-
	is "$(process_state $left)" T 'somebody was left frozen'
	site='class { "thrash_protect": ensure => absent, manage_push => true }'
	applies 2 'ensure => absent removes all'
	wait_for 5 is_going_on $left
	ok $? '... and thaws who was left frozen'
	is "$(find /sys/fs/cgroup -name "thrash-protect.$left.*")" '' '... nothing is left of its cgroup'
	is "$(systemctl list-unit-files --no-legend 'thrash-protect*')" '' \
		'... nor of its units'
	is "$(ls /etc/thrash-protect* $drop_in 2>/dev/null)" '' '... nor of its files'
	applies 0 'once more changes nothing'
	kill $left
}

if [ "${1-}" = inside ]; then
	use_apt_repository
	test_include
	test_drift
	test_marker
	test_secrets
	test_absent
	ended_inside
fi
need apt-ftparchive systemd-nspawn
need_tree
need_packages 'thrash-protect_*.deb'
make_apt_repository
make_modules
outside
