#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# The command line of the daemon, its settings and where they come from.
# No daemon runs here but with --dry-run.
cd "$(dirname "$0")/.." || exit 1
# shellcheck source=tests/lib.sh
. tests/lib.sh

config=$WORK/config
run_dir=$WORK/run
: >"$config"

# protect ARG...: never with this host's own configuration or run directory
protect() {
	# what starts by mistake must freeze nobody
	run env THRASH_PROTECT_DRY_RUN="${THRASH_PROTECT_DRY_RUN-yes}" \
		timeout 10 "$BIN/thrash-protect" --config "$config" \
		--run-dir "$run_dir" "$@"
}

# refused NAME: the last run was ended by one line, having done nothing
refused() {
	is "$status" 2 "$1: exit status 2"
	is "$(printf '%s\n' "$err" | grep -c .) $out" "1 " \
		"$1: one line on standard error and nothing else"
	test ! -e "$run_dir"
	ok $? "$1: nothing is written"
}

# The line that --status fails with names the run directory in force.
status_of() {
	run timeout 10 "$@" --status
	echo "$err" | sed 's/^thrash-protect: \(.*\): No such file .*/\1/'
}

### What is asked for when nothing else works

for option in --help -h; do
	run "$BIN/thrash-protect" $option
	is "$status" 0 "$option ends with 0"
	like "$out" '^Usage: thrash-protect' "$option says how it is used"
	is "$err" '' "$option has no complaint"
done
help=$out
unlike "$help" '^.{81}' '--help fits into 80 columns'

for option in --version -V; do
	run "$BIN/thrash-protect" $option
	is "$status" 0 "$option ends with 0"
	like "$out" '^thrash-protect [0-9]+\.[0-9]+' "$option says which"
done

echo 'no such thing' >"$config"
protect --help
is "$status" 0 '--help works with a broken configuration file'
protect --version
is "$status" 0 '--version works with a broken configuration file'
: >"$config"
THRASH_PROTECT_NONSENSE=1 run "$BIN/thrash-protect" --help
is "$status" 0 '--help works with a broken environment'

### Usage errors

# usage PATTERN ARG...
usage() {
	pattern=$1
	shift
	protect "$@"
	refused "$*"
	like "$err" "$pattern" "$*: the line says what is wrong"
}

usage 'option --nonsense is not known' --nonsense
usage 'option --nonsense is not known' --nonsense=1
usage 'option -x is not known' -x
usage "argument 'now' is not expected" now
usage 'option --interval needs a value' --interval
usage 'option --interval: .*seconds' --interval=soon
usage 'option --interval: .*from 0.01 to 10 ' --interval 0
usage 'option --interval: .*seconds' --interval -1
usage 'option --interval: ' --interval 99999999999999999
usage 'option --interval: .*seconds' --interval ''
usage 'option --stall-threshold: .*percentage' --stall-threshold 5.5555
usage 'option --stall-threshold: .*from 0.1 to 100 ' --stall-threshold 101
usage 'option --swap-page-threshold: .*whole number' --swap-page-threshold 1.5
usage 'option --use-psi: yes or no' --use-psi perhaps
usage 'option --run-dir: an absolute path' --run-dir relative
usage 'option --run-dir: an absolute path' --run-dir ''
usage 'option --marker: an absolute path' --marker relative
usage 'option --proc: an absolute path' --proc ''
usage 'option --log-file: an absolute path' --log-file log
usage 'option --help takes no value' --help=now
usage 'one thing' --status --thaw-all
usage 'goes with --status' --prometheus
usage 'without --json' --status --json --prometheus
usage 'at most 128 rules' --protect "$(seq 129 | tr '\n' ' ')"
usage "'foo:' is none of comm:" --protect 'a foo:b'
usage "'exe:' names nothing" --prefer exe:
usage "'no-such-user' is not in /etc/passwd" --batch user:no-such-user
usage 'at most 127 letters' --interactive "$(printf '%0128d' 0)"
usage "$WORK/none: No such file" --config "$WORK/none"
usage "$WORK: Is a directory" --config "$WORK"

