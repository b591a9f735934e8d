#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# The package of pacman: looked at, installed into a system of its own,
# verified and removed there, with a daemon that has frozen somebody.
# shellcheck disable=SC2317 # much is called by wait_for
cd "$(dirname "$0")/../.." || exit 1
# shellcheck source=tests/lib.sh
. tests/lib.sh
# shellcheck source=tests/pretence-fixture.sh
. tests/pretence-fixture.sh
# shellcheck source=tests/packages/lib.sh
. tests/packages/lib.sh
# shellcheck source=tests/packages/startup-fixture.sh
. tests/packages/startup-fixture.sh

root=$WORK/root

pacman_inside() {
	pacman --config "$WORK/pacman.conf" --root "$root" \
		--dbpath "$root/var/lib/pacman" --noconfirm "$@" 2>&1
}

test_looks() {
	package=$(echo "$packages"/thrash-protect-*.pkg.tar.gz)
	files=$(bsdtar -tf "$package")
	like "$(bsdtar -xOf "$package" .PKGINFO)" '^depend = glibc$' \
		'it says what it depends on'
	like "$(bsdtar -xOf "$package" .PKGINFO)" \
		'^backup = etc/thrash-protect.conf$' 'and what to keep'
	unlike "$files" '^(usr/sbin|sbin|lib|bin|usr/local|etc/init)' \
		'nothing lies where Arch has links, or no use for it'
	like "$files" '^usr/bin/thrash-protect$' 'programs are in /usr/bin'
	unlike "$(bsdtar -xOf "$package" usr/lib/systemd/system/thrash-protect.service)" \
		'/sbin/' 'and the unit knows'
}

test_install() {
	mkdir -p "$root/var/lib/pacman"
	printf '[options]\nArchitecture = auto\nSigLevel = Never\n' \
		>"$WORK/pacman.conf"
	run pacman_inside --assume-installed glibc=2.38 -U "$package"
	is "$status" 0 'it is installed' || diag "$out"
	# those who would make them are not there
	run pacman_inside -Qkk thrash-protect
	like "$out" ' 0 altered files' 'pacman verifies it' || diag "$out"
	like "$(inside thrash-protect --version)" '^thrash-protect [0-9]' \
		'the daemon runs there'
	is "$(inside /usr/lib/munin/plugins/thrash_swap autoconf)" yes \
		'so do the plugins'
}

test_remove() {
	begin_settings
	inside thrash-protect >"$WORK/daemon.log" 2>&1 &
	wait_for 5 is_up
	freezes 'the installed daemon freezes'
	kill_daemon
	# as systemd-tmpfiles makes it
	mkdir "$root/var/spool/thrash-protect-push"
	run pacman_inside -R thrash-protect
	is "$status" 0 'it is removed' || diag "$out"
	wait_for 5 is_nobody_stopped
	ok $? 'which thaws whom a killed daemon has left frozen' ||
		diag "$out"
	is "$(cd "$root" && find etc usr var/spool run -path '*thrash*')" \
		etc/thrash-protect.conf.pacsave \
		'settings that were changed are kept aside, and nothing else is left'
}

inside_namespace() {
	test_looks
	unpack_plain
	begin_host || {
		skip 'counters of our own cannot be mounted here'
		return
	}
	test_install
	test_remove
}

need pacman bsdtar
need_packages 'thrash-protect-*.pkg.tar.gz'
need_plain
"${1:-outside}"
