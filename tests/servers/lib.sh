# shellcheck shell=sh
# SPDX-License-Identifier: GPL-3.0-or-later
# Real monitoring servers, started by a test on loopback, each with a directory
# of its own below $WORK.  To be sourced after tests/lib.sh.
#
#   servers_need COMMAND...         skips the whole test without one of them
#   free_port                       prints one
#   start_server NAME COMMAND...    in the background: $server; what it prints
#                                   is in $WORK/NAME.out; it ends with the test
#   stop_server PID
#   is_listening PORT
#   json PATH                       of the JSON on standard input, as a.0.b
#
#   icinga_prepare [PORT]           keys and configuration; seconds
#   icinga_start FILE...            with these files of objects, until its API
#                                   answers; $icinga_url, $icinga_port
#   icinga_stop
#   icinga METHOD PATH [JSON]       of its API, as the user tester
#   icinga_eval EXPRESSION          in the running server, as JSON
#
# The API's certificates are in $icinga_dir/data/certs: ca.crt, and for the host
# name $icinga_name, which leads nowhere else, its .crt and .key.

# Servers have users of their own.
chmod 755 "$WORK"
as_nagios='setpriv --reuid nagios --regid nagios --init-groups'

servers_need() {
	[ "$(id -u)" -eq 0 ] || skip_all 'needs root'
	for server_command; do
		command -v "$server_command" >/dev/null ||
			skip_all "needs $server_command"
	done
}

free_port() {
	perl -MIO::Socket::INET -e 'print IO::Socket::INET->new(
		Listen => 1, LocalAddr => "127.0.0.1")->sockport'
}

start_server() {
	server_name=$1
	shift
	"$@" >"$WORK/$server_name.out" 2>&1 </dev/null &
	server=$!
	at_exit "stop_server $server"
}

stop_server() {
	ended "$1" || end_child TERM "$1"
}

is_listening() {
	perl -MIO::Socket::INET -e 'exit !IO::Socket::INET->new(
		PeerAddr => "127.0.0.1", PeerPort => shift)' "$1"
}

json() {
	perl -MJSON::PP -e '
		my $json = JSON::PP->new->canonical->allow_nonref;
		my $value = $json->decode(join "", <STDIN>);
		for (split /\./, shift // "") {
			$value = ref $value eq "ARRAY" ? $value->[$_]
				: ref $value eq "HASH" ? $value->{$_} : undef;
		}
		print ref $value ? $json->encode($value) : $value // "", "\n"' \
		"$@"
}

### Icinga 2

icinga_name=icinga.test

# The program, as its user and kept in its directory.
icinga_wrap() {
	cat >"$icinga_dir/icinga2" <<END
#!/bin/sh
exec $as_nagios env -i "PATH=$PATH" "HOME=$icinga_dir" icinga2 "\$@" \
	"-DDataDir=$icinga_dir/data" "-DLogDir=$icinga_dir/log" \
	"-DCacheDir=$icinga_dir/cache" "-DInitRunDir=$icinga_dir/run" \
	"-DSpoolDir=$icinga_dir/spool" "-DConfigDir=$icinga_dir/etc" \
	-DRunAsUser=nagios -DRunAsGroup=nagios
END
	chmod 755 "$icinga_dir/icinga2"
}

# Authority, key and certificate, where Icinga looks for them.
icinga_make_keys() {
	icinga_certs=$icinga_dir/data/certs
	"$icinga_dir/icinga2" pki new-ca &&
		"$icinga_dir/icinga2" pki new-cert --cn "$icinga_name" \
			--key "$icinga_certs/$icinga_name.key" \
			--csr "$icinga_certs/$icinga_name.csr" &&
		"$icinga_dir/icinga2" pki sign-csr \
			--csr "$icinga_certs/$icinga_name.csr" \
			--cert "$icinga_certs/$icinga_name.crt" &&
		cp "$icinga_dir/data/ca/ca.crt" "$icinga_certs/ca.crt" &&
		chmod 755 "$icinga_dir" "$icinga_dir/data" "$icinga_certs"
}

icinga_configure() {
	cat <<END
include <itl>
include <plugins>
const PluginDir = "/usr/lib/nagios/plugins"
const NodeName = "$icinga_name"
const ZoneName = NodeName
object Endpoint NodeName { }
object Zone ZoneName { endpoints = [ NodeName ] }
object FileLogger "main" {
	severity = "information"
	path = LogDir + "/icinga2.log"
}
object CheckerComponent "checker" { }
object ApiListener "api" {
	bind_host = "127.0.0.1"
	bind_port = "$icinga_port"
}
object ApiUser "tester" {
	password = "tester's"
	permissions = [ "*" ]
}
include "objects/*.conf"
END
}

icinga_prepare() {
	icinga_dir=$WORK/icinga
	icinga_port=${1-$(free_port)}
	icinga_url=https://$icinga_name:$icinga_port
	mkdir "$icinga_dir" && (
		cd "$icinga_dir" && mkdir -p etc/objects data/certs data/ca log \
			cache run spool
	) && icinga_configure >"$icinga_dir/etc/icinga2.conf" && icinga_wrap &&
		chown -R nagios:nagios "$icinga_dir" &&
		icinga_make_keys >"$WORK/icinga.keys" 2>&1
}

icinga_start() {
	for icinga_file; do
		cp "$icinga_file" "$icinga_dir/etc/objects" || return
	done
	"$icinga_dir/icinga2" daemon -C -c "$icinga_dir/etc/icinga2.conf" \
		>"$WORK/icinga.check" 2>&1 || return
	start_server icinga "$icinga_dir/icinga2" daemon \
		-c "$icinga_dir/etc/icinga2.conf"
	icinga_pid=$server
	wait_for 30 icinga_answers
}

icinga_answers() {
	icinga GET /v1/status/ApiListener 2>/dev/null | grep -q num_endpoints
}

icinga_stop() {
	stop_server "$icinga_pid"
}

icinga() {
	icinga_method=$1 icinga_path=$2
	shift 2
	curl -s -m 10 --cacert "$icinga_dir/data/certs/ca.crt" \
		--resolve "$icinga_name:$icinga_port:127.0.0.1" \
		-u "tester:tester's" -H 'Accept: application/json' \
		-X "$icinga_method" ${1+-d "$1"} "$icinga_url$icinga_path"
}

icinga_eval() {
	icinga POST /v1/console/execute-script "$(printf '%s' "$1" |
		perl -MJSON::PP -e 'print encode_json(
			{ command => join("", <STDIN>), session => "test" })')" |
		json results.0.result
}