### The configuration file

# in_file TEXT
in_file() {
	printf '%s\n' "$1" >"$config"
	protect --check-config
}

# wrong LINE PATTERN TEXT
wrong() {
	in_file "$3"
	shown=$(printf '%s' "$3" | head -c 60 | tr '\n' '|')
	refused "file with $shown"
	like "$err" "^thrash-protect: $config:$1: $2" \
		"file with $shown: the line says where and what"
}

in_file ''
is "$status $out" '0 the settings are valid' '--check-config: an empty file'
in_file '# nothing
; either
[thrash-protect]
  interval=0.2
max_frozen : 30
protect = a* b,c'
is "$status $out $err" '0 the settings are valid ' \
	'--check-config: comments, blanks, both signs and lists'
printf '[thrash-protect]\r\ninterval = 0.2\r\n' >"$config"
protect --check-config
is "$status $err" '0 ' '--check-config: a file from another system'
printf '[thrash-protect]\ninterval = 0.2' >"$config"
protect --check-config
is "$status $err" '0 ' '--check-config: no newline at the end'

wrong 2 'nonsense is not a setting' '[thrash-protect]
nonsense = 1'
wrong 4 'interval: .* seconds' '[thrash-protect]
# no
calm = 2
interval = often'
wrong 2 'interval: .*from 0.01 to 10 ' '[thrash-protect]
interval = 11'
wrong 2 "'name = value' is expected" '[thrash-protect]
interval'
wrong 1 'section' 'interval = 1'
wrong 3 "freeze_cgroup: 'jobs.slice' is no cgroup" '[thrash-protect]
freeze_cgroup = /a
freeze_cgroup = /b jobs.slice'
wrong 2 "freeze_cgroup: '/' is no cgroup" '[thrash-protect]
freeze_cgroup = /'
wrong 3 'section' '[thrash-protect]
interval = 1
[other]'
wrong 2 'debug: yes or no' '[thrash-protect]
debug ='
head -c 40000 /dev/zero | tr '\0' '#' >"$config"
protect --check-config
refused 'a configuration file that is too large'
printf '[thrash-protect]\ninterval\0 = 1\n' >"$config"
protect --check-config
refused 'a configuration file with a NUL'
head -c 4096 /dev/urandom >"$config"
protect --check-config
refused 'a configuration file of random bytes'
mkfifo "$WORK/fifo"
run timeout 10 "$BIN/thrash-protect" --config "$WORK/fifo" --check-config
is "$(test "$status" -ne 124 && echo soon)" soon \
	'a FIFO as configuration file does not hold it up'
: >"$config"

in_file '[thrash-protect]
interval = 99'
protect --dry-run
refused 'a bad setting in the file, without --check-config'
: >"$config"

### The environment

THRASH_PROTECT_NONSENSE=1 protect --check-config
refused 'an unknown name in the environment'
like "$err" 'THRASH_PROTECT_NONSENSE: nonsense is not a setting' \
	'an unknown name in the environment is named'
THRASH_PROTECT_CALM=x protect --check-config
refused 'a bad value in the environment'
like "$err" 'THRASH_PROTECT_CALM: calm: ' \
	'a bad value in the environment: its name is told'
THRASH_PROTECT_DRY_RUN=maybe protect --check-config
refused 'a bad flag in the environment'

### Which wins

printf '[thrash-protect]\nrun_dir = %s/file\n' "$WORK" >"$config"
is "$(status_of "$BIN/thrash-protect" --config "$config")" \
	"$WORK/file" 'the file wins over the default'
is "$(THRASH_PROTECT_RUN_DIR="$WORK/environment" \
	status_of "$BIN/thrash-protect" --config "$config")" \
	"$WORK/environment" 'the environment wins over the file'
is "$(THRASH_PROTECT_RUN_DIR="$WORK/environment" status_of \
	"$BIN/thrash-protect" --config "$config" --run-dir "$WORK/option")" \
	"$WORK/option" 'the command line wins over the environment'
is "$(status_of "$BIN/thrash-protect" --run-dir "$WORK/option" \
	--config "$config")" "$WORK/option" \
	'the command line wins over the file, in any order'
