#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# The module with dnf, on what says that it is a Red Hat: its packages, its
# places, what drifts, and its removal.  Who starts services there is systemd,
# which another test has.
# shellcheck disable=SC2154,SC2034 # they are those of what is sourced
cd "$(dirname "$0")/../.." || exit 1
# shellcheck source=tests/lib.sh
. tests/lib.sh
# shellcheck source=tests/puppet/fixture.sh
. tests/puppet/fixture.sh

site='class { "thrash_protect": service_manage => false }'
hiera='thrash_protect::nrpe::server_manage: false
thrash_protect::munin::server_manage: false'
ours='munin-plugins-thrash-protect
nagios-plugins-thrash-protect
thrash-protect'

# What our packages want of a real one's libraries and tools, in an empty one.
make_dnf_repository() {
	mkdir "$WORK/repository"
	cp "$packages"/*.x86_64.rpm "$WORK/repository"
	{
		cat <<'SPEC'
Name: host
Version: 1
Release: 1
Summary: What a real system has
License: none
AutoReqProv: no
SPEC
		rpm -qp --requires "$packages"/*.x86_64.rpm 2>/dev/null |
			grep -v '^rpmlib\|^config(' | sort -u |
			sed 's/^/Provides: /'
		# Puppet fails where there is one package in all
		printf '%s\n' '%description' 'Stands for it.' '%files' \
			'%package more' 'Summary: More' '%description more' \
			'Stands for it, too.' '%files more'
	} >"$WORK/host.spec"
	rpmbuild -bb --define "_topdir $WORK/rpm" "$WORK/host.spec" \
		>"$WORK/rpmbuild" 2>&1 || diag "$(cat "$WORK/rpmbuild")"
	cp "$WORK"/rpm/RPMS/*/*.rpm "$WORK/repository"
	createrepo_c --quiet "$WORK/repository" 2>/dev/null
}

use_dnf_repository() {
	rpm --initdb 2>/dev/null
	rpm --install "$WORK"/repository/host-*.rpm 2>/dev/null
	mkdir -p /etc/yum.repos.d /etc/munin/plugins /etc/munin/plugin-conf.d
	cat >/etc/yum.repos.d/test.repo <<REPO
[test]
name=test
baseurl=file://$WORK/repository
gpgcheck=0
REPO
}

installed() {
	rpm -qa --qf '%{NAME}\n' 2>/dev/null | grep thrash | sort
}

if [ "${1-}" = inside ]; then
	pretend RedHat RedHat 9
	use_dnf_repository
	applies 2 'one include installs by dnf'
	is "$(installed)" "$ours" 'the three packages, by the names they have there'
	applies 0 'once more changes nothing'
	like "$(cat /etc/nrpe.d/check_thrash_frozen.cfg)" \
		'=/usr/lib64/nagios/plugins/check_thrash_frozen$' \
		'NRPE finds the checks where they are there'
	# shellcheck disable=SC2013 # no blanks
	for command in $(sed -n 's/^command.*=//p' /etc/nrpe.d/*.cfg); do
		run "$command" --version
		like "$out" "^${command##*/} " "$command is there"
	done
	for graph in /etc/munin/plugins/*; do
		$graph config >/dev/null
		ok $? "$graph answers"
	done
	rpm -e --nodeps nagios-plugins-thrash-protect 2>/dev/null
	rm -f /etc/nrpe.d/*.rpmsave
	echo 'max_frozen = 1' >>/etc/thrash-protect.conf
	applies 2 'what was removed, and what was changed'
	is "$(installed) $(grep -c max_frozen /etc/thrash-protect.conf)" "$ours 0" \
		'... is again as it should be'
	site='class { "thrash_protect": service_manage => false, ensure => absent }'
	applies 2 'ensure => absent removes it'
	is "$(installed)$(find /etc -name '*thrash*' ! -path '/etc/*-' ! -path '/etc/default/*')" '' \
		'... with all that was written'
	applies 0 'once more changes nothing'
	ended_inside
fi
need rpmbuild createrepo_c
need_tree
need_packages 'thrash-protect-[0-9]*.x86_64.rpm'
make_dnf_repository
run_inside
done_testing
