#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# Cgroups that an administrator names are frozen as a whole: together, by one
# write, whoever is in there; thawed together whichever way the daemon ends; and
# what others have frozen stays so.
cd "$(dirname "$0")/.." || exit 1
# shellcheck source=tests/lib.sh
. tests/lib.sh
# shellcheck source=tests/pretence-fixture.sh
. tests/pretence-fixture.sh

ROUNDS=5
run_dir=$WORK/run
state=$run_dir/state
log=$WORK/log

# enter CGROUP COMMAND...: in the background; $entered is its pid
enter() {
	# shellcheck disable=SC2016
	sh -c 'echo 0 >"$0/cgroup.procs" && exec "$@"' "$@" &
	entered=$!
	wait_for 5 grep -qs "0::${1#"$tree"}$" "/proc/$entered/cgroup"
}

# start_family NAME: a hog, and two that are small, of whom one forks all the
# time
start_family() {
	mkdir -p "$tree/batch-$1.service"
	enter "$tree/batch-$1.service" "$TOOLS/hog" 24 0 grow
	family_hogs="$family_hogs $entered"
	enter "$tree/batch-$1.service" sleep 3600
	start_forker "$1"
}

start_forker() {
	enter "$tree/batch-$1.service" perl -e \
		'for (;;) { if (!fork) { select undef, undef, undef, 0.1; exit }
			wait }'
}

members() {
	cat "$tree/batch-$1.service/cgroup.procs" 2>/dev/null
}

# hog_of NAME: the first in the family, by age
hog_of() {
	members "$1" | sort -n | head -1
}

is_frozen() {
	grep -qsx 'frozen 1' "$tree/batch-$1.service/cgroup.events"
}

# marks: how many of our marks there are
marks() {
	find "$tree" -name 'thrash-protect.whole.*' | wc -l
}

is_anybody_frozen() {
	is_frozen a || is_frozen b
}

is_nobody_frozen() {
	! is_anybody_frozen
}

# One is frozen, $family, and the state file, $seen, names all who are in it and
# nobody else.
is_published() {
	for family in a b c; do
		is_frozen $family || continue
		seen=$(cat "$state")
		named=$(echo "$seen" | sed -n \
			's/^frozen \([0-9]*\) .* whole-cgroup .*/\1/p' | sort)
		[ "$named" = "$(members $family | sort)" ] && return
	done
	return 1
} 2>/dev/null

# daemon_start ARG...; $daemon is the guardian, $worker the other one
daemon_start() {
	: >"$log"
	"$BIN/thrash-protect" --config "$WORK/config" --use-psi no \
		--interval 0.02 --calm 0.1 --quantum 0.1 --max-frozen 1 \
		--state-interval 0.1 --run-dir "$run_dir" --marker '' \
		"$@" 2>"$log" &
	daemon=$!
	if ! wait_for 5 grep -q ready "$log"; then
		ok 1 'the daemon starts' || diag "$(cat "$log")"
		exit 1
	fi
	worker=$(worker_of $daemon)
}

daemon_end() {
	end_child TERM "$daemon"
	is "$status" 0 "$1: the daemon ends well" || diag "$(cat "$log")"
}

# count_failure NAME: of the last command, in a loop of many
count_failure() {
	[ $? -eq 0 ] || failures="$failures $1"
}

# thaw_all: without anything but the tree of cgroups
thaw_all() {
	run "$BIN/thrash-protect" --config /dev/null --marker '' \
		--run-dir "$WORK/none" --thaw-all
}

test_together() {
	daemon_start
	wait_for 20 is_published
	ok $? 'a cgroup is frozen, and the state file names all in it' ||
		diag "$(cat "$state" "$log")"
	like "$seen" '^frozen [0-9]+ [0-9]+ [0-9]+ whole-cgroup batch hog$' \
		'who took part is batch'
	like "$seen" '^frozen [0-9]+ [0-9]+ [0-9]+ whole-cgroup member perl$' \
		'who only is in there as well is a member'
	end_thrash
	wait_for 10 is_nobody_frozen
	ok $? 'when it is over, everybody goes on'
	is "$(marks)" 0 'and no mark is left'
	unlike "$(cat "$log")" 'lost|somebody else|cannot' \
		'nobody was taken for thawed by others' || diag "$(cat "$log")"
	begin_thrash
	wait_for 10 is_anybody_frozen
	daemon_end 'frozen as a whole'
	is "$(is_nobody_frozen && marks)" 0 'and nobody is frozen then'
}

test_asked_to_end() {
	daemon_start --max-frozen 60 --quantum 60
	wait_for 20 is_published
	asked=$(echo "$seen" |
		sed -n 's/^frozen \([0-9]*\) .* member sleep$/\1/p')
	[ -n "$asked" ] && kill -TERM "$asked" && wait_for 3 ended "$asked"
	ok $? 'one who is asked to end goes on to do so, with the others' ||
		diag "$(cat "$log" "$state")"
	daemon_end 'asked to end'
}

