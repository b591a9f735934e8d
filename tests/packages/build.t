#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# Packages are made offline and by anybody, of a clone of this tree and of the
# tarball that comes of it, and are the same.  The other tests install what is
# made here.  It takes a minute.
cd "$(dirname "$0")/../.." || exit 1
# shellcheck source=tests/lib.sh
. tests/lib.sh
# shellcheck source=tests/packages/lib.sh
. tests/packages/lib.sh

need git dpkg-buildpackage dh rpmbuild makepkg curl-config
tarball=thrash-protect-$(sed -n 's/^VERSION = //p' Makefile).tar.gz
rm -rf "$packages"
mkdir -p "$packages" "$WORK/home"
chmod 711 "$WORK"

# What is not committed yet is in it, too.
if [ -e .git ]; then
	git clone --quiet --no-local . "$WORK/clone" &&
		git diff HEAD --binary >"$WORK/diff" &&
		if [ -s "$WORK/diff" ]; then
			git -C "$WORK/clone" apply "$WORK/diff"
		fi
	first=clone
else
	make --silent BUILD="$build" dist
	mkdir "$WORK/again"
	tar -xzf "$build/$tarball" -C "$WORK/again" --strip-components=1
	first=again
fi

# as_anybody DIRECTORY TARGET...: without a network and rights, if there are any
as_anybody() {
	anybody_tree=$1
	shift
	set -- env HOME="$WORK/home" DEB_BUILD_OPTIONS=nocheck \
		make -C "$anybody_tree" -j2 BUILD=build "$@"
	if [ "$(id -u)" -eq 0 ]; then
		chown -R 65534:65534 "$anybody_tree" "$WORK/home"
		set -- unshare --net setpriv --reuid 65534 --regid 65534 \
			--clear-groups "$@"
	fi
	"$@"
}
# made DIRECTORY NAME
made() {
	for target in dist deb rpm arch; do
		as_anybody "$1" $target >"$WORK/log" 2>&1
		ok $? "make $target works offline, as anybody, in $2" ||
			diag "$(tail -n 30 "$WORK/log")"
	done
}

collect() {
	for file in "$1/build/$tarball" "$1"/build/deb/*.* \
		"$1"/build/rpm/*RPMS/*.rpm "$1"/build/rpm/*RPMS/*/*.rpm \
		"$1"/build/arch/*.*; do
		[ ! -f "$file" ] || cp "$file" "$2"
	done
	rm -f "$2"/*-dbgsym_* "$2"/*.buildinfo
	cp "$1/build/ready/packaging/rpm/thrash-protect.spec" "$2"
}

# sums DIRECTORY: makepkg and rpmbuild write down, the one in two files, the
# other in the source package's head, where they were
sums() (
	cd "$1" || exit
	for file in *.tar.gz *.deb *.dsc *.debian.tar.xz *.rpm; do
		case $file in
		*.pkg.tar.gz) bsdtar --exclude .BUILDINFO --exclude .MTREE \
			-cf - "@$file" ;;
		*.src.rpm) rpm2cpio "$file" ;;
		*) cat "$file" ;;
		esac | sha256sum | sed "s/-/$file/"
	done
)

made "$WORK/$first" "a $first"
collect "$WORK/$first" "$packages"
is "$(find "$packages" -name '*.deb' | wc -l)" 5 'there are five packages of dpkg'
is "$(find "$packages" -name '*.rpm' | wc -l)" 5 'and four of rpm, and their source'

# git does not look into what is somebody else's
if [ $first = clone ] && [ "$(id -u)" -eq 0 ]; then
	env -u SUDO_UID HOME="$WORK/home" make -C "$WORK/clone" BUILD=build \
		dist >"$WORK/log" 2>&1
	is "$(tar -tzf "$WORK/clone/build/$tarball")" \
		"$(tar -tzf "$packages/$tarball")" \
		'a tarball is the same where git refuses to say what is in it'
fi

mkdir "$WORK/unpacked" "$WORK/second"
tar -xzf "$packages/$tarball" -C "$WORK/unpacked" --strip-components=1
made "$WORK/unpacked" 'what was unpacked of its tarball'
collect "$WORK/unpacked" "$WORK/second"
is "$(sums "$WORK/second")" "$(sums "$packages")" \
	'all of it is the same, to the byte'

done_testing
