#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# The packages of rpm: looked at, installed into a system of their own,
# verified, upgraded and removed there, with a daemon that has frozen somebody.
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

# Debian's rpm tells to use Alien instead.
rpm_inside() {
	rpm --root "$root" --nodeps "$@" 2>&1 |
		grep -vi 'rpm should not be used\|alien\|knowing\|know what'
}

binaries() {
	ls "$packages"/*.x86_64.rpm "$packages"/*.aarch64.rpm 2>/dev/null
}

test_looks() {
	# shellcheck disable=SC2046 # files
	run rpmlint -r packaging/rpm/rpmlintrc "$packages"/*.spec \
		"$packages"/*.src.rpm $(binaries)
	unlike "$out$err" ': E: ' 'rpmlint finds no errors'
	like "$out" ' 0 errors' 'and has looked' || diag "$out" "$err"
	for package in $(binaries); do
		scripts=$(rpm -qp --scripts "$package" 2>/dev/null)
		unlike "$scripts" '%[a-z{]' \
			"no macro is left in the scripts of ${package##*/}"
		printf '%s\n' "$scripts" |
			sed 's/^[a-z]* scriptlet (using .*/:/' >"$WORK/scripts"
		run shellcheck --shell=dash --exclude=SC2086 "$WORK/scripts"
		is "$status$out" 0 'which shellcheck has nothing against'
		like "$(rpm -qpl "$package" 2>/dev/null)" \
			'/doc/thrash-protect[^/]*$' \
			'the directory of its documents is its own'
	done
	# where systemd's macros are there they are used
	spec=$(rpmspec -P "$packages"/*.spec --define 'systemd_post POST %1' \
		--define 'systemd_preun PREUN %1' \
		--define 'systemd_postun_with_restart RESTART %1' 2>/dev/null)
	like "$spec" '^RESTART ' "a distribution's own macros are used" || true
	# and Red Hat 6 has a script of SysV's
	spec=$(rpmspec -P "$packages"/*.spec --define 'rhel 6' 2>/dev/null)
	like "$spec" '^/sbin/chkconfig --add thrash-protect' \
		'Red Hat 6 starts it as SysV does'
}

test_install() {
	rpm --root "$root" --initdb
	# shellcheck disable=SC2046 # files
	run rpm_inside -i $(binaries)
	is "$out$err" '' 'all are installed'
	is "$(rpm_inside -Va)" '' 'rpm verifies them'
	like "$(cat "$root/etc/passwd")" \
		'^thrash-protect:.*:/(usr/)?sbin/nologin$' 'the user is made'
	like "$(inside thrash-protect --version)" '^thrash-protect [0-9]' \
		'the daemon runs there'
	is "$(inside /usr/share/munin/plugins/thrash_swap autoconf)" yes \
		'so do the plugins'
}

test_upgrade() {
	begin_settings
	inside thrash-protect >"$WORK/daemon.log" 2>&1 &
	wait_for 5 is_up
	freezes 'the installed daemon freezes'
	run rpm_inside -U --force "$packages"/thrash-protect-[0-9]*64.rpm
	is_up
	ok $? 'an upgrade leaves the daemon to its service manager'
	like "$(tail -n 1 "$root/etc/thrash-protect.conf")" signal \
		'and the settings as they are'
	kill_daemon
	run rpm_inside -e thrash-protect
	wait_for 5 is_nobody_stopped
	ok $? 'removal thaws whom a killed daemon has left frozen' ||
		diag "$out" "$err"
	[ -e "$root/etc/thrash-protect.conf.rpmsave" ]
	ok $? 'settings that were changed are kept aside'
	rm "$root/etc/thrash-protect.conf.rpmsave"
	# as systemd-tmpfiles makes it
	mkdir "$root/var/spool/thrash-protect-push"
	# shellcheck disable=SC2046 # names
	run rpm_inside -e $(rpm --root "$root" -qa 2>/dev/null)
	is "$(cd "$root" && find etc usr var/spool run -path '*thrash*')" \
		'' 'nothing is left' || diag "$out"
}

inside_namespace() {
	unpack_plain
	begin_host || {
		skip 'counters of our own cannot be mounted here'
		return
	}
	test_install
	test_upgrade
}

need rpm rpmlint rpmspec shellcheck
need_packages 'thrash-protect-*.rpm'
case ${1-} in
'')
	test_looks
	if [ "$(id -u)" -ne 0 ]; then
		skip 'to install them it needs root'
		done_testing
	elif [ ! -e "$trees/plain.tar.gz" ]; then
		skip "it needs $trees/plain.tar.gz (see make package-trees)"
		done_testing
	fi
	outside
	;;
*) "$@" ;;
esac
