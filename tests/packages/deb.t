#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# The packages of dpkg, as Debian's own tests see them: lintian, and piuparts,
# which installs, removes and purges them in a system without systemd.
cd "$(dirname "$0")/../.." || exit 1
# shellcheck source=tests/lib.sh
. tests/lib.sh
# shellcheck source=tests/packages/lib.sh
. tests/packages/lib.sh

need lintian piuparts
need_packages 'thrash-protect_*.deb'

# without the .changes, whose other files are not kept here
root_ok=
[ "$(id -u)" -ne 0 ] || root_ok=--allow-root
# shellcheck disable=SC2086 # none, or one
run env TMPDIR="$WORK" lintian $root_ok --fail-on error,warning "$packages"/*.deb \
	"$packages"/*.dsc
is "$status" 0 'lintian finds nothing to warn of' || diag "$out" "$err"

# a mistake would be seen
dpkg-deb -R "$packages"/thrash-protect_*.deb "$WORK/bad"
rm -r "$WORK/bad/usr/share/man"
dpkg-deb --root-owner-group -b "$WORK/bad" "$WORK/bad.deb" >/dev/null
# shellcheck disable=SC2086
run env TMPDIR="$WORK" lintian $root_ok --fail-on error,warning "$WORK/bad.deb"
is "$status" 2 'it would warn of a manual page that is missing'

# what needs what
depends=$(dpkg-deb -f "$packages"/thrash-protect_*.deb Depends)
unlike "$depends" 'curl' 'the daemon does not need libcurl'
like "$(dpkg-deb -f "$packages"/thrash-protect-push_*.deb Depends)" 'curl' \
	'the push tool does'
is "$(dpkg-deb --info "$packages"/thrash-protect_*.deb conffiles)" \
	'/etc/init.d/thrash-protect
/etc/thrash-protect.conf' 'settings that were changed are asked for'

# what Nagios has of its own and what it is given as an example
dpkg-deb -x "$packages"/monitoring-plugins-thrash-protect_*.deb "$WORK/checks"
is "$(grep -h '^define' "$WORK/checks/etc/nagios-plugins/config/thrash-protect.cfg" |
	sort | uniq -c)" "$(grep '^define command' \
	plugins/nagios/examples/nagios.cfg | sort | uniq -c)" \
	'the commands of Nagios are where it reads them'
is "$(grep -h '^define' "$WORK/checks/etc/nagios-plugins/config/thrash-protect.cfg" \
	"$WORK"/checks/usr/share/doc/*/examples/nagios.cfg* | sort)" \
	"$(grep '^define' plugins/nagios/examples/nagios.cfg | sort)" \
	'and what is left of the example has no second of them'

if [ "$(id -u)" -ne 0 ]; then
	skip 'piuparts needs root'
elif [ ! -e "$trees/plain.tar.gz" ]; then
	skip "piuparts needs $trees/plain.tar.gz (see make package-trees)"
else
	run timeout 200 piuparts --distribution bookworm --no-eatmydata \
		--basetgz "$trees/plain.tar.gz" --keep-sources-list \
		--warn-on-leftovers-after-purge --no-upgrade-test \
		"$packages"/*.deb
	is "$status" 0 'piuparts finds nothing left behind' ||
		diag "$(printf '%s\n' "$out" | grep -vE 'DEBUG' | tail -n 40)"
	like "$out" 'PASS: Installation and purging test' 'and has looked'
	unlike "$out" 'WARN: Package purging left files' 'not even a warning'
fi

done_testing
