# shellcheck shell=sh disable=SC2154 # some are of lib.sh
# SPDX-License-Identifier: GPL-3.0-or-later
# The module applied in a small system of its own, the one that "make
# puppet-tree" makes, of which nothing is written to: a layer in memory takes
# what is changed.  To be sourced after tests/lib.sh.
#
#   run_inside          the test's other part in there, in namespaces, so that
#                       whatever is started ends with it; outside, of the
#                       other fixture, boots it, after make_modules
#   pretend NAME FAMILY RELEASE   is another system, for Puppet
#   apply MANIFEST      $status is 0 when nothing had to change, 2 when it had
#                       with what $hiera says
#   applies STATUS NAME: applies $site

# shellcheck source=tests/nspawn-fixture.sh
. tests/nspawn-fixture.sh
# shellcheck source=tests/packages/lib.sh
. tests/packages/lib.sh

tree=${THRASH_TEST_PUPPET_TREE:-/var/cache/thrash-protect-tests/puppet}
tree_target=puppet-tree tree_has=.packages test_folder=puppet/ boot_s=400
tools_target=puppet-tree
site='include thrash_protect'
hiera=

### Outside

# The variables are the environment's.
# shellcheck disable=SC2016
in_layer='
	set -e
	mount --make-rprivate /
	mount -t tmpfs -o mode=755 tmpfs "$WORK/layer"
	mkdir "$WORK/layer/upper" "$WORK/layer/work" "$WORK/layer/root"
	root=$WORK/layer/root
	mount -t overlay -o "lowerdir=$tree,upperdir=$WORK/layer/upper,workdir=$WORK/layer/work" \
		overlay "$root"
	mount -t proc proc "$root/proc"
	mount -t sysfs -o ro sysfs "$root/sys"
	mount -t tmpfs -o mode=755 tmpfs "$root/run"
	mount -t tmpfs -o mode=1777 tmpfs "$root/tmp"
	mount --rbind /dev "$root/dev"
	for seen in "$PWD" "$BUILD" "$WORK"; do
		mkdir -p "$root$seen"
		mount --bind "$seen" "$root$seen"
	done
	hostname web1.test
	ip link set lo up
	printf "127.0.0.1 localhost\n127.0.0.1 web1.test web1\n" >"$root/etc/hosts"
	exec env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LC_ALL=C.UTF-8 \
		BUILD="$BUILD" THRASH_TEST_WORK="$WORK" \
		chroot "$root" sh -c "cd $PWD && exec sh tests/puppet/$0 inside"
'

make_modules() {
	mkdir "$WORK/modules"
	ln -s "$PWD/puppet" "$WORK/modules/thrash_protect"
}

run_inside() {
	mkdir "$WORK/layer"
	make_modules
	# shellcheck disable=SC2154
	WORK=$WORK BUILD=$build tree=$tree \
		timeout -k 5 400 unshare --mount --pid --fork --kill-child \
		--uts --ipc --net \
		sh -c "$in_layer" "${0##*/}" >"$WORK/out" 2>"$WORK/err" </dev/null
	sed '/^ended$/d' "$WORK/out"
	grep -qx ended "$WORK/out"
	ok $? 'the part in there has come to its end' ||
		diag "$(tail -n 20 "$WORK/err")"
}

# A directory of packages that apt takes for a mirror.
make_apt_repository() {
	mkdir "$WORK/repository"
	cp "$packages"/*.deb "$tree"/var/cache/local/*.deb "$WORK/repository"
	(cd "$WORK/repository" && apt-ftparchive packages . >Packages 2>/dev/null)
	chmod 755 "$WORK"
}

### Inside

use_apt_repository() {
	rm -rf /etc/apt/sources.list.d
	echo "deb [trusted=yes] file:$WORK/repository ./" >/etc/apt/sources.list
	cat >/etc/apt/apt.conf.d/test <<'APT'
APT::Sandbox::User "root";
APT::Install-Recommends "false";
APT
	apt-get -q update >/dev/null
}

# The old names, too: Puppet's providers look at them.
pretend() {
	mkdir -p /etc/facter/facts.d
	cat >/etc/facter/facts.d/system.json <<FACTS
{"operatingsystem": "$1", "osfamily": "$2", "operatingsystemmajrelease": "$3",
 "operatingsystemrelease": "$3",
 "os": {"name": "$1", "family": "$2", "architecture": "x86_64",
        "release": {"full": "$3", "major": "$3"}}}
FACTS
}

apply() {
	printf '%s\n' "$1" >"$WORK/site.pp"
	shift
	printf '%s\n' '{"version": 5, "hierarchy": [{"name": "all", "path": "'"$WORK"'/data.yaml", "data_hash": "yaml_data"}]}' >"$WORK/hiera.yaml"
	printf '%s\n' '---' "$hiera" >"$WORK/data.yaml"
	run puppet apply --hiera_config "$WORK/hiera.yaml" --detailed-exitcodes --strict=error \
		--strict_variables --color=false \
		--modulepath "$WORK/modules:/usr/share/puppet/modules.available:/usr/share/puppet/modules" \
		"$@" "$WORK/site.pp"
}

# applies STATUS NAME: $site
applies() {
	apply "$site"
	test "$status" = "$1"
	ok $? "$2" || diag "$status: $(printf '%s\n' "$out" "$err" | grep -v /environ)"
}

is_running() {
	thrash-protect --status >/dev/null 2>&1
}

# asks_nrpe COMMAND: what comes over the wire
ask_nrpe() {
	run /usr/lib/nagios/plugins/check_nrpe -H 127.0.0.1 -c "$1"
}

# ask_munin LINE...
ask_munin() {
	run bash -c 'exec 3<>/dev/tcp/127.0.0.1/4949 || exit
		printf "%s\n" "$@" quit >&3
		timeout 10 cat <&3' bash "$@"
}
