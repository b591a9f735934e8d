#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# What starts the daemon, as those see it who look at it without starting it.
cd "$(dirname "$0")/../.." || exit 1
# shellcheck source=tests/lib.sh
. tests/lib.sh
# shellcheck source=tests/packages/lib.sh
. tests/packages/lib.sh

need systemd-analyze shellcheck checkbashisms curl-config
system=$WORK/system
make --no-print-directory BUILD="$build" DESTDIR="$system" prefix=/usr \
	INIT=systemd install startup >"$WORK/log" 2>&1
ok $? 'all of it is made' || diag "$(tail "$WORK/log")"
ready=$build/ready/packaging

### systemd

# the targets and programs that it refers to
mkdir -p "$system/bin"
cp /bin/true "$system/bin/kill"
for target in multi-user sysinit basic shutdown network-online; do
	printf '[Unit]\nDescription=%s\n' $target \
		>"$system/usr/lib/systemd/system/$target.target"
done
for unit in thrash-protect thrash-protect-push; do
	run systemd-analyze --root="$system" --man=no --recursive-errors=no \
		verify $unit.service
	is "$status $out$err" '0 ' "$unit.service: systemd has nothing to say" ||
		true
	run systemd-analyze security --offline=yes --threshold=25 --no-pager \
		"$system/usr/lib/systemd/system/$unit.service"
	is "$status" 0 "$unit.service: its exposure is 2.5 at most"
	diag "$(printf '%s\n' "$out" | tail -n 1)"
	run systemd-sysusers --root="$system" --dry-run \
		"$system/usr/lib/sysusers.d/$unit.conf"
	is "$status" 0 "$unit: systemd-sysusers takes its user" ||
		diag "$err"
done
sed -i 's/^Restart=.*/Restart=sometimes/' \
	"$system/usr/lib/systemd/system/thrash-protect.service"
run systemd-analyze --root="$system" --man=no --recursive-errors=no \
	verify thrash-protect.service
like "$err" 'sometimes' 'a mistake in a unit would be seen'

# their words
unit=$ready/thrash-protect.service
for line in Type=notify Restart=always RuntimeDirectoryPreserve=yes \
	User=thrash-protect NoNewPrivileges=yes ProtectSystem=strict \
	'MemoryMin=16M' 'OOMScoreAdjust=-900' 'StartLimitIntervalSec=0' \
	'ExecStopPost=[+]/.*/thrash-protect --thaw-all'; do
	like "$(cat "$unit")" "^$line\$" "thrash-protect.service has $line"
done
unlike "$(cat "$unit")" '^(PrivateTmp|ProtectControlGroups|PrivateUsers|ProtectProc)=' \
	'and nothing that hides the host from it'

### Scripts

for script in "$ready"/init.* packaging/debian/*.p??* packaging/debian/*.post* \
	packaging/debian/tests/installed packaging/arch/*.install; do
	[ -e "$script" ] || continue
	language=dash
	case $script in
	*.install) language=bash ;;
	esac
	run shellcheck --shell=$language "$script"
	is "$status$out" 0 "shellcheck finds nothing wrong in ${script##*/}"
	[ $language = dash ] || continue
	# openrc-run is a POSIX shell
	sed '1s,^#!/sbin/openrc-run,#!/bin/sh,' "$script" >"$WORK/script"
	run checkbashisms --extra --posix "$WORK/script"
	is "$status$err" 0 "nor is it for bash only: ${script##*/}"
done

done_testing