is "$(THRASH_PROTECT_CONFIG="$config" status_of "$BIN/thrash-protect")" \
	"$WORK/file" 'the environment can name the file'
printf '[thrash-protect]\nrun_dir = %s/second\n' "$WORK" >"$WORK/config2"
is "$(THRASH_PROTECT_CONFIG="$WORK/config2" \
	status_of "$BIN/thrash-protect" --config "$config")" \
	"$WORK/file" '--config wins over the file that the environment names'
ln -s config2 "$WORK/link"
is "$(status_of "$BIN/thrash-protect" --config "$WORK/link")" \
	"$WORK/second" 'the configuration file may be a link'
: >"$config"

# Only an own /etc and /run show what holds where nothing is there.
default=$(echo "$help" | tr -s '\n ' ' ' |
	sed -n 's/.* --run-dir DIR[^(]*(default: \([^)]*\)).*/\1/p')
missing='No such file or directory'
# shellcheck disable=SC2016
if unshare --mount true 2>/dev/null; then
	run unshare --mount sh -c 'mount -t tmpfs none /etc &&
		exec "$1" --check-config' sh "$BIN/thrash-protect"
	is "$status $out" '0 the settings are valid' \
		'without the default configuration file the defaults hold'
	run unshare --mount sh -c 'mount -t tmpfs none /etc &&
		echo nonsense >/etc/thrash-protect.conf &&
		exec "$1" --check-config' sh "$BIN/thrash-protect"
	like "$status $err" '^2 .*/etc/thrash-protect.conf:1: ' \
		'the default configuration file is read when it is there'
	run unshare --mount sh -c 'mount -t tmpfs none /etc &&
		mount -t tmpfs none /run && exec "$1" --status' \
		sh "$BIN/thrash-protect"
	is "$status $err" "1 thrash-protect: ${default:-no default}: $missing" \
		'without any setting the run directory of --help is used'
else
	skip 'needs a mount namespace'
	skip 'needs a mount namespace'
	skip 'needs a mount namespace'
fi

### Every option

# Those that ask for one thing, now, are not settings.
commands=' help version check-config status report since json prometheus explain thaw-all record replay config '
while read -r option argument; do
	case $argument in
	SECONDS | TIME) value=1 ;;
	PERCENT) value=12.5 ;;
	'YES|NO') value=no ;;
	PAGES | FAULTS) value=7 ;;
	RULES) value='one tw* exe:/bin/* user:0 cgroup:*/a' ;;
	PATHS) value='/jobs.slice/* /machine.slice/a:b' ;;
	PID) value=1 ;;
	METHOD) value=signal ;;
	DIR | FILE) value=$WORK/some ;;
	'') value=yes ;;
	*) value= ;;
	esac
	test -n "$value"
	ok $? "--$option: the kind of its value ($argument) is known here" ||
		continue
	name=$(echo "$option" | tr - _)
	capitals=$(echo "$name" | tr '[:lower:]' '[:upper:]')
	in_file "[thrash-protect]
$name = $value"
	from_file="$status $out$err"
	in_file "[thrash-protect]
$option = $value"
	from_hyphens="$status $out$err"
	: >"$config"
	run env "THRASH_PROTECT_$capitals=$value" "$BIN/thrash-protect" \
		--config "$config" --check-config
	from_environment="$status $out$err"
	case $commands in
	*" $option "*)
		like "$from_file" "^2 .*$config:2: $name is not a setting" \
			"--$option is not taken from the file"
		[ "$option" = config ] ||
			like "$from_environment" '^2 .*is not a setting' \
				"--$option is not taken from the environment"
		continue
		;;
	esac
	valid='0 the settings are valid'
	is "$from_file" "$valid" "--$option: the file has it as $name"
	is "$from_hyphens" "$valid" "--$option: the file has it as $option"
	is "$from_environment" "$valid" \
		"--$option: the environment has it as THRASH_PROTECT_$capitals"
	if [ -n "$argument" ]; then
		protect --check-config "--$option" "$value"
	else
		protect --check-config "--$option"
	fi
	is "$status $out$err" "$valid" "--$option: the command line has it"
