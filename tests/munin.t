#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# The Munin plugins against made-up hosts and states.
# shellcheck disable=SC2154 # variables of the fixture
cd "$(dirname "$0")/.." || exit 1
# shellcheck source=tests/lib.sh
. tests/lib.sh
# shellcheck source=tests/munin-fixture.sh
. tests/munin-fixture.sh
unset MAKEFLAGS MFLAGS MAKELEVEL

# ask PLUGIN [ARGUMENT...]
ask() {
	asked=$1
	shift
	run "$BIN/$asked" "$@"
}

# fields SUFFIX TEXT: the names of the lines NAME.SUFFIX
fields() {
	printf '%s\n' "$2" | sed -n "s/^\([^. ]*\)\.$1 .*/\1/p" | tr '\n' ' '
}

one_line() {
	[ "$(wc -l <"$1")" -eq 1 ]
}

# --- config and fetch -------------------------------------------------------

for plugin in $plugins; do
	for host in "$now $busy" "$now $dead" "$old $calm" "$psi0 $empty/none"; do
		on "${host% *}" "${host#* }"
		where="${host% *}, ${host#* }"
		where=$(echo "$where" | sed "s|$WORK/||g")
		ask "$plugin" config
		config=$out
		ask "$plugin"
		is "$status$err$(fields value "$out")" "0$(fields label "$config")" \
			"$plugin ($where) fetches the fields of its config"
	done
	ask "$plugin" fetch
	bare=$("$BIN/$plugin")
	is "$out" "$bare" "$plugin fetches with and without an argument"
	on "$now" "$busy"
	ask "$plugin" config
	unlike "$out" '\.max' \
		"$plugin sets no maximum, which would cut the peaks off"
	is "$(fields min "$out")" "$(fields label "$out")" \
		"$plugin sets a minimum for every field"
	unlike "$out" '\.min ([^0]|0.)' "$plugin sets the minimum 0"
	is "$(fields info "$out")" "$(fields label "$out")" \
		"$plugin explains every field"
	like "$(fields label "$out")" '^([A-Za-z_][A-Za-z0-9_]* )+$' \
		"$plugin has names for its fields that Munin leaves alone"
	ask "$plugin" config cap
	is "$out" "$("$BIN/$plugin" config)" "$plugin knows Munin 3's config cap"
done

on "$now" "$busy"
for pair in majfault:memory swap:memory stall:memory freezes:processes; do
	ask "thrash_${pair%:*}" config
	has "$out" "graph_category ${pair#*:}" \
		"thrash_${pair%:*} is in the category ${pair#*:}"
done

# --- values -----------------------------------------------------------------

on "$now" "$calm"
ask thrash_majfault
is "$out" "pgmajfault.value 9007199254740995
refault_anon.value 9007199254740993
refault_file.value 18446744073709551615" \
	"thrash_majfault passes counters beyond 2^53 unchanged"
on "$old" "$calm"
ask thrash_majfault
is "$out" "pgmajfault.value 3
refault_file.value 31" "thrash_majfault has one kind of refaults on Linux 4.4"
is "$("$BIN/thrash_majfault" config | grep -c 'refault_anon')" 0 \
	"thrash_majfault leaves out of config what the host does not have"

on "$now" "$calm"
page=$(getconf PAGESIZE)
ask thrash_swap
is "$out" "in.value $((5 * page))
out.value $((2199023255553 * page))" "thrash_swap counts bytes"
ask thrash_swap config
has "$out" "in.graph no" "thrash_swap hides the field in"
has "$out" "out.negative in" "thrash_swap draws in below out"

ask thrash_stall
is "$out" "memory_some.value 1234
memory_full.value 2
io_some.value 900719925474
io_full.value 0
thrashing.value 2" "thrash_stall counts hundredths of seconds: percent"
on "$now" "$dead"
ask thrash_stall
has "$out" "memory_some.value 1234" \
	"thrash_stall has the pressure without a daemon"
has "$out" "thrashing.value U" \
	"thrash_stall does not know the time spent thrashing without a daemon"
on "$psi0" "$calm"
ask thrash_stall
is "$status $(fields value "$out")" "0 thrashing " \
	"thrash_stall does without pressure information"

on "$now" "$calm"
ask thrash_freezes
is "$out" "freezes.value 9007199254740993
thaws.value 41
frozen.value 0
longest.value 0.000
average.value 7" "thrash_freezes has the totals of a calm daemon"
on "$now" "$busy"
ask thrash_freezes
is "$out" "freezes.value 9007199254740993
thaws.value 41
frozen.value 2
frozen.extinfo 1234 make 61.0 s, 77 tmux:_server 0.2 s
longest.value 61.005
average.value 7" "thrash_freezes names who is frozen and for how long"

uptime_ms=$(sed 's/\([0-9]*\)\.\([0-9]*\) .*/\1\20/' /proc/uptime)
boottime_ms=$((uptime_ms - 5000)) longest_ms=1000 make_state aged \
	'1234 99 1000 signal batch make'
