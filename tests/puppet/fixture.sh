# shellcheck shell=sh disable=SC2154 # some are of lib.sh
# SPDX-License-Identifier: GPL-3.0-or-later
# The module applied in a small system of its own, the one that "make
# puppet-tree" makes, of which nothing is written to: a layer in memory takes
# what is changed.  To be sourced after tests/lib.sh.
#
#   outside             all of a test that runs its other part in there, in
#                       namespaces, so that whatever is started ends with it
#   need COMMAND...     skips all where one is missing
#   run_inside NAME     on a host of that name; boot_inside: booted by systemd
#   ended_inside        the last of inside
#   pretend NAME FAMILY RELEASE   is another system, for Puppet
#   apply MANIFEST      $status is 0 when nothing had to change, 2 when it had
#                       with what $hiera says
#   applies STATUS NAME: applies $site

puppet_tree=${THRASH_TEST_PUPPET_TREE:-/var/cache/thrash-protect-tests/puppet}
# shellcheck disable=SC2154 # it is lib.sh's
packages=$build/packages
site='include thrash_protect'
hiera=

need() {
	for need_command in "$@"; do
		command -v "$need_command" >/dev/null ||
			skip_all "needs $need_command (see make puppet-tree)"
	done
}

need_inside() {
	[ "$(id -u)" -eq 0 ] || skip_all 'needs root'
	[ -e "$puppet_tree/.packages" ] ||
		skip_all "needs a system in $puppet_tree (see make puppet-tree)"
}

need_packages() {
	for need_package in "$packages"/$1; do
		[ -e "$need_package" ] || skip_all \
			'needs the packages that tests/packages/build.t makes'
	done
}

### Outside

# The variables are the environment's.
# shellcheck disable=SC2016
in_layer='
	set -e
	mount --make-rprivate /
	mount -t tmpfs -o mode=755 tmpfs "$WORK/layer"
	mkdir "$WORK/layer/upper" "$WORK/layer/work" "$WORK/layer/root"
	root=$WORK/layer/root
	mount -t overlay -o "lowerdir=$puppet_tree,upperdir=$WORK/layer/upper,workdir=$WORK/layer/work" \
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
	hostname "$name.test"
	ip link set lo up
	printf "127.0.0.1 localhost\n127.0.0.1 %s.test %s\n" "$name" "$name" \
		>"$root/etc/hosts"
	exec env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LC_ALL=C.UTF-8 \
		BUILD="$BUILD" THRASH_TEST_WORK="$WORK" NODE="$name" \
		chroot "$root" sh -c "cd $PWD && exec sh tests/puppet/$0 inside"
'

# The one that it is run in is called web1.test, or as said.
run_inside() {
	mkdir -p "$WORK/layer" "$WORK/modules"
	[ -e "$WORK/modules/thrash_protect" ] ||
		ln -s "$PWD/puppet" "$WORK/modules/thrash_protect"
	# shellcheck disable=SC2016,SC2154
	WORK=$WORK BUILD=$build puppet_tree=$puppet_tree name=${1:-web1} \
		timeout -k 5 400 unshare --mount --pid --fork --kill-child \
		--uts --ipc --net \
		sh -c "$in_layer" "${0##*/}" >"$WORK/out" 2>"$WORK/err" </dev/null
	sed '/^ended$/d' "$WORK/out"
	grep -qx ended "$WORK/out"
	ok $? "the part on ${1:-web1} has come to its end" ||
		diag "$(tail -n 20 "$WORK/err")"
}

# The same in a system that is booted for it.
boot_inside() {
	mkdir "$WORK/modules"
	ln -s "$PWD/puppet" "$WORK/modules/thrash_protect"
	cat >"$WORK/test.service" <<UNIT
[Unit]
Description=The test
Requires=basic.target
After=basic.target
[Service]
Type=oneshot
ExecStart=/bin/sh $PWD/tests/puppet/${0##*/} inside
ExecStopPost=/bin/systemctl --no-block poweroff
Environment=BUILD=$build THRASH_TEST_WORK=$WORK NODE=web1
Environment=HOME=/root LC_ALL=C.UTF-8
StandardOutput=append:$WORK/out
StandardError=append:$WORK/err
UNIT
	at_exit remove_cgroups
	find /sys/fs/cgroup -type d >"$WORK/cgroups"
	SYSTEMD_NSPAWN_UNIFIED_HIERARCHY=1 timeout -k 5 400 \
		systemd-nspawn --quiet --register=no --keep-unit \
		--private-network --volatile=overlay --directory="$puppet_tree" \
		--machine="thrash-protect-test-$$" --hostname=web1.test \
		--capability=CAP_IPC_LOCK \
		--bind-ro="$PWD" --bind-ro="$build" --bind="$WORK" \
		--bind-ro="$WORK/test.service:/etc/systemd/system/test.service" \
		--boot systemd.unit=test.service \
		</dev/null >"$WORK/boot" 2>&1
	sed '/^ended$/d' "$WORK/out"
	grep -qx ended "$WORK/out"
	ok $? 'the part in there has come to its end' ||
		diag "$(tail -n 20 "$WORK/boot" "$WORK/err")"
}

# Those that nspawn leaves behind, empty, the deepest first.
remove_cgroups() {
	find /sys/fs/cgroup -depth -type d | grep -Fvx -f "$WORK/cgroups" |
		while read -r cgroup; do
			rmdir "$cgroup" 2>/dev/null
		done
}

# A directory of packages that apt takes for a mirror.
make_apt_repository() {
	mkdir "$WORK/repository"
	cp "$packages"/*.deb "$puppet_tree"/var/cache/local/*.deb "$WORK/repository"
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

ended_inside() {
	echo ended
	exit 0
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
