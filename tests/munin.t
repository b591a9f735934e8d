#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# The Munin plugins against made-up hosts and states, and what Munin itself
# says of them.
cd "$(dirname "$0")/.." || exit 1
. tests/lib.sh
unset MAKEFLAGS MFLAGS MAKELEVEL warning critical MUNIN_CAP_DIRTYCONFIG
plugins='thrash_majfault thrash_swap thrash_freezes thrash_stall'
chmod 755 "$WORK" # Munin runs plugins as nobody

# has TEXT LINE NAME
has() {
	printf '%s\n' "$1" | grep -qxF -e "$2"
	ok $? "$3" || diag "no line \"$2\" in:
$1"
}

# make_process DIRECTORY PID START_TIME
make_process() {
	mkdir -p "$1/$2"
	echo "$2 (a) b) S 1 $2 $2 0 -1 4194560 1 0 2 0 3 4 0 0 20 0 1 0 $3" \
		"1000000 25 18446744073709551615" >"$1/$2/stat"
}

pressure() {
	echo "some avg10=0.00 avg60=1.25 avg300=0.05 total=$1"
	echo "full avg10=0.00 avg60=0.00 avg300=0.00 total=$2"
}

# A host of today: counters beyond 2^53, which a double cannot hold.
now=$WORK/now
mkdir -p "$now/pressure"
cat >"$now/vmstat" <<'EOF'
nr_free_pages 181517
workingset_refault_anon 9007199254740993
workingset_refault_file 18446744073709551615
pswpin 5
pswpout 2199023255553
pgmajfault 9007199254740995
EOF
pressure 12345678 20000 >"$now/pressure/memory"
pressure 9007199254740993 9999 >"$now/pressure/io"
make_process "$now" 1 3
make_process "$now" 4242 777

# Linux 4.4.
old=$WORK/old
mkdir -p "$old"
cat >"$old/vmstat" <<'EOF'
nr_free_pages 181517
workingset_refault 31
workingset_activate 7
pswpin 1
pswpout 2
pgmajfault 3
EOF
make_process "$old" 1 3

# psi=0: the files are there and cannot be read.
psi0=$WORK/psi0
mkdir -p "$psi0/pressure/memory" "$psi0/pressure/io"
cp "$now/vmstat" "$psi0"

# A kernel that cannot swap.
noswap=$WORK/noswap
mkdir "$noswap"
sed '/pswp/d' "$now/vmstat" >"$noswap/vmstat"

empty=$WORK/empty
mkdir "$empty"

# make_state NAME [FROZEN_LINE...]; variables change single lines.  Written in
# the future: 0 s old however long the test takes.
make_state() {
	run=$WORK/run-$1
	shift
	mkdir -p "$run"
	{
		cat <<EOF
format 1
version 1.0.0
pid 4242
pid_start_time ${start_time:-777}
boottime_ms ${boottime_ms:-9000000000000}
fresh_for_ms ${fresh_for_ms:-60000}
mode psi-trigger
verdict thrashing
thrash_us_total 29999
freezes_total 9007199254740993
thaws_total 41
frozen_us_total 7999999
frozen_processes $#
longest_frozen_ms ${longest_ms:-0}
EOF
		for frozen; do
			printf 'frozen %s\n' "$frozen"
		done
	} >"$run/state"
}

make_state calm
calm=$run
longest_ms=61005 make_state busy \
	'1234 99 61005 signal batch make' \
	'77 98 249 signal batch tmux:\040server'
busy=$run
start_time=778 make_state dead
dead=$run
boottime_ms=1 fresh_for_ms=1 make_state silent

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