# test_deaths WHO STATUS
test_deaths() {
	failures=
	for _ in $(seq $ROUNDS); do
		daemon_start
		wait_for 10 is_anybody_frozen
		count_failure start
		[ "$1" = worker ] && dead=$worker || dead=$daemon
		kill -KILL "$dead"
		reap $daemon
		[ $status = "$2" ]
		count_failure "status_$status"
		wait_for 1 is_nobody_frozen
		count_failure frozen
		wait_for 1 ended "$worker"
		[ "$(marks)" = 0 ]
		count_failure mark
	done
	is "$failures" '' "$ROUNDS times the $1 is killed: nobody is frozen" ||
		diag "$(cat "$log")"
}

test_deaths_of_both() {
	failures=
	for _ in $(seq $ROUNDS); do
		daemon_start
		wait_for 10 is_anybody_frozen
		kill_both $daemon
		is_anybody_frozen || continue
		thaw_all
		is_nobody_frozen && [ "$status $(marks)" = '0 0' ]
		count_failure "thaw_all_$status"
		left=${left:-0}1
	done
	is "$failures" '' 'both are killed: --thaw-all finds it in the tree' ||
		diag "$err"
	test -n "$left"
	ok $? 'and there was something to find'
}

# What others have frozen is not ours: a, and something below b.
test_foreign() {
	inner=$tree/batch-b.service/inner
	mkdir "$inner"
	enter "$inner" sleep 3600
	echo 1 >"$inner/cgroup.freeze"
	echo 1 >"$tree/batch-a.service/cgroup.freeze"
	wait_for 5 is_frozen a
	start_family c
	daemon_start
	wait_for 20 is_frozen b
	ok $? 'the other one is frozen as a whole' || diag "$(cat "$log")"
	daemon_end 'one is frozen by others'
	is_frozen a && ! is_frozen b
	ok $? 'the one that others had frozen is frozen still'
	is "$(cat "$inner/cgroup.freeze" "$inner/cgroup.events" |
		grep -cx '1\|frozen 1')" 2 \
		'and so is what others had frozen in ours'
	thaw_all
	is_frozen a
	ok $? '--thaw-all does not thaw it either'
	chown 1000 "$tree/batch-a.service"
	mkdir "$tree/batch-a.service/thrash-protect.whole.1.1"
	chown 1000 "$tree/batch-a.service/thrash-protect.whole.1.1"
	thaw_all
	is_frozen a
	ok $? 'nor if its owner has planted a mark'
	rmdir "$tree/batch-a.service/thrash-protect.whole.1.1"
	chown 0 "$tree/batch-a.service"
	echo 0 >"$tree/batch-a.service/cgroup.freeze"
	echo 0 >"$inner/cgroup.freeze"
	kill -KILL "$entered"
	pretence_remove_cgroup "$inner"
	members c | while read -r pid; do
		kill -KILL "$pid"
	done
	family_hogs=${family_hogs% *}
}

explain() {
	run "$BIN/thrash-protect" --config "$WORK/config" --run-dir "$WORK/run" \
		--explain "$1"
	out=$(echo "$out" | grep '^frozen_with')
}

test_protected() {
	hog=$(hog_of a)
	explain "$hog"
	is "$out" "frozen_with everybody in /batch-a.service, by \
freeze_cgroup = /batch-*.service ($WORK/config:2)" \
		'--explain says with whom, and why'
	for family in a b; do
		enter "$tree/batch-$family.service" sh -c 'sleep 3600; :'
	done
	explain "$hog"
	like "$out" '; but not because of [0-9]+ \(sh\), which is a shell$' \
		'--explain says who is never frozen in there'
	daemon_start
	wait_for 20 grep -Eq 'as a whole: [0-9]+ \(sh\) is in it: a shell' "$log"
	ok $? 'with a shell in it, it is not frozen as a whole, and the log says so'
	wait_for 5 grep -qs '^frozen .* cgroup batch ' "$state"
	ok $? 'but each by himself' || diag "$(cat "$log" "$state")"
	is_nobody_frozen
	ok $? 'and no cgroup is frozen'
	daemon_end 'with a shell in it'
}

inside_namespace() {
	for tree in /sys/fs/cgroup/unified /sys/fs/cgroup ''; do
		[ ! -e "$tree/cgroup.freeze" ] || break
		[ ! -e "$tree/cgroup.procs" ] || break
	done
	if [ -z "$tree" ] || ! begin_pretence; then
		skip 'needs cgroups of version 2, and to mount over /proc/vmstat'
		exit 0
	fi
	for hog in $hogs; do
		kill -KILL "$hog"
	done
	family_hogs=
	printf '[thrash-protect]\nfreeze_cgroup = /batch-*.service\n' \
		>"$WORK/config"
	start_family a
	start_family b
	begin_thrash
	test_together
	test_asked_to_end
	test_deaths worker 1
	test_deaths guardian 137
	test_deaths_of_both
	test_foreign
	test_protected
	for hog in $family_hogs; do
		ended "$hog"
		is "$?" 1 'a hog that was frozen again and again is alive'
	done
	exit 0
}

"${1:-outside}"
