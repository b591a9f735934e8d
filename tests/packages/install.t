#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# make install: everything goes where it is told to, with the right modes, and
# what is there already is not lost.
cd "$(dirname "$0")/../.." || exit 1
# shellcheck source=tests/lib.sh
. tests/lib.sh
# shellcheck source=tests/packages/lib.sh
. tests/packages/lib.sh

# put TARGET VARIABLE=VALUE...: without what libcurl is needed for
put() {
	make --no-print-directory BUILD="$build" CAN_PUSH= \
		CURL_CONFIG=none "$@" >"$WORK/log" 2>&1
	status=$?
	[ $status -eq 0 ] || diag "$(tail "$WORK/log")"
}

# tree DIRECTORY: what there is, and its modes
tree() {
	(cd "$1" && find . ! -type d -printf '%m %P\n' | sort -k 2)
}

### Where

put install DESTDIR="$WORK/none/such"
is "$status" 0 'a DESTDIR that is not there is made'
is "$(tree "$WORK/none/such")" '644 etc/thrash-protect.conf
755 usr/local/lib/nagios/plugins/check_thrash_frozen
755 usr/local/lib/nagios/plugins/check_thrash_marker
755 usr/local/lib/nagios/plugins/check_thrash_pressure
644 usr/local/lib/systemd/system/thrash-protect.service
644 usr/local/lib/sysusers.d/thrash-protect.conf
755 usr/local/lib/thrash-protect/thrash_freezes
755 usr/local/lib/thrash-protect/thrash_majfault
755 usr/local/lib/thrash-protect/thrash_stall
755 usr/local/lib/thrash-protect/thrash_swap
644 usr/local/lib/tmpfiles.d/thrash-protect.conf
755 usr/local/sbin/thrash-protect
644 usr/local/share/doc/thrash-protect/examples/icinga2.conf
644 usr/local/share/doc/thrash-protect/examples/nagios.cfg
644 usr/local/share/doc/thrash-protect/examples/nrpe.cfg
644 usr/local/share/doc/thrash-protect/examples/plugin-conf
644 usr/local/share/man/man1/check_thrash_frozen.1
644 usr/local/share/man/man1/check_thrash_marker.1
644 usr/local/share/man/man1/check_thrash_pressure.1
644 usr/local/share/man/man5/thrash-protect.conf.5
644 usr/local/share/man/man8/thrash-protect.8
777 usr/local/share/munin/plugins/thrash_freezes
777 usr/local/share/munin/plugins/thrash_majfault
777 usr/local/share/munin/plugins/thrash_stall
777 usr/local/share/munin/plugins/thrash_swap' 'all is there, with its mode'
is "$("$WORK/none/such/usr/local/share/munin/plugins/thrash_swap" autoconf)" \
	yes 'what Munin is given leads to the plugin'
find "$WORK/none/such" -type d ! -perm 755 | grep -q .
is $? 1 'each directory can be entered by everybody'
grep -rIl '@[a-z]*@' "$WORK/none/such" >"$WORK/left"
is "$(cat "$WORK/left")" '' 'no name stands where a path should be'

umask 077
put install DESTDIR="$WORK/strict" INIT='debian upstart'
umask 022
find "$WORK/strict/etc" "$WORK/strict/usr" ! -perm -444 | grep -q .
is $? 1 "whoever's umask it is, all can be read"
is "$(tree "$WORK/strict/etc")" '755 init.d/thrash-protect
644 init/thrash-protect.conf
644 thrash-protect.conf' 'INIT says what starts it'

put install DESTDIR="$WORK/own" INIT=systemd prefix=/a sbindir=/b libdir=/c \
	datadir=/d mandir=/e docdir=/f sysconfdir=/g nagiosdir=/h \
	pkglibdir=/i munindir=/j unitdir=/k sysusersdir=/l tmpfilesdir=/m
is "$(cd "$WORK/own" && find . -mindepth 1 -maxdepth 1 | sort | tr '\n' ' ')" \
	'./b ./e ./f ./g ./h ./i ./j ./k ./l ./m ' \
	'every directory can be given, and no other is made'
like "$(cat "$WORK/own/k/thrash-protect.service")" '^ExecStart=/b/thrash-protect$' \
	'the unit starts what was installed'
