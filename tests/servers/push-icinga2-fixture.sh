# shellcheck shell=sh
# shellcheck disable=SC2016,SC2034,SC2119,SC2120,SC2154,SC2317 # for who sources it
# SPDX-License-Identifier: GPL-3.0-or-later
# A real Icinga 2 on loopback, without systemd, that writes down every result it
# takes: for tests of thrash-protect-push, sourced after tests/lib.sh.

for program in icinga2 curl openssl setpriv; do
	command -v $program >/dev/null || skip_all "needs $program"
done
[ "$(id -u)" = 0 ] || skip_all 'needs root, to start Icinga as its own user'
account=$(getent passwd nagios icinga | head -n 1 | cut -d : -f 1)
[ -n "$account" ] || skip_all 'needs the user that the package of Icinga makes'
. tests/push-fixture.sh

### Icinga

chmod 755 "$WORK"
home=$WORK/icinga
examples=$PWD/plugins/nagios/examples
mkdir -p "$home/etc" "$home/data/certs" "$home/data/ca" "$home/log" \
	"$home/cache" "$home/run" "$home/spool/done" "$home/spool/new"
port=$((20000 + $$ % 10000))
while curl -s -o "$WORK/null" "http://localhost:$port/" || [ $? != 7 ]; do
	port=$((port + 1))
done
cat >"$home/etc/icinga2.conf" <<END
include <itl>
const NodeName = "localhost"
const ZoneName = "localhost"
object Endpoint NodeName { }
object Zone ZoneName { endpoints = [ NodeName ] }
object FileLogger "main" { severity = "information"; path = LogDir + "/icinga2.log" }
object CheckerComponent "checker" { }
object ApiListener "api" { bind_host = "127.0.0.1"; bind_port = "$port" }
object ApiUser "push" {
	password = "s3cret"
	client_cn = "web1"
	permissions = [ "actions/process-check-result" ]
}
object ApiUser "tester" { password = "tester"; permissions = [ "*" ] }
object PerfdataWriter "all" {
	service_perfdata_path = "$home/spool/done/services"
	service_temp_path = "$home/spool/new/services"
	host_perfdata_path = "$home/spool/done/hosts"
	host_temp_path = "$home/spool/new/hosts"
	service_format_template = "\$service.name\$|\$service.state_id\$|\$service.perfdata\$|\$service.output\$"
	rotation_interval = 2s // files are named by the second
}
object Host "web1" {
	check_command = "dummy"
	enable_active_checks = false
	vars.thrash_protect_push = true
}
include "$examples/icinga2-push.conf"
END
chown -R "$account" "$home"

# as_icinga COMMAND...
as_icinga() {
	setpriv --reuid "$account" --regid "$(id -g "$account")" --init-groups \
		env "HOME=$home" "$@"
}

icinga() {
	as_icinga icinga2 "$@" "-DDataDir=$home/data" "-DLogDir=$home/log" \
		"-DCacheDir=$home/cache" "-DInitRunDir=$home/run" \
		"-DSpoolDir=$home/spool" "-DConfigDir=$home/etc" \
		"-DRunAsUser=$account" "-DRunAsGroup=$(id -gn "$account")"
}

make_certificate() {
	icinga pki new-cert --cn "$1" --key "$home/data/certs/$1.key" \
		--csr "$home/data/certs/$1.csr" &&
		icinga pki sign-csr --csr "$home/data/certs/$1.csr" \
			--cert "$home/data/certs/$1.crt"
}

{
	icinga pki new-ca && make_certificate localhost && make_certificate web1
} >"$WORK/pki" 2>&1 || skip_all "Icinga makes no certificates: $(tail -n 1 "$WORK/pki")"
cp "$home/data/ca/ca.crt" "$home/data/certs/ca.crt"
icinga_pid=

# its processes, when nothing else is of that user here
icinga_start() {
	(
		# shellcheck disable=SC2030
		exec setpriv --reuid "$account" --regid "$(id -g "$account")" \
			--init-groups env "HOME=$home" icinga2 daemon \
			-c "$home/etc/icinga2.conf" "-DDataDir=$home/data" \
			"-DLogDir=$home/log" "-DCacheDir=$home/cache" \
			"-DInitRunDir=$home/run" "-DSpoolDir=$home/spool" \
			"-DConfigDir=$home/etc" "-DRunAsUser=$account" \
			"-DRunAsGroup=$(id -gn "$account")"
	) >"$WORK/icinga.log" 2>&1 &
	icinga_pid=$!
	wait_for 20 icinga_answers
}

icinga_stop() {
	end_child TERM "$icinga_pid"
	icinga_pid=
}

at_exit '[ -z "$icinga_pid" ] || icinga_stop'

# ask PATH: what the API says, as the tester
ask() {
	curl -s --max-time 5 --cacert "$home/data/certs/ca.crt" \
		-u tester:tester -H 'Accept: application/json' \
		"https://localhost:$port$1"
}

icinga_answers() {
	ask /v1/status/IcingaApplication | grep -q program_start
}

# taken: the results that Icinga took, in their order
taken() {
	cat "$home"/spool/done/services* "$home"/spool/new/services* \
		2>/dev/null | grep "^${1:-thrash-protect frozen}|"
}

has_taken() {
	[ "$(taken | wc -l)" -ge "$1" ]
}

# states: one digit each; numbers: which states of the state file
states() {
	taken | cut -d '|' -f 2 | tr -d '\n'
}

numbers() {
	taken | sed -n 's/.*freezes=\([0-9]*\)c.*/\1/p' | tr '\n' ' '
}

# is_in STATUS: the frozen service, as the API has it
is_in() {
	ask "/v1/objects/services/web1!thrash-protect%20frozen?attrs=state" |
		grep -q "\"state\":$1[.,}]"
}

put_icinga_config() {
	put_config "url = https://localhost:$port" "credentials = $secrets" \
		"ca = $home/data/certs/ca.crt" \
		'frozen_service = thrash-protect frozen' "$@"
}

