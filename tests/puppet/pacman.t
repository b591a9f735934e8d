#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# The module with pacman, on what says that it is an Arch: one package with all
# of it, everything in /usr/bin, what drifts, and its removal.
# shellcheck disable=SC2154,SC2034 # they are those of what is sourced
cd "$(dirname "$0")/../.." || exit 1
# shellcheck source=tests/lib.sh
. tests/lib.sh
# shellcheck source=tests/puppet/fixture.sh
. tests/puppet/fixture.sh

site='class { "thrash_protect": service_manage => false }'
hiera='thrash_protect::nrpe::server_manage: false
thrash_protect::munin::server_manage: false'

# Of an Arch without any package pacman says that it failed, and of groups too.
make_pacman_repository() {
	mkdir "$WORK/repository" "$WORK/host"
	cp "$packages"/*.pkg.tar.gz "$WORK/repository"
	cat >"$WORK/host/.PKGINFO" <<'INFO'
pkgname = glibc
pkgver = 2.36-1
pkgdesc = What a real system has
arch = any
size = 0
group = base
INFO
	(cd "$WORK/host" && bsdtar -czf ../repository/glibc-2.36-1-any.pkg.tar.gz .PKGINFO)
	(cd "$WORK/repository" && repo-add test.db.tar.gz ./*.pkg.tar.gz) \
		>"$WORK/repo-add" 2>&1 || diag "$(cat "$WORK/repo-add")"
}

use_pacman_repository() {
	mkdir -p /var/lib/pacman/local /var/lib/pacman/sync \
		/etc/munin/plugins /etc/munin/plugin-conf.d /etc/nrpe/nrpe.d
	cat >/etc/pacman.conf <<CONF
[options]
Architecture = x86_64
SigLevel = Never
[test]
Server = file://$WORK/repository
CONF
	pacman -Sy --noconfirm glibc >/dev/null 2>&1
}

if [ "${1-}" = inside ]; then
	pretend Archlinux Archlinux 6
	use_pacman_repository
	applies 2 'one include installs by pacman'
	is "$(pacman -Qq | grep thrash)" thrash-protect 'the one package'
	applies 0 'once more changes nothing'
	# shellcheck disable=SC2013 # no blanks
	for command in $(sed -n 's/^command.*=//p' /etc/nrpe/nrpe.d/*.cfg); do
		run "$command" --version
		like "$out" "^${command##*/} " "$command is there"
	done
	for graph in /etc/munin/plugins/*; do
		$graph config >/dev/null
		ok $? "$graph answers"
	done
	is "$(find /etc/munin/plugins -name 'thrash_*' | wc -l)" 4 'of four graphs'
	pacman -Rn --noconfirm thrash-protect >/dev/null 2>&1
	rm -f /etc/thrash-protect.conf
	applies 2 'what was removed'
	test -x /usr/bin/thrash-protect && test -e /etc/thrash-protect.conf
	ok $? '... is there again'
	site='class { "thrash_protect": service_manage => false, ensure => absent }'
	applies 2 'ensure => absent removes it'
	is "$(pacman -Qq | grep thrash; find /etc -name '*thrash*' -type f)" '' \
		'... with all that was written'
	applies 0 'once more changes nothing'
	ended_inside
fi
need bsdtar repo-add
need_tree
need_packages 'thrash-protect-*.pkg.tar.gz'
make_pacman_repository
run_inside
done_testing
