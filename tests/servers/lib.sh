# shellcheck shell=sh
# SPDX-License-Identifier: GPL-3.0-or-later
# Real monitoring servers, started by a test on loopback, each with a directory
# of its own below $WORK or, on a host of host-fixture.sh, below /run.  To be
# sourced after tests/lib.sh.
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
#   nrpe_start NAME PORT [COMMAND...]    with our examples, by that command
#   nrpe_ask PORT CHECK [OPTION]    $out and $status, as run does
#
#   nagios_start FILE...            Debian's templates, our examples, these files
#   nagios_field HOST SERVICE NAME  of its status file
#   nagios_command "COMMAND;ARGUMENT..."     an external one
#   nagios_result HOST SERVICE STATUS TEXT    a passive one
#
# Where since_s is set, our examples look back for so many seconds instead of 90.
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

# example FILE DIRECTORY
example() {
	sed "s/\(--since \|_since = \|!\)90\>/\1${since_s-90}/" "$1" \
		>"$2/${1##*/}"
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

# icinga_make_key NAME SUBJECT [OPTION...]: with a certificate.  Icinga's own way
# takes ten seconds for two.
icinga_make_key() {
	icinga_key=$icinga_certs/$1
	icinga_subject=/CN=$2
	shift 2
	openssl req -x509 -newkey rsa:2048 -nodes -days 2 \
		-keyout "$icinga_key.key" -out "$icinga_key.crt" \
		-subj "$icinga_subject" "$@"
}

# Authority, key and certificate, where Icinga looks for them.
icinga_make_keys() {
	icinga_certs=$icinga_dir/data/certs
	icinga_make_key ca 'Icinga CA' &&
		icinga_make_key "$icinga_name" "$icinga_name" \
			-CA "$icinga_certs/ca.crt" -CAkey "$icinga_certs/ca.key" \
			-addext basicConstraints=critical,CA:FALSE \
			-addext "subjectAltName=DNS:$icinga_name" &&
		chown nagios:nagios "$icinga_certs"/* &&
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
		cd "$icinga_dir" && mkdir -p etc/objects data/certs log cache \
			run spool
	) && icinga_configure >"$icinga_dir/etc/icinga2.conf" && icinga_wrap &&
		chown -R nagios:nagios "$icinga_dir" &&
		icinga_make_keys >"$WORK/icinga.keys" 2>&1
}

icinga_start() {
	for icinga_file; do
		example "$icinga_file" "$icinga_dir/etc/objects" || return
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

### NRPE

# It answers with SSL; with "nrpe_plain=-n" without.
nrpe_start() {
	nrpe_name=$1 nrpe_port=$2
	shift 2
	nrpe_dir=${servers_dir-$WORK}/$nrpe_name
	mkdir -p "$nrpe_dir/nrpe.d" &&
		example plugins/nagios/examples/nrpe.cfg "$nrpe_dir/nrpe.d" &&
		cat >"$nrpe_dir/nrpe.cfg" <<END || return
log_file=$nrpe_dir/log
pid_file=$nrpe_dir/pid
server_address=127.0.0.1
server_port=$nrpe_port
nrpe_user=nagios
nrpe_group=nagios
allowed_hosts=127.0.0.1
dont_blame_nrpe=0
command_timeout=10
connection_timeout=30
include_dir=$nrpe_dir/nrpe.d/
END
	chown -R nagios:nagios "$nrpe_dir"
	# shellcheck disable=SC2086 # words
	start_server "$nrpe_name" "$@" $as_nagios \
		nrpe -c "$nrpe_dir/nrpe.cfg" -f ${nrpe_plain-}
	wait_for 10 is_listening "$nrpe_port"
}

nrpe_ask() {
	nrpe_asked=$1 nrpe_check=$2
	shift 2
	# shellcheck disable=SC2086 # words
	run $as_nagios /usr/lib/nagios/plugins/check_nrpe -H 127.0.0.1 \
		-p "$nrpe_asked" -t 15 -c "check_thrash_$nrpe_check" "$@"
}

### Nagios

# A minute of its templates is a second here.
nagios_configure() {
	cat <<END
log_file=$nagios_dir/log
status_file=$nagios_dir/status.dat
command_file=$nagios_dir/rw/nagios.cmd
query_socket=$nagios_dir/rw/nagios.qh
lock_file=$nagios_dir/pid
temp_file=$nagios_dir/temp
temp_path=$nagios_dir
check_result_path=$nagios_dir/results
object_cache_file=$nagios_dir/objects.cache
state_retention_file=$nagios_dir/retention.dat
log_archive_path=$nagios_dir
use_syslog=0
interval_length=1
status_update_interval=1
service_freshness_check_interval=1
check_result_reaper_frequency=1
enable_notifications=0
check_for_updates=0
check_external_commands=1
illegal_macro_output_chars=\`~\$&|'"<>
END
	for nagios_file in commands contacts timeperiods templates; do
		echo "cfg_file=/etc/nagios4/objects/$nagios_file.cfg"
	done
	for nagios_file in plugins/nagios/examples/nagios.cfg "$@"; do
		example "$nagios_file" "$nagios_dir/objects" || return
	done
	echo "cfg_dir=$nagios_dir/objects"
}

nagios_start() {
	nagios_dir=${servers_dir-$WORK}/nagios
	mkdir -p "$nagios_dir/rw" "$nagios_dir/results" "$nagios_dir/objects" &&
		nagios_configure "$@" >"$nagios_dir/nagios.cfg" &&
		chown -R nagios:nagios "$nagios_dir" || return
	# shellcheck disable=SC2086 # words
	$as_nagios nagios4 -v "$nagios_dir/nagios.cfg" \
		>"$WORK/nagios.check" 2>&1 || return
	# shellcheck disable=SC2086 # words
	start_server nagios $as_nagios env -i "PATH=$PATH" nagios4 \
		"$nagios_dir/nagios.cfg"
	wait_for 10 test -p "$nagios_dir/rw/nagios.cmd"
}

nagios_field() {
	awk -v host="$1" -v service="$2" -v name="$3" '
		/^servicestatus/ { inside = 1; split("", values) }
		inside && match($0, /=/) {
			key = substr($0, 2, RSTART - 2)
			values[key] = substr($0, RSTART + 1)
		}
		/}/ {
			if (inside && values["host_name"] == host &&
			    values["service_description"] == service)
				print values[name]
			inside = 0
		}' "$nagios_dir/status.dat" 2>/dev/null
}

# Nobody may be reading: then it must not wait for ever.
nagios_command() {
	# shellcheck disable=SC2016 # for the inner shell
	timeout 5 sh -c 'printf "[%d] %s\n" "$(date +%s)" "$2" >"$1"' sh \
		"$nagios_dir/rw/nagios.cmd" "$1"
}

nagios_result() {
	nagios_command "PROCESS_SERVICE_CHECK_RESULT;$1;$2;$3;$4"
}
