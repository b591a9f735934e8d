#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# Ranges as others read them: Perl's Monitoring::Plugin and Python's
# nagiosplugin answer the same thousands of questions as our checks.
cd "$(dirname "$0")/../.." || exit 1
# shellcheck source=tests/lib.sh
. tests/lib.sh

ranges=5000

perl -MMonitoring::Plugin::Range -e 1 2>/dev/null ||
	skip_all "needs Perl's Monitoring::Plugin"
/usr/bin/python3 -c 'import nagiosplugin' 2>/dev/null ||
	skip_all "needs Python's nagiosplugin"

perl tests/servers/ranges.pl make $ranges >"$WORK/questions"
"$TOOLS/ranges" <"$WORK/questions" >"$WORK/ours"
ok $? 'our checks have an answer to everything'
perl tests/servers/ranges.pl judge <"$WORK/questions" >"$WORK/perl"
/usr/bin/python3 tests/servers/ranges.py <"$WORK/questions" >"$WORK/python"
cut -f 1 "$WORK/questions" | paste - "$WORK/ours" "$WORK/perl" \
	"$WORK/python" >"$WORK/answers"
is "$(wc -l <"$WORK/answers")" $ranges 'and so have Perl and Python'

# count CONDITION: of awk's, in how many answers it holds
count() {
	awk -F '\t' "$1 { n++ } END { print n + 0 }" "$WORK/answers"
}

# shellcheck disable=SC2016 # fields of awk's: range, ours, Perl's, Python's
{
	valid='$2 != "invalid"'
	[ "$(count "$valid")" -gt $((ranges / 3)) ] &&
		[ "$(count "!($valid)")" -gt $((ranges / 10)) ]
	ok $? 'there are enough ranges of both kinds'
	is "$(awk -F '\t' "$valid"' && ($2 != $3 || $2 != $4)' \
		"$WORK/answers")" '' \
		'what our checks take all take, and for every value alike'
	# we want a digit on both sides of a point and three behind it at most;
	# neither exponents nor plus signs, blanks, or digits that are grouped
	stricter='[eE+_ ]|\.($|[:.])|(^|[^0-9])\.|\.[0-9][0-9][0-9][0-9]'
	is "$(awk -F '\t' -v stricter="$stricter" '
		$2 == "invalid" && $3 != "invalid" && $4 != "invalid" &&
			$1 !~ stricter && length($1) < 20' "$WORK/answers")" '' \
		'what only our checks refuse is what they are stricter with'
	diag "$(count "$valid") of $ranges ranges are valid," \
		"$(count '($2 == "invalid") != ($3 == "invalid") ||
		($2 == "invalid") != ($4 == "invalid")') not for all"
}
done_testing
