#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# The manual pages: well-formed, and of one mind with --help, which comes from
# the tables of options themselves.
cd "$(dirname "$0")/.." || exit 1
# shellcheck source=tests/lib.sh
. tests/lib.sh

pages='daemon/thrash-protect.8 daemon/thrash-protect.conf.5
plugins/nagios/check_thrash_frozen.1 plugins/nagios/check_thrash_marker.1
plugins/nagios/check_thrash_pressure.1
plugins/nagios/thrash-protect-push.8'
checks='check_thrash_frozen check_thrash_marker check_thrash_pressure'

# of_help PROGRAM: a line for each option: name, letter, argument, default;
# "; also NAME" in its text is one of the same kind
of_help() {
	"$BIN/$1" --help | awk '
		function end_option() {
			if (name == "")
				return
			standard = "-"
			if (match(text, /\(default: [^()]*\)$/))
				standard = substr(text, RSTART + 10,
						  RLENGTH - 11)
			print name, letter, argument, standard
			if (match(text, /; also [a-z-]+/))
				print substr(text, RSTART + 7, RLENGTH - 7), \
					"-", argument, "-"
			name = ""
		}
		/^  (-.,|   ) --/ {
			end_option()
			letter = $1 ~ /^-.,$/ ? substr($1, 2, 1) : "-"
			if (letter != "-")
				$1 = ""
			$0 = $0 # new fields
			name = substr($1, 3)
			argument = $2 ~ /^[A-Z|]+$/ ? $2 : "-"
			text = $0
			next
		}
		/^ +[^ -]/ {
			sub(/^ +/, "")
			text = text " " $0
			next
		}
		{ end_option() }
		END { end_option() }' | sort
}

# of_page FILE: the same from ".It Fl w , Fl -warning Ar RANGE"
of_page() {
	awk '
		function end_option(	i) {
			for (i = 1; i <= count; i++)
				print names[i], letter, argument, standard
			count = 0
		}
		/^\.(It|El|Sh|Ss) / || /^\.El$/ { end_option() }
		/^\.It Fl / {
			letter = argument = standard = "-"
			for (i = 2; i <= NF; i++) {
				if ($i == "Ar")
					argument = $(i + 1)
				if ($i != "Fl")
					continue
				option = $(i + 1)
				if (option ~ /^-/)
					names[++count] = substr(option, 2)
				else
					letter = option
			}
		}
		/^\.Pq default: / {
			sub(/^\.Pq default: (Pa )?/, "")
			sub(/ \.$/, "")
			standard = $0
		}' "$1" | sort
}

# settings FILE: the same from ".It Ic max_frozen = Ar SECONDS"
settings() {
	awk '
		function end_setting() {
			if (name != "")
				print name, "-", argument, standard
			name = ""
		}
		/^\.(It|El|Sh|Ss)/ { end_setting() }
		/^\.It Ic [a-z_]+ = Ar / {
			name = $3
			gsub(/_/, "-", name)
			argument = $6
			standard = "-"
		}
		/^\.Pq default: / {
			sub(/^\.Pq default: (Pa )?/, "")
			sub(/ \.$/, "")
			standard = $0
		}' "$1" | sort
}

# same_options PROGRAM PAGE SETTINGS NAME: the options that ask for something,
# on a page, and the settings, on the same or another; what they are is then in
# $WORK/page and $WORK/settings
same_options() {
	of_help "$1" >"$WORK/help"
	of_page "$2" >"$WORK/page"
	settings "$3" >"$WORK/settings"
	# a setting that needs no value on the command line is a flag
	awk 'NR == FNR { argument[$1] = $3; letter[$1] = $2; next }
		{
			if ($3 == "YES|NO" && argument[$1] == "-")
				$3 = "-"
			$2 = letter[$1]
			print
		}' "$WORK/help" "$WORK/settings" >"$WORK/options"
	is "$(sort -u "$WORK/page" "$WORK/options")" "$(cat "$WORK/help")" "$4"
}

# twice: what is described as both
twice() {
	cut -d ' ' -f 1 "$WORK/page" "$WORK/settings" | sort | uniq -d
}

### Their form

for page in $pages; do
	if command -v mandoc >/dev/null; then
		is "$(mandoc -Tlint -W warning "$page" 2>&1)" '' \
			"mandoc finds nothing wrong in $page"
	else
		skip 'needs mandoc'
	fi
	if command -v groff >/dev/null; then
		is "$(groff -mandoc -ww -z -Tutf8 "$page" 2>&1)" '' \
			"groff finds nothing wrong in $page"
	else
		skip 'needs groff'
	fi
	missing=$(sed -n 's/^\.Xr \([a-z_.-]*thrash[a-z_.-]*\) \([0-9]\).*/\1.\2/p' \
		"$page" | while read -r name; do
		[ -e "daemon/$name" ] || [ -e "plugins/nagios/$name" ] ||
			echo "$name"
	done)
	is "$missing" '' "$page refers to pages that there are"
	is "$(awk 'length > 80' "$page")" '' "$page has no long lines"