like "$("$WORK/own/b/thrash-protect" --help)" '/g/thrash-protect.conf' \
	'the daemon reads the settings that were installed'
like "$(cat "$WORK/own/f/examples/nrpe.cfg")" '=/h/check_thrash_frozen ' \
	'the commands of NRPE find the checks'
like "$(cat "$WORK/own/e/man8/thrash-protect.8")" 'Pa /g/thrash-protect.conf' \
	'the manual says where the settings are' ||
	diag "$(grep -n 'thrash-protect.conf' "$WORK/own/e/man8/thrash-protect.8")"

### Who

if [ "$(id -u)" -eq 0 ]; then
	put all # as it was before
	if command -v strace >/dev/null; then
		strace -f -e trace=%file,execve -e signal=none -o "$WORK/trace" \
			make --silent BUILD="$build" CAN_PUSH= \
			DESTDIR="$WORK/traced" install >/dev/null 2>&1
		like "$(grep -c . "$WORK/trace")" '[0-9]{3}' 'it was watched'
		# whoever opens to write, makes, renames or removes, by full path
		grep -E '^[0-9]+ +(mkdir|rename|unlink|rmdir|f?chmod|l?chown|symlink|link|truncate)[a-z0-9]*\(|O_(WRONLY|RDWR)' \
			"$WORK/trace" | grep -Ev 'ENOENT|EEXIST' |
			grep -oE '"/[^"]*"' | tr -d '"' | sort -u |
			grep -Ev "^($WORK|$build|$PWD|/dev/(null|tty)|/tmp)" \
				>"$WORK/touched"
		is "$(cat "$WORK/touched")" '' \
			'nothing outside DESTDIR is touched'
		unlike "$(grep execve "$WORK/trace")" \
			'(systemctl|useradd|ldconfig|systemd-sysusers)"' \
			'and nobody is told of it'
	else
		skip 'needs strace'
	fi
fi

### Again, and away

there=$WORK/there
mkdir -p "$there/etc" "$there/usr/local/lib"
echo other >"$there/usr/local/lib/other"
put install DESTDIR="$there"
echo 'max_frozen = 5' >>"$there/etc/thrash-protect.conf"
put install DESTDIR="$there"
like "$(tail -n 1 "$there/etc/thrash-protect.conf")" '^max_frozen = 5$' \
	'settings that were changed stay'
put uninstall DESTDIR="$there"
is "$status $(tree "$there")" "0 644 etc/thrash-protect.conf
644 usr/local/lib/other" \
	'uninstall removes all but those, and what is not its own'
is "$(cd "$there" && find . -path '*thrash*')" ./etc/thrash-protect.conf \
	'and the directories that were its own'
put install DESTDIR="$WORK/clean"
put install-puppet DESTDIR="$WORK/clean"
put uninstall DESTDIR="$WORK/clean"
is "$(tree "$WORK/clean")" '' 'settings that nobody has changed go as well, and the module'

relative="$(realpath --relative-to=. "$WORK")/a blank"
put install DESTDIR="$relative"
is "$(tree "$WORK/a blank")" "$(tree "$WORK/none/such")" \
	'a DESTDIR may be relative, with a blank in it'
put uninstall DESTDIR="$relative"
is "$(tree "$WORK/a blank")" '' 'for uninstall, too'

### The settings

conf=$WORK/none/such/etc/thrash-protect.conf
run "$BIN/thrash-protect" --config "$conf" --check-config
is "$status $err" '0 ' 'the settings that are installed are valid'
sed -n 's/^#\([a-z_]* = .*\)/\1/p' "$conf" |
	sed '1i [thrash-protect]' >"$WORK/all.conf"
run "$BIN/thrash-protect" --config "$WORK/all.conf" --check-config
is "$status $err" '0 ' 'so are all that they show'
"$BIN/thrash-protect" --help |
	sed -n 's/^ *\(-., \)\{0,1\}--\([a-z-]*\).*/\2/p' | tr - _ |
	grep -Evx 'help|version|check_config|status|explain|report|since|json|prometheus|thaw_all|record|replay|config' |
	sort >"$WORK/known"
is "$(sed -n 's/^#\([a-z_]*\) =.*/\1/p' "$conf" | sort)" \
	"$(cat "$WORK/known")" 'and these are all that there are'
is "$(awk 'length > 80' "$conf")" '' 'on lines that are not long'

done_testing