# on PROC RUN_DIR
on() {
	THRASH_PROTECT_PROC=$1
	THRASH_PROTECT_RUN_DIR=$2
	export THRASH_PROTECT_PROC THRASH_PROTECT_RUN_DIR
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

# shellcheck disable=SC2016 # nothing is to be expanded
make_state hostile \
	'11 1 0 signal batch #\040timeout' \
	'12 1 0 signal batch a\012x.value\0401' \
	'13 1 0 signal batch ${var:host}' \
	'14 1 0 signal batch \134n\134t|;`x`' \
	'15 1 0 signal batch <b>"&'\' \
	'16 1 0 signal batch a,\0401\040init' \
	'17 1 0 signal batch \303\251\377\033[1m'
hostile=$run
on "$now" "$hostile"
ask thrash_freezes
is "$(printf '%s\n' "$out" | grep extinfo)" \
	"frozen.extinfo 11 __timeout 0.0 s, 12 a_x.value_1 0.0 s,\
 13 __var:host_ 0.0 s, 14 _n_t___x_ 0.0 s, 15 _b____ 0.0 s,\
 16 a__1_init 0.0 s, 17 _____1m 0.0 s" \
	"what a process calls itself is a plain word in an alert"
is "$(printf '%s\n' "$out" | wc -l)" 6 "and adds no line"

set --
while [ $# -lt 256 ]; do
	set -- "$@" "$((2147483000 + $#)) 1 18446744073709551\
 signal batch aaaaaaaaaaaaaaa"
done
make_state full "$@"
full=$run
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

# --- documentation and markers ----------------------------------------------

sections='NAME
APPLICABLE SYSTEMS
CONFIGURATION
INTERPRETATION
MAGIC MARKERS
BUGS
AUTHOR
LICENSE'
for plugin in $plugins; do
	if command -v podchecker >/dev/null; then
		podchecker -warnings -warnings "$BIN/$plugin" >"$WORK/out" 2>&1
		ok $? "podchecker finds nothing wrong in $plugin"
		grep -a '^\*\*\*' "$WORK/out" | sed 's/^/# /'
	else
		skip "no podchecker"
	fi
	if command -v pod2text >/dev/null; then
		out=$(pod2text "$BIN/$plugin" 2>&1)
		is "$(printf '%s\n' "$out" | grep '^[A-Z]')" "$sections" \
			"$plugin has its documentation inside"
		on "$now" "$busy"
		missing=
		for field in $("$BIN/$plugin" config |
			sed -n 's/\.label .*//p'); do
			printf '%s\n' "$out" | grep -qx "    \"$field\"" ||
				missing="$missing $field"
		done
		is "$missing" "" "$plugin documents every field"
		like "$out" "^    $plugin - " \
			"$plugin documents itself under its own name"
	else
		skip "no pod2text"
		skip "no pod2text"
		skip "no pod2text"
	fi
done

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

# --- Munin itself -----------------------------------------------------------

for host in "$now $busy" "$now $hostile" "$now $full" "$old $calm" \
	"$now $dead"; do
	on "${host% *}" "${host#* }"
	for plugin in $plugins; do
		warning=5: critical=:9.5 "$BIN/$plugin" config >"$WORK/config"
		"$BIN/$plugin" >"$WORK/fetch"
		MUNIN_CAP_DIRTYCONFIG=1 "$BIN/$plugin" config >"$WORK/dirty"
		out=$(perl tests/munin-master-parse.pl "$plugin" "$WORK/config" \
			"$WORK/fetch" 2>&1)
		status=$?
		dirty=$(perl tests/munin-master-parse.pl "$plugin" \
			"$WORK/dirty" 2>&1)
		if [ $status -eq 77 ]; then
			skip "$out"
			continue
		fi
		is "$out$dirty" "" \
			"Munin's master takes $plugin ($(echo "$host" |
				sed "s|$WORK/||g"))"
	done
done

if command -v munin-node-configure >/dev/null &&
	defaults=$(perl -MMunin::Common::Defaults \
		-e 'print $INC{"Munin/Common/Defaults.pm"}' 2>/dev/null); then
	munin=$WORK/munin
	mkdir -p "$munin/lib" "$munin/plugins" "$munin/conf" "$munin/state" \
		"$munin/perl/Munin/Common"
	# nothing of this host's Munin is read or changed
	sed -e "s|q{/var/lib/munin-node/plugin-state}|q{$munin/state}|" \
		-e "s|q{/etc/munin}|q{$munin}|" \
		-e "s|q{/usr/share/munin}|q{$munin}|" \
		"$defaults" >"$munin/perl/Munin/Common/Defaults.pm"
	export PERL5LIB="$munin/perl"
	: >"$munin/munin-node.conf"
	: >"$munin/conf/none"
	for plugin in $plugins; do
		cp "$BIN/$plugin" "$munin/lib"
	done
	on "$now" "$calm"
	out=$(munin-node-configure --config "$munin/munin-node.conf" \
		--libdir "$munin/lib" --servicedir "$munin/plugins" \
		--sconfdir "$munin/conf" --suggest 2>&1)
	for plugin in $plugins; do
		like "$out" "^$plugin  *[|] no   [|] yes *\$" \
			"munin-node-configure suggests $plugin"
	done
	on "$old" "$WORK/run-none"
	out=$(munin-node-configure --config "$munin/munin-node.conf" \
		--libdir "$munin/lib" --servicedir "$munin/plugins" \
		--sconfdir "$munin/conf" --suggest 2>&1 |
		sed -n 's/ *|/|/g; s/| */|/gp')
	has "$out" "thrash_freezes|no|no [$WORK/run-none: No such file or directory]" \
		"munin-node-configure shows why a plugin is of no use"
	printf '[thrash_freezes]\nenv.frozen_critical 3\nenv.warning 1:\n' \
		>"$munin/conf/thrash"
	ln -s "$munin/lib/thrash_freezes" "$munin/plugins"
	on "$now" "$busy"
	out=$(munin-run --config "$munin/munin-node.conf" \
		--servicedir "$munin/plugins" --sconfdir "$munin/conf" \
		thrash_freezes config 2>&1)
	has "$out" "frozen.critical 3" "munin-run hands on the limit of a field"
	has "$out" "frozen.warning 1:" "munin-run hands on the limit of all"
	unset PERL5LIB
else
	for plugin in $plugins; do
		skip "no munin-node-configure"
	done
	skip "no munin-node-configure"
	skip "no munin-run"
	skip "no munin-run"
fi

done_testing