done

### What they say

for check in $checks; do
	of_help "$check" >"$WORK/help"
	is "$(of_page "plugins/nagios/$check.1")" "$(cat "$WORK/help")" \
		"$check.1 has every option of --help, with its default, and no other"
	while read -r name _ argument _; do
		value=$(echo "$argument" | sed 's/-//; s/RANGE/5/; s/SECONDS/1/
			s/STATUS/ok/; s/DIR/\/proc/; s/FILE/\/none/')
		# shellcheck disable=SC2086 # none, or one
		out=$("$BIN/$check" "--$name" $value --run-dir "$WORK/none" \
			--timeout 0.5)
		unlike "$out" 'is not known|is expected|needs a value' \
			"$check --$name is known"
	done <"$WORK/help"
	command=$(sed -n "s/^\.Dl \($check .*\)/\1/p" "plugins/nagios/$check.1")
	# shellcheck disable=SC2086 # words
	run "$BIN/"$command --run-dir "$WORK/none" --timeout 0.5
	[ -n "$command" ] && [ "${out#*option}" = "$out" ]
	ok $? "$check.1 has an example that works" || diag "$command" "$out"
done

same_options thrash-protect daemon/thrash-protect.8 \
	daemon/thrash-protect.conf.5 \
	'thrash-protect.8 and thrash-protect.conf.5 have every option of --help, with its default, and no other'
is "$(twice)" dry-run 'no option is described twice, but --dry-run, which is both'
while read -r name _ argument standard; do
	value=$standard
	case $argument$value in
	YES*-) value=yes ;;
	RULES*) value='some exe:/bin/* user:root cgroup:/a' ;;
	PATHS*) value='/machine.slice/*' ;;
	FILE-) value=/none ;;
	esac
	printf '[thrash-protect]\n%s = %s\n' "$name" "$value" >"$WORK/conf"
	run "$BIN/thrash-protect" --config "$WORK/conf" --check-config
	is "$status $err" '0 ' "$name: its page shows how it is set"
done <"$WORK/settings"

sed -n '/^\[thrash-protect\]/,/^\.Ed/{/^\.Ed/!p;}' \
	daemon/thrash-protect.conf.5 | sed 's/user:backup/user:root/' \
	>"$WORK/conf"
run "$BIN/thrash-protect" --config "$WORK/conf" --check-config
is "$status $out" '0 the settings are valid' \
	'the example of thrash-protect.conf.5 is valid'

# names that still work and are in no --help
sed -n 's/.*FORMER("\([a-z_]*\)".*/\1/p; s/.*\.former = "\(.*\)",/\1/p' \
	daemon/settings.c | tr - _ >"$WORK/former"
is "$(while read -r name; do
	grep -q "Ic $name" daemon/thrash-protect.conf.5 || echo "$name"
done <"$WORK/former")" '' 'thrash-protect.conf.5 has every former name'
[ "$(wc -l <"$WORK/former")" -gt 8 ]
ok $? 'those were the names of settings.c'

if [ -x "$BIN/thrash-protect-push" ]; then
	page=plugins/nagios/thrash-protect-push.8
	same_options thrash-protect-push "$page" "$page" \
		'thrash-protect-push.8 has every option of --help, with its default, and no other'
	is "$(twice)" '' 'and none of them twice'
	(
		umask 077
		printf '[credentials]\nuser = a\npassword = b\ntoken = c\n' \
			>"$WORK/secrets"
	)
	while read -r name _ argument standard; do
		value=$standard
		case $argument$value in
		YES*-) value=yes ;;
		URL-) value=https://localhost/ ;;
		FILE-) value=$WORK/secrets ;;
		OPTIONS-) value=-v ;;
		NAME-) value=name ;;
		esac
		printf '[thrash-protect-push]\n%s = %s\n' "$name" "$value" \
			>"$WORK/conf"
		run "$BIN/thrash-protect-push" --config "$WORK/conf" \
			--check-config --url https://localhost/ \
			--credentials "$WORK/secrets"
		is "$status $err" '0 ' "$name: its page shows how it is set"
	done <"$WORK/settings"
	sed -n '/^\[thrash-protect-push\]/,/^\.Ed/{/^\.Ed/!p;}' "$page" \
		>"$WORK/conf"
	run "$BIN/thrash-protect-push" --config "$WORK/conf" --check-config \
		--credentials "$WORK/secrets"
	is "$status $out" '0 the settings are valid' \
		'the example of thrash-protect-push.8 is valid'
else
	skip 'needs thrash-protect-push (make push, with libcurl)'
fi

done_testing
