# shellcheck shell=sh
# SPDX-License-Identifier: GPL-3.0-or-later
# A thrash that is none: in a PID and mount namespace with counters of our own
# in place of /proc/vmstat, so that a daemon with --use-psi no freezes and
# thaws as long as is wanted, and nobody waits for a disk.  To be sourced.
#
#   begin_pretence   the counters, and two hogs: $hogs; fails if it may not
#   start_hogs       as many again
#   begin_thrash     from now on the host thrashes
#   end_thrash

# Same length always, one write.
write_vmstat() {
	printf 'pswpin %015d\npswpout %015d\npgmajfault %015d\n' \
		"$1" "$1" "$1" 1<>"$WORK/vmstat"
}

# Pages come and go as long as $WORK/pressure exists.
pump() {
	pages=1000000
	while :; do
		[ ! -e "$WORK/pressure" ] || pages=$((pages + 1000))
		write_vmstat $pages
		sleep 0.02
	done
}

# Two, that always want more memory; those that are there stay.
start_hogs() {
	for hog in 1 2; do
		[ $hog -le "$(echo "$hogs" | wc -w)" ] && continue
		"$TOOLS/hog" 48 0 grow &
		hogs="$hogs $!"
	done
}

begin_thrash() {
	: >"$WORK/pressure"
}

end_thrash() {
	rm -f "$WORK/pressure"
}

begin_pretence() {
	write_vmstat 1000000
	mount --bind "$WORK/vmstat" /proc/vmstat 2>/dev/null || return 1
	pump &
	hogs=
	start_hogs
}