on "$now" "$run"
ask thrash_freezes
seconds=$(printf '%s\n' "$out" | sed -n 's/^longest.value \([0-9]*\)\..*/\1/p')
[ "$seconds" -ge 6 ] && [ "$seconds" -le 8 ]
ok $? "thrash_freezes adds the time since the state was written"

# --- no daemon --------------------------------------------------------------

for case in "dead:the daemon .*" "silent:the daemon .*" \
	"none:$WORK/run-none: No such file or directory"; do
	name=${case%%:*}
	on "$now" "$WORK/run-$name"
	ask thrash_freezes
	is "$status $err$(printf '%s\n' "$out" | grep '\.value' |
		grep -vc '\.value U$')" "0 0" \
		"thrash_freezes ($name) has no number of a daemon that is not there"
	is "$(fields extinfo "$out")" "$(fields value "$out")" \
		"thrash_freezes ($name) explains every unknown value"
	like "$out" "^longest.extinfo ${case#*:}\$" \
		"thrash_freezes ($name) tells why a value is unknown"
done

make_state broken
echo 'thaws_total -1' >>"$run/state"
make_state foreign
chmod 666 "$run/state"
for name in broken foreign; do
	on "$now" "$WORK/run-$name"
	ask thrash_freezes
	[ "$status" = 1 ] && [ -z "$out" ] && one_line "$WORK/.err"
	ok $? "thrash_freezes ($name state) fails with one line"
	for dirty in 0 1; do
		export MUNIN_CAP_DIRTYCONFIG=$dirty
		ask thrash_freezes config
		unset MUNIN_CAP_DIRTYCONFIG
		is "$status$err $(fields label "$out")$(fields value "$out")" \
			"0 freezes thaws frozen longest average " \
			"thrash_freezes ($name state, dirty $dirty) keeps its config"
	done
	ask thrash_stall
	is "$status $(fields value "$out")" \
		"0 memory_some memory_full io_some io_full thrashing " \
		"thrash_stall ($name state) still has the pressure"
done

# --- autoconf ---------------------------------------------------------------

while IFS='|' read -r plugin proc state wanted; do
	on "$WORK/$proc" "$WORK/$state"
	ask "$plugin" autoconf
	# shellcheck disable=SC2254 # a pattern
	case $status:$err:$out in
	0::$wanted) good=0 ;;
	*) good=1 ;;
	esac
	ok $good "$plugin autoconf ($proc, $state): ${wanted%% *}"
	[ $good -eq 0 ] || echo "# $status:$err:$out"
done <<EOF
thrash_majfault|now|run-none|yes
thrash_majfault|old|run-none|yes
thrash_majfault|empty|run-calm|no (vmstat: No such file or directory)
thrash_majfault|absent|run-calm|no ($WORK/absent: No such file or directory)
thrash_swap|now|run-none|yes
thrash_swap|noswap|run-none|no (vmstat: this kernel has no swap)
thrash_swap|empty|run-calm|no (vmstat: No such file or directory)
thrash_stall|now|run-none|yes
thrash_stall|old|run-calm|yes
thrash_stall|old|run-none|no (no pressure information, and $WORK/run-none: No such file or directory)
thrash_stall|psi0|run-none|no (no pressure information, and $WORK/run-none: No such file or directory)
thrash_freezes|now|run-calm|yes
thrash_freezes|now|run-dead|yes
thrash_freezes|now|empty|yes
thrash_freezes|now|run-none|no ($WORK/run-none: No such file or directory)
thrash_freezes|now|run-broken|no (state file: *)
thrash_freezes|now|run-foreign|no ($WORK/run-foreign/state: *)
EOF
on "$now" "$WORK/a
b)"
ask thrash_freezes autoconf
one_line "$WORK/.out"
ok $? "autoconf answers one line whatever the directory is called"

# --- dirtyconfig ------------------------------------------------------------

on "$now" "$busy"
for plugin in $plugins; do
	for dirty in 1 0 yes; do
		export MUNIN_CAP_DIRTYCONFIG=$dirty
		ask "$plugin" config
		unset MUNIN_CAP_DIRTYCONFIG
		values=$(printf '%s\n' "$out" | grep -E '\.(value|extinfo) ')
		wanted=
		[ $dirty = 1 ] && wanted=$("$BIN/$plugin")
		is "$values" "$wanted" \
			"$plugin config with MUNIN_CAP_DIRTYCONFIG=$dirty"
	done
done

# --- limits -----------------------------------------------------------------

for limit in 5 5: :5 -5:+5 .5 5. 0.25:; do
	out=$(warning=$limit "$BIN/thrash_swap" config)
	has "$out" "out.warning $limit" "the limit $limit is passed on"
done
for limit in : 5:: 1:2:3 abc 5x 0x5 1e3 1.2.3 -- - . @1:2 '~:5' 5% '1 2' \
	'5,5'; do
	critical=$limit "$BIN/thrash_swap" config >"$WORK/out" 2>"$WORK/.err"
	[ $? -eq 1 ] && [ ! -s "$WORK/out" ] && one_line "$WORK/.err" &&
		grep -qF "env.critical $limit" "$WORK/.err"
	ok $? "the limit $limit is refused with one line"
