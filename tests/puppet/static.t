#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# What can be said of the Puppet module without applying it: that it parses, is
# in good style and documented, that its own tests pass, and that no setting of
# the daemon, of the push tool or of the checks is missing in it.
cd "$(dirname "$0")/../.." || exit 1
# shellcheck source=tests/lib.sh
. tests/lib.sh
# shellcheck source=tests/puppet/fixture.sh
. tests/puppet/fixture.sh

need puppet puppet-lint metadata-json-lint yamllint rspec
export RUBYOPT=-W0
module=$PWD/puppet
mkdir "$WORK/modules"
ln -s "$module" "$WORK/modules/thrash_protect"
# What leaves files where it works does so in a copy.
cp -R "$module" "$WORK/copy"
rm -rf "$WORK/copy/spec/fixtures/modules" "$WORK/copy/.yardoc"
manifests=$(find "$module/manifests" "$module/types" "$module/functions" \
	"$module/examples" -name '*.pp')

# silent NAME COMMAND...: succeeds, and says nothing
silent() {
	silent_name=$1
	shift
	run "$@"
	test "$status$(printf '%s\n' "$out$err" | grep -v /environ)" = 0
	ok $? "$silent_name" || diag "$out" "$err"
}

# shellcheck disable=SC2086 # words
test_style() {
	silent 'manifests parse' puppet parser validate --strict=error $manifests
	silent 'templates parse' puppet epp validate "$module"/templates/*.epp
	silent 'manifests are in good style' \
		puppet-lint --fail-on-warnings --relative --no-140chars-check \
		$manifests
	silent 'metadata.json is valid' metadata-json-lint "$module/metadata.json"
	silent 'data is valid' yamllint --strict -d relaxed \
		"$module/hiera.yaml" "$module/data"
	is "$(grep -Lr . "$module/manifests" "$module/data"
		grep -rnE '[[:blank:]]$' "$module" --include='*.pp' --include='*.epp' \
			--include='*.yaml' --include='*.rb')" '' \
		'no line ends in blanks'
	is "$(grep -rnE '\$::|hiera\(|lookup\(' "$module/manifests" \
		"$module/templates")" '' 'nobody looks into other scopes'
	for type in "$module"/types/*.pp; do
		alias=Thrash_protect::$(basename "$type" .pp | sed 's/^./\U&/')
		grep -rqF "$alias" "$module/manifests" "$module/functions" \
			"$module/templates" "$module/types" --exclude="${type##*/}"
		ok $? "$alias is used"
	done
}

test_documentation() {
	(cd "$WORK/copy" && puppet strings generate --format markdown \
		--out "$WORK/REFERENCE.md") >"$WORK/strings" 2>&1
	like "$(cat "$WORK/strings")" '^ *100.00% documented' \
		'all of it is documented'
	unlike "$(cat "$WORK/strings")" 'warn' 'as it should be'
	cmp -s "$WORK/REFERENCE.md" "$module/REFERENCE.md"
	ok $? 'REFERENCE.md is what comes of that (make puppet-reference)'
	is "$(sed -n 's/^VERSION = //p' Makefile)" "$(sed -n \
		's/^  "version": "\(.*\)",/\1/p' "$module/metadata.json")" \
		'the version is that of the daemon'
}

# options PROGRAM: the names of those that --help has, without "the same likewise"
options() {
	"$BIN/$1" --help | sed -n 's/^  [-a-zA-Z, ]\{4\}--\([a-z-]*\).*/\1/p;
		s/.*; also \([a-z-]*\)$/\1/p' | tr - _ | sort -u
}

# commands PROGRAM SECTION: of them, those that a file may not set
settings() {
	for option in $(options "$1"); do
		printf '[%s]\n%s = x\n' "$1" "$option" >"$WORK/conf"
		"$BIN/$1" --check-config --config "$WORK/conf" 2>&1 |
			grep -q "is not a setting" || echo "$option"
	done
}

# keys FILE BEGIN: of the table of settings in a manifest
keys() {
	sed -n "/$2/,/^  }/s/^ *'\\([a-z_]*\\)' *=> .*/\\1/p" "$1" | sort -u
}

parameters() {
	sed -n "s/^  [A-Z].* \\\$\\($2[a-z_]*\\).*/\\1/p" "$module/manifests/$1.pp"
}

