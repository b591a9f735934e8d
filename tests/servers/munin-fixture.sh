# shellcheck shell=sh
# SPDX-License-Identifier: GPL-3.0-or-later
# A Munin of its own on a host of host-fixture.sh: node, asyncd and master, which
# believe what time they are told it is.  To be sourced after that.
#
#   munin_need            skips the whole test where one of them is missing
#   munin_make            with no plugin and no configuration of one yet;
#                         fails if it may not.  The master's hosts are to be
#                         added to /run/munin.conf
#   munin_node_start      until it listens: $node; it is host.example
#   munin_at SECOND USER COMMAND...      who believes that it is that late
#   munin_asyncd SECOND   in the background, until it has gathered everything
#                         once: $asyncd; it ends with the test
#   munin_values HOST FIELD FROM TO      what the RRD has between these seconds,
#                         a line for each five minutes
#
# Nothing of this host's Munin is read, and nothing is changed.

munin_need() {
	servers_need munin-node rrdtool faketime perl ip
	for munin_program in update async asyncd graph html limits; do
		[ -x "/usr/share/munin/munin-$munin_program" ] ||
			skip_all "needs munin-$munin_program"
	done
}

munin_hide() {
	for munin_place in /etc/munin/plugins /etc/munin/plugin-conf.d \
		/var/lib/munin-node /var/lib/munin /var/lib/munin-async \
		/var/cache/munin/www /var/log/munin; do
		mount -t tmpfs -o mode=755 none $munin_place || return
	done
}

munin_make() {
	munin_hide && mkdir -p /run/munin /var/lib/munin-node/plugin-state &&
		chown munin /run/munin /var/lib/munin /var/cache/munin/www \
			/var/log/munin &&
		chown munin-async /var/lib/munin-async &&
		cat >/run/munin-node.conf <<'END' &&
log_file /var/log/munin/munin-node.log
pid_file /run/munin-node.pid
background 0
setsid 0
user root
group root
host_name host.example
allow ^127\.0\.0\.1$
host 127.0.0.1
port 4949
END
		cat >/run/munin.conf <<'END'
dbdir /var/lib/munin
htmldir /var/cache/munin/www
logdir /var/log/munin
rundir /run/munin
tmpldir /etc/munin/templates
staticdir /etc/munin/static
graph_strategy cron
html_strategy cron
END
}

munin_node_start() {
	start_server node env -i "PATH=$PATH" munin-node \
		--config /run/munin-node.conf --foreground
	# shellcheck disable=SC2034,SC2154 # for tests; of lib.sh
	node=$server
	wait_for 20 is_listening 4949
}

# The same, and the shell is gone: a signal gets to the command.
munin_become() {
	munin_late=$(date -u -d "@$1" '+@%Y-%m-%d %H:%M:%S')
	munin_user=$2
	shift 2
	exec setpriv --reuid "$munin_user" --regid "$munin_user" --init-groups \
		env -i "PATH=$PATH" HOME=/run/munin XDG_CACHE_HOME=/run/munin \
		LC_ALL=C TZ=UTC timeout 60 faketime -f "$munin_late" "$@"
}

munin_at() {
	(munin_become "$@")
}

munin_has_spooled() {
	grep -qs "^lastruntime" /var/lib/munin-async/SPOOL-META
}

# Without SPOOL-META munin-async ends before it has said anything: it is not to
# be asked earlier.
munin_asyncd() {
	rm -f /var/lib/munin-async/SPOOL-META
	start_server asyncd munin_become "$1" munin-async \
		/usr/share/munin/munin-asyncd --host 127.0.0.1:4949 \
		--spool /var/lib/munin-async
	# shellcheck disable=SC2034,SC2154 # for tests; of lib.sh
	asyncd=$server
	wait_for 20 munin_has_spooled
}

munin_values() {
	for munin_rrd in "/var/lib/munin/example/$1-$2"-?.rrd; do
		rrdtool fetch "$munin_rrd" AVERAGE -s "$3" -e "$(($4 - 1))" |
			sed -n 's/^[0-9]*: //p'
	done
}
