#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# What the parser of Munin's master and Perl's tools for documentation say of
# the plugins, on made-up hosts.
# shellcheck disable=SC2154 # variables of the fixture
cd "$(dirname "$0")/../.." || exit 1
# shellcheck source=tests/lib.sh
. tests/lib.sh
for needed in podchecker pod2text; do
	command -v $needed >/dev/null || skip_all "needs $needed"
done
perl tests/servers/munin-master-parse.pl none /dev/null >"$WORK/out" 2>&1
[ $? -ne 77 ] || skip_all "$(cat "$WORK/out")"
# shellcheck source=tests/munin-fixture.sh
. tests/munin-fixture.sh

for host in "$now $busy" "$now $hostile" "$now $full" "$old $calm" \
	"$now $dead"; do
	on "${host% *}" "${host#* }"
	for plugin in $plugins; do
		warning=5: critical=:9.5 "$BIN/$plugin" config >"$WORK/config"
		"$BIN/$plugin" >"$WORK/fetch"
		MUNIN_CAP_DIRTYCONFIG=1 "$BIN/$plugin" config >"$WORK/dirty"
		out=$(perl tests/servers/munin-master-parse.pl "$plugin" "$WORK/config" \
			"$WORK/fetch" 2>&1)
		dirty=$(perl tests/servers/munin-master-parse.pl "$plugin" \
			"$WORK/dirty" 2>&1)
		is "$out$dirty" "" \
			"Munin's master takes $plugin ($(echo "$host" |
				sed "s|$WORK/||g"))"
	done
done

sections='NAME
APPLICABLE SYSTEMS
CONFIGURATION
INTERPRETATION
MAGIC MARKERS
BUGS
AUTHOR
LICENSE'
for plugin in $plugins; do
	podchecker -warnings -warnings "$BIN/$plugin" >"$WORK/out" 2>&1
	ok $? "podchecker finds nothing wrong in $plugin"
	grep -a '^\*\*\*' "$WORK/out" | sed 's/^/# /'
	out=$(pod2text "$BIN/$plugin" 2>&1)
	is "$(printf '%s\n' "$out" | grep '^[A-Z]')" "$sections" \
		"$plugin has its documentation inside"
	on "$now" "$busy"
	missing=
	for field in $("$BIN/$plugin" config | sed -n 's/\.label .*//p'); do
		printf '%s\n' "$out" | grep -qx "    \"$field\"" ||
			missing="$missing $field"
	done
	is "$missing" "" "$plugin documents every field"
	like "$out" "^    $plugin - " \
		"$plugin documents itself under its own name"
done

done_testing