done <<END
$(echo "$help" | sed -n 's/^  [-, a-zA-Z]*--\([a-z-]*\) *\([A-Z|]*\).*/\1 \2/p')
END
like "$help" '^ .*--max-frozen SECONDS' 'those were the options of --help'

### Names of the older Python program

while read -r name value meaning; do
	[ -n "$name" ] || continue
	capitals=$(echo "$name" | tr '[:lower:]' '[:upper:]')
	in_file "[thrash-protect]
$name = $value"
	from_file="$status $out"
	file_warning=$err
	: >"$config"
	run env "THRASH_PROTECT_$capitals=$value" "$BIN/thrash-protect" \
		--config "$config" --check-config
	is "$from_file" '0 the settings are valid' \
		"$name of the Python program is accepted in the file"
	is "$status $out" '0 the settings are valid' \
		"$name of the Python program is accepted in the environment"
	if [ "$meaning" = kept ]; then
		is "$file_warning$err" '' "$name has kept its meaning"
	else
		like "$file_warning" "$config:2: $name has no effect: .+" \
			"$name: a warning says what took its place"
		like "$err" "THRASH_PROTECT_$capitals: $name has no effect: " \
			"$name: a warning for the environment too"
	fi
done <<'END'
interval 0.5 kept
swap_page_threshold 4 kept
pgmajfault_scan_threshold 16 kept
cmd_whitelist sshd kept
cmd_blacklist java kept
use_psi true kept
psi_threshold 5.0 kept
debug_logging false kept
cmd_jobctrllist bash gone
whitelist_score_divider 64 gone
blacklist_score_multiplier 16 gone
unfreeze_pop_ratio 5 gone
log_user_data_on_freeze false gone
log_user_data_on_unfreeze true gone
date_human_readable true gone
test_mode 0 gone
END
in_file '[thrash-protect]
interval = 0.5
swap_page_threshold = 4
cmd_whitelist = sshd bash zsh xinit X Xorg sway tmux screen foot alacritty
cmd_blacklist =
cmd_jobctrllist = bash zsh sudo
blacklist_score_multiplier = 16
unfreeze_pop_ratio = 5
debug_logging = false'
is "$status $out" '0 the settings are valid' \
	'a file of the Python program, with several of them, is accepted'
is "$(echo "$err" | grep -c .)" 3 'each that means nothing has one warning'
: >"$config"

### --status, --thaw-all and --replay without anything there

for option in --status --json\ --status; do
	# shellcheck disable=SC2086
	protect $option
	is "$status" 1 "$option without a daemon ends with 1"
	is "$(echo "$err" | grep -c "$run_dir") $out" '1 ' \
		"$option without a daemon says so in one line"
done
protect --thaw-all
is "$status $out$err" '0 ' '--thaw-all has nothing to do'
test ! -e "$run_dir"
ok $? '--thaw-all has not made the run directory'
printf '%s\n' '[thrash-protect]' 'max_frozen = no' 'protect = user:no-such-user' 'nonsense' \
	'[thrash]' 'run_dir = /' '[thrash-protect]' 'marker = nonsense' >"$config"
THRASH_PROTECT_QUANTUM=x protect --thaw-all
is "$status $out" '0 ' '--thaw-all does so with bad settings, too'
is "$(echo "$err" | grep -cE ':2: max_frozen|:3: protect|:4: |:[56]: section|:8: marker|_QUANTUM: ')" 7 \
	'... and says what is wrong with each'
: >"$config"

# unplayable NAME PATTERN: a bad recording is $WORK/recording
unplayable() {
	protect --replay "$WORK/recording"
	is "$status $out" '1 ' "--replay of $1 ends with 1"
	like "$err" "$2" "--replay of $1 says what is wrong"
	is "$(echo "$err" | grep -c .)" 1 "--replay of $1 says it in one line"
	rm -rf "$WORK/recording"
}

