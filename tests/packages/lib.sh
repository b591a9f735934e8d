# shellcheck shell=sh
# SPDX-License-Identifier: GPL-3.0-or-later
# What tests of packages share; to be sourced after tests/lib.sh.
#
#   trees         where the small systems are kept
#   packages      where build.t leaves the packages
#   need COMMAND...        skips all where one of them is missing, which
#                          "make $tools_target" brings
#   need_packages PATTERN  skips all where there are none
#   unpack_plain  a small system of this test's own: $root
#   inside        runs its arguments in there

trees=${THRASH_TEST_TREES:-/var/cache/thrash-protect-tests}
# shellcheck disable=SC2154 # it is lib.sh's
packages=$build/packages
tools_target=package-trees

need() {
	for need_command in "$@"; do
		command -v "$need_command" >/dev/null ||
			skip_all "needs $need_command (see make $tools_target)"
	done
}

need_root() {
	[ "$(id -u)" -eq 0 ] || skip_all 'needs root'
}

need_packages() {
	for need_package in "$packages"/$1; do
		[ -e "$need_package" ] || skip_all \
			'needs the packages that tests/packages/build.t makes'
	done
}

need_plain() {
	[ -e "$trees/plain.tar.gz" ] ||
		skip_all "needs $trees/plain.tar.gz (see make package-trees)"
}

unpack_plain() {
	root=$WORK/root
	mkdir "$root"
	tar -xzf "$trees/plain.tar.gz" -C "$root" --exclude './dev/*'
}

# enter: mounts what programs expect, in a mount namespace of the test's own
enter() {
	mount --make-rprivate /
	mount --bind "$root" "$root"
	mount -t proc proc "$root/proc"
	mount -t tmpfs tmpfs "$root/tmp"
	mount -t tmpfs -o mode=755 tmpfs "$root/run"
	mount --rbind /dev "$root/dev"
	[ ! -e "$WORK/vmstat" ] ||
		mount --bind "$WORK/vmstat" "$root/proc/vmstat"
}

inside() {
	env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root \
		LC_ALL=C.UTF-8 chroot "$root" "$@"
}
