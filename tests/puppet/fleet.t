#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# Twenty hosts export their services, and a server that monitors collects sixty
# of them, as files that a real Nagios and a real Icinga take.
# shellcheck disable=SC2154,SC2034 # they are those of what is sourced
cd "$(dirname "$0")/../.." || exit 1
# shellcheck source=tests/lib.sh
. tests/lib.sh
# shellcheck source=tests/puppet/fixture.sh
. tests/puppet/fixture.sh

need puppet ruby nagios4 icinga2
store=$WORK/store
path=$WORK/modules:/usr/share/puppet/modules.available:/usr/share/puppet/modules
mkdir "$WORK/modules" "$store" "$WORK/nagios" "$WORK/icinga"
ln -s "$PWD/puppet" "$WORK/modules/thrash_protect"
ln -s /usr/share/puppet/modules.available/puppetlabs-stdlib \
	"$WORK/modules/stdlib"
names=$(seq -f 'web%02.0f.example.com' 20)
export RUBYLIB="$PWD/tests/puppet/lib" FILESTORE="$store"
unset RUBYOPT

# export_from NAME...
export_from() {
	echo 'class { "thrash_protect": export => true }' >"$WORK/node.pp"
	run ruby tests/puppet/lib/fleet.rb "$WORK/modules" "$WORK/node.pp" \
		"$store" "$@"
	[ "$status" -eq 0 ] || diag "$out$err"
	return "$status"
}

collect() {
	site="class { 'thrash_protect::collect':
		format           => '$1',
		nagios_directory => '$WORK/nagios/hosts',
		icinga_directory => '$WORK/icinga/hosts',
		nrpe_plugin      => '/usr/lib/nagios/plugins/check_nrpe',
	}
	File { owner => undef, group => undef }
	${2-}"
	apply "$site" --certname monitor.test --storeconfigs \
		--storeconfigs_backend filestore --confdir "$WORK/conf" \
		--vardir "$WORK/var"
}

# collects STATUS NAME FORMAT [MORE]
collects() {
	collects_status=$1 collects_name=$2
	shift 2
	collect "$@"
	test "$status" = "$collects_status"
	ok $? "$collects_name" ||
		diag "$(printf '%s\n' "$out" "$err" | grep -v /environ)"
}

# Their own users, where they are somebody else's.
as_server() {
	if [ "$(id -u)" -eq 0 ]; then
		chmod 755 "$WORK"
		chown -R nagios:nagios "$WORK/nagios" "$WORK/icinga"
		set -- setpriv --reuid nagios --regid nagios --init-groups "$@"
	fi
	run "$@"
	chown -R "$(id -u):$(id -g)" "$WORK/nagios" "$WORK/icinga"
}

nagios() {
	mkdir -p "$WORK/nagios/results"
	{
		printf '%s\n' "log_file=$WORK/nagios/log" "temp_path=$WORK/nagios" \
			"check_result_path=$WORK/nagios/results" \
			"object_cache_file=$WORK/nagios/cache" \
			"temp_file=$WORK/nagios/temp" \
			"cfg_dir=$WORK/nagios/hosts"
		for file in commands contacts timeperiods templates; do
			echo "cfg_file=/etc/nagios4/objects/$file.cfg"
		done
	} >"$WORK/nagios/nagios.cfg"
	as_server nagios4 -v "$WORK/nagios/nagios.cfg"
}

icinga() {
	mkdir -p "$WORK/icinga/lib" "$WORK/icinga/log" "$WORK/icinga/run"
	cat >"$WORK/icinga/icinga2.conf" <<CONF
include <itl>
include <plugins>
const PluginDir = "/usr/lib/nagios/plugins"
const NodeName = "monitor.test"
const ZoneName = NodeName
object Endpoint NodeName { }
object Zone ZoneName { endpoints = [ NodeName ] }
include "/etc/icinga2/conf.d/commands.conf"
include "/etc/icinga2/conf.d/templates.conf"
include_recursive "$WORK/icinga/hosts"
CONF
	as_server icinga2 daemon -C -c "$WORK/icinga/icinga2.conf" \
		"-DDataDir=$WORK/icinga/lib" "-DLogDir=$WORK/icinga/log" \
		"-DCacheDir=$WORK/icinga/lib" "-DInitRunDir=$WORK/icinga/run" \
		"-DSpoolDir=$WORK/icinga/lib" -DRunAsUser=nagios -DRunAsGroup=nagios
}

# shellcheck disable=SC2086 # words
export_from $names
ok $? 'twenty hosts export their services'
is "$(find "$store" -name '*.json' | wc -l)" 20 'each of them'

collects 2 'a server with Nagios collects them' nagios
nagios
like "$out" 'Checked 60 services' 'Nagios takes sixty services'
like "$out" 'Checked 20 hosts' '... on twenty hosts'
like "$out" 'Total Errors: *0' '... without an objection'
collects 0 'once more changes nothing' nagios

collects 2 'a server with Icinga collects them' icinga
icinga
is "$status" 0 'Icinga takes them' || diag "$out"
like "$out" 'Instantiated 60 Services' '... sixty services'
like "$out" 'Instantiated 20 Hosts' '... on twenty hosts'
unlike "$out" '^[^ ]* (warning|critical)/' '... without an objection'
collects 0 'once more changes nothing' icinga

rm "$store/web20.example.com.json"
echo 'x' >"$WORK/nagios/hosts/web07.example.com.cfg"
sent="thrash_protect::monitored { 'far.example.com':
	address    => '192.0.2.99',
	services   => { 'thrash-protect frozen' => 'check_thrash_frozen' },
	is_passive => true,
"
collects 2 'one that is gone, one that has changed, and one that sends by itself' \
	nagios "$sent directory => '$WORK/nagios/hosts', format => nagios }"
nagios
like "$out" 'Checked 58 services' '... are gone, mended and there'
like "$out" 'Total Errors: *0' '... for Nagios'
collects 2 'so for Icinga' \
	icinga "$sent directory => '$WORK/icinga/hosts', format => icinga }"
icinga
like "$out" 'Instantiated 58 Services' '... are gone and there'
unlike "$out" '^[^ ]* (warning|critical)/' '... for Icinga'
done_testing
