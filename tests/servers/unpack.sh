#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# unpack.sh PACKAGE DIRECTORY: a Debian package that must not be installed here.
set -eu

if [ -d "$2" ]; then
	echo "deps: $1 is unpacked"
	exit 0
fi
fetched=$(mktemp -d)
trap 'rm -rf "$fetched"' EXIT
(cd "$fetched" && apt-get -q -o APT::Sandbox::User=root download "$1" && dpkg -x "$1"_*.deb tree)
mkdir -p "${2%/*}"
mv "$fetched/tree" "$2"
