#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# Runs a fuzzer's targets for some seconds each, and prints a line for each:
#   fuzz.sh FUZZER BUILD SECONDS [TARGET...]
# What is found new is kept in BUILD/corpus and goes on from there next time.
# Exits with 1 if a target fails; what it failed with is left in BUILD.
set -eu
cd "$(dirname "$0")/../.."
fuzzer=$1 build=$2 seconds=$3
shift 3
targets=${*:-$("$fuzzer")}

# In memory if possible: the targets write many small files.
[ -w /dev/shm ] && TMPDIR=/dev/shm
scratch=$(TMPDIR=${TMPDIR:-/tmp} mktemp -d)
trap 'rm -rf "$scratch"' EXIT
trap 'exit 1' INT TERM HUP
export TMPDIR="$scratch"

# run TARGET: it takes seeds, our corpus, and what it has found before.
run()
{
	mkdir -p "$build/corpus/$1" "$scratch/$1"
	set -- "$1" "$build/corpus/$1" "$scratch/$1"
	[ ! -d "tests/fuzz/corpus/$1" ] || set -- "$@" "tests/fuzz/corpus/$1"
	[ "$1" != tape_replay ] || set -- "$@" tests/recordings
	target=$1
	shift
	FUZZ_TARGET=$target FUZZ_SEEDS=$scratch/$target "$fuzzer" \
		-max_total_time="$seconds" -max_len=16384 -timeout=10 \
		-artifact_prefix="$build/$target-" "$@"
}

status=0
for target in $targets; do
	log=$build/$target.log
	result=ok
	run "$target" >"$log" 2>&1 || result=FAILED
	sed -n "s/^#\([0-9]*\).* cov: \([0-9]*\) .*/\1 runs, coverage \2/p" \
		"$log" | tail -n 1 |
		{ read -r line || line='no runs'
		printf '%-24s %s: %s\n' "$target" "$line" "$result"; }
	[ "$result" = ok ] && continue
	status=1
	grep -aE '^(at |a promise|Bail out|SUMMARY|.*runtime error)' "$log" ||
		tail -n 20 "$log"
	input=$(sed -n 's/.*Test unit written to //p' "$log")
	echo "again: FUZZ_LOG=1 FUZZ_TARGET=$target $fuzzer ${input:-(see $log)}"
done
exit "$status"