done
out=$(warning=1 out_warning=2 critical=3 in_critical=4 \
	"$BIN/thrash_swap" config | grep -E 'warning|critical')
is "$out" "in.warning 1
in.critical 4
out.warning 2
out.critical 3" "a field's own limit comes before that of all fields"
out=$(warning=' 1 ' out_warning='' "$BIN/thrash_swap" config |
	grep -E 'warning|critical')
is "$out" "in.warning 1
out.warning 1" "an empty limit is none, and blanks around one do no harm"
out=$(warning=abc "$BIN/thrash_swap")
is "$out" "$("$BIN/thrash_swap")" "a bad limit does not stop the values"

# --- errors -----------------------------------------------------------------

for plugin in $plugins; do
	for bad in suggest --help 'config x' 'fetch config' 'config cap x'; do
		# shellcheck disable=SC2086 # words
		ask "$plugin" $bad
		[ $status = 1 ] && [ -z "$out" ] && one_line "$WORK/.err"
		ok $? "$plugin refuses \"$bad\" with one line"
	done
	"$BIN/$plugin" config >/dev/full 2>"$WORK/.err"
	is "$?" 1 "$plugin fails when its output is lost"
done
on "$empty" "$calm"
for request in fetch config; do
	ask thrash_majfault $request
	is "$status:$out:$err" "1::thrash_majfault: vmstat: No such file or directory" \
		"thrash_majfault fails to $request without vmstat, with one line"
done
ask thrash_swap config
is "$status $(fields label "$out")" "0 in out " \
	"thrash_swap keeps its config without vmstat"
mkdir "$WORK/odd"
echo "pgmajfault 1x" >"$WORK/odd/vmstat"
on "$WORK/odd" "$calm"
ask thrash_majfault
is "$status:$out" "1:" "thrash_majfault does not guess at a bad number"
mkdir -p "$WORK/odd/pressure"
pressure 1 x >"$WORK/odd/pressure/io"
for request in fetch config; do
	ask thrash_stall $request
	is "$status:$out:$err" "1::thrash_stall: pressure/io is malformed" \
		"thrash_stall does not guess at bad pressure ($request)"
done

on "$now" "$busy"
echo untouched >"$WORK/statefile"
for plugin in $plugins; do
	MUNIN_STATEFILE=$WORK/statefile MUNIN_PLUGSTATE=$WORK/plugstate \
		"$BIN/$plugin" >/dev/null
done
[ ! -e "$WORK/plugstate" ] && [ "$(cat "$WORK/statefile")" = untouched ]
ok $? "no plugin keeps anything for its next run"

# --- hostile names of processes ---------------------------------------------

on "$now" "$hostile"
ask thrash_freezes
is "$(printf '%s\n' "$out" | grep extinfo)" \
	"frozen.extinfo 11 __timeout 0.0 s, 12 a_x.value_1 0.0 s,\
 13 __var:host_ 0.0 s, 14 _n_t___x_ 0.0 s, 15 _b____ 0.0 s,\
 16 a__1_init 0.0 s, 17 _____1m 0.0 s" \
	"what a process calls itself is a plain word in an alert"
is "$(printf '%s\n' "$out" | wc -l)" 6 "and adds no line"

on "$now" "$full"
ask thrash_freezes
has "$out" "frozen.value 256" "256 frozen processes are counted"
line=$(printf '%s\n' "$out" | grep '^frozen.extinfo')
[ ${#line} -lt 530 ]
ok $? "a list of many frozen processes is cut"
named=$(printf '%s\n' "$line" | tr ',' '\n' | wc -l)
case $line in
*" and $((256 - named)) more") ok 0 "and says how many are left out" ;;
*) ok 1 "and says how many are left out" ;;
esac

# --- markers ------------------------------------------------------------------

# markers FILE: what munin-node-configure would find
markers() {
	LC_ALL=C sed -n 's/.*#%#  *\([a-z]*\)  *=  *\(.*\)/\1=\2/p
		s/.*#%#  *\([a-z]*=.*\)/\1/p' "$1" | tr '\n' ' '
}
for plugin in $plugins; do
	is "$(markers "$BIN/$plugin")" "family=auto capabilities=autoconf " \
		"$plugin has whole magic markers"
done

# The harshest linking that a packager may choose.
for compiler in gcc clang; do
	if ! command -v $compiler >/dev/null || ! command -v make >/dev/null; then
		skip "no $compiler and make"
		skip "no $compiler and make"
		continue
	fi
	for linking in "" "STATIC="; do
		rm -f "$WORK/$compiler/bin/thrash_swap"
		# shellcheck disable=SC2086 # no word when empty
		make BUILD="$WORK/$compiler" CC=$compiler $linking \
			CFLAGS="-O2 -ffunction-sections -fdata-sections" \
			LDFLAGS="-s -Wl,--gc-sections" \
			"$WORK/$compiler/bin/thrash_swap" >"$WORK/out" 2>&1
		is "$(grep -c warning "$WORK/out"):$(markers \
			"$WORK/$compiler/bin/thrash_swap")" \
			"0:family=auto capabilities=autoconf " \
			"$compiler -s --gc-sections $linking keeps the markers"
	done
done

done_testing