# shellcheck disable=SC2016 # of Puppet's
test_settings() {
	settings thrash-protect | sort >"$WORK/daemon"
	{
		keys "$module/manifests/config.pp" '\$rules = {'
		keys "$module/manifests/config.pp" '\$settings = {'
	} | sort -u >"$WORK/module"
	test -s "$WORK/daemon"
	is "$(cat "$WORK/module")" "$(cat "$WORK/daemon")" \
		"every setting of the daemon is Puppet's, too, and no other"
	is "$(parameters init '' | sort | comm -13 - "$WORK/daemon")" '' \
		'each is a parameter'
	settings thrash-protect-push | sort >"$WORK/tool"
	{
		keys "$module/manifests/push.pp" '\$options = {'
		keys "$module/manifests/push.pp" '\$settings = {'
	} | sort -u >"$WORK/module"
	is "$(cat "$WORK/module")" "$(cat "$WORK/tool")" \
		'every setting of the push tool is, and no other'
	is "$(parameters push '' | sort | comm -13 - "$WORK/tool")" '' \
		'each is a parameter'
}

# enumerated TYPE: what Puppet knows
enumerated() {
	sed -n "s/^  '\(.*\)',/\1/p" "$module/types/$1.pp" | sort
}

# listed VARIABLE: of the Makefile
listed() {
	sed -n "s/^$1 = //p" Makefile | tr ' ' '\n' | sort
}

test_programs() {
	is "$(enumerated nagios_plugin)" "$(listed CHECKS)" \
		'every check is a plugin for Puppet'
	is "$(enumerated munin_plugin)" "$(listed GRAPHS)" \
		'every graph is, too'
}

# What all checks have, and what is told them by other parameters, is left out.
test_checks() {
	for check in frozen marker pressure; do
		options check_thrash_$check |
			grep -vxE 'help|version|timeout|run_dir|proc|marker' |
			sed "s/^/${check}_/" >"$WORK/options"
		[ $check = frozen ] || sed -i /verbose/d "$WORK/options"
		is "$(parameters nrpe ${check}_ | sort)" "$(cat "$WORK/options")" \
			"every option of check_thrash_$check is a parameter"
	done
}

# bounds CLASS: "NAME LEAST MOST" of each number
bounds() {
	sed -n "s/^  Optional.*\\(Float\\|Integer\\)\\[\\([0-9.]*\\), \\([0-9.]*\\)\\].* \\\$\\([a-z_]*\\) .*/\\4 \\2 \\3/p" \
		"$module/manifests/$1.pp"
}

# takes PROGRAM NAME VALUE
takes() {
	printf '[%s]\n%s = %s\n' "$1" "$2" "$3" >"$WORK/conf"
	[ "$1" = thrash-protect ] ||
		printf "url = https://localhost/\ncredentials = %s\n" "$WORK/secrets" >>"$WORK/conf"
	"$BIN/$1" --check-config --config "$WORK/conf" >/dev/null 2>"$WORK/why"
}

# What is just beyond is a tenth more, or less than half.
test_bounds() {
	(umask 077 && printf '[credentials]\nuser = u\npassword = p\n' \
		>"$WORK/secrets")
	bounds "$2" >"$WORK/bounds"
	while read -r name least most; do
		case $least in
		*.*) less=$(awk "BEGIN { print $least * 0.4 }") more=${most%.*}.1 ;;
		*) less=$((least - 1)) more=$((most + 1)) ;;
		esac
		takes "$1" "$name" "$least" && takes "$1" "$name" "$most" &&
			! takes "$1" "$name" "$more" &&
			{ [ "$least" = 0.0 ] || ! takes "$1" "$name" "$less"; }
		ok $? "$name of $1 has the same bounds as in Puppet" ||
			diag "$(cat "$WORK/why")"
	done <"$WORK/bounds"
	[ -s "$WORK/bounds" ]
	ok $? "there are such numbers of $1"
}

test_spec() {
	(cd "$WORK/copy" && rake spec_prep && rspec --no-color) >"$WORK/spec" 2>&1
	ok $? 'its own tests pass' || diag "$(grep -v /environ "$WORK/spec")"
	like "$(cat "$WORK/spec")" '^Resource coverage: *100[.]00%' \
		'they touch all of it'
}

test_style
test_documentation
test_settings
test_programs
test_checks
test_bounds thrash-protect init
test_bounds thrash-protect-push push
[ -n "${THRASH_TEST_NO_SPEC-}" ] || test_spec
done_testing