first='thrash-protect-recording 1'
sample='sample 1000 1 1 1 - - - - - -'
unplayable 'a file that is not there' 'recording: No such file'
: >"$WORK/recording"
unplayable 'an empty file' 'recording: it is empty'
mkdir "$WORK/recording"
unplayable 'a directory' 'recording: .*(directory|file)'
mkfifo "$WORK/recording"
unplayable 'a FIFO' recording
head -c 20000 /dev/urandom >"$WORK/recording"
unplayable 'random bytes' 'recording:1: '
echo 'thrash-protect-recording 2' >"$WORK/recording"
unplayable 'another version' 'recording:1: '
printf '%s\n%s\nnonsense\n' "$first" "$sample" >"$WORK/recording"
unplayable 'a line of nonsense' 'recording:3: '
printf '%s\n%s\n%s\n' "$first" "$sample" "$sample" >"$WORK/recording"
unplayable 'a clock that stands still' 'recording:3: '
printf '%s\nprocess 1 0 1 1 5 0 0 0 0 S init\n' "$first" >"$WORK/recording"
unplayable 'a process before the first sample' 'recording:2: '
process='process 2 0 1 1 5 0 0 0 0 S a'
printf '%s\n' "$first" "$sample" "$process" "$process" >"$WORK/recording"
unplayable 'the same process twice' 'recording:4: '
printf '%s\nsample 99999999999999999999 1 1 1 - - - - - -\n' "$first" \
	>"$WORK/recording"
unplayable 'a number that is too large' 'recording:2: '
{
	echo "$first"
	head -c 3000000 /dev/zero
} >"$WORK/recording"
unplayable 'a huge line' 'recording:2: '

cat >"$WORK/recording" <<END
$first
sample 11000000 0 0 0 - - - - - -
sample 11100000 1000 1000 0 - - - - - -
process 10 1 10 10 5 100 60000 0 0 R eater\\040one
process 11 1 11 11 6 100 30000 0 0 R eater\\040two
sample 11200000 2000 2000 0 - - - - - -
process 10 1 10 10 5 300 70000 0 0 R eater\\040one
process 11 1 11 11 6 300 30000 0 0 R eater\\040two
sample 19200000 2000 2000 0 - - - - - -
END
protect --replay "$WORK/recording"
is "$status $err" '0 ' '--replay of a good recording ends with 0'
is "$(printf '%s\n' "$out" | grep -v eater)" '0.100 thrashing
8.200 calm' '--replay prints the verdicts'
like "$out" '^0\.200 freeze 1[01] eater\\040(one|two)$' \
	'--replay prints the orders'
test ! -e "$run_dir"
ok $? '--replay writes nothing'

### Where nothing can be read

protect --dry-run --proc "$WORK/none"
is "$status" 1 'without a /proc it ends with 1'
like "$err" "$WORK/none: No such file" 'without a /proc it says so'
mkdir "$WORK/proc"
protect --dry-run --proc "$WORK/proc"
is "$status" 1 'without /proc/vmstat it ends with 1'
like "$err" "$WORK/proc/vmstat: " 'without /proc/vmstat it says so'
protect --dry-run --log-file "$WORK/none/log"
is "$status" 1 'where the log cannot be written it ends with 1'
like "$err" "$WORK/none/log: " 'where the log cannot be written it says so'
ln -s target "$WORK/log"
protect --dry-run --log-file "$WORK/log"
is "$status" 1 'a log file that is a link is refused'
test ! -e "$WORK/target"
ok $? 'a log file that is a link is not followed'
ln -s target "$WORK/tape"
protect --dry-run --record "$WORK/tape"
is "$status" 1 'a recording that is a link is refused'
test ! -e "$WORK/target"
ok $? 'a recording that is a link is not followed'
# shellcheck disable=SC2016 # of the inner shell
run sh -c 'ulimit -f 1000; exec timeout 2 "$@"' sh "$BIN/thrash-protect" \
	--dry-run --config "$config" --run-dir "$run_dir" --marker ''
like "$err" 'no history is kept: File too large$' \
	'where no file may grow that large there is no history'
unlike "$err" 'killed' 'of which nobody is killed'

done_testing
