#!/usr/bin/env bash
# unpack.sh <Debian architecture> <suite> <packages> <program> <folder>
# Debian packages for some CPU and all that they need, unpacked into a folder that has <program> then. Prints nothing when
# all is well.
set -euo pipefail
arch=$1 suite=$2 program=$4 root=$5
read -ra packages <<< "$3"
[ -x "$root/usr/bin/$program" ] && exit 0

# shellcheck source=test/qemu/apt.sh
. "$(dirname "$0")/apt.sh"
apt=$root.apt
apt_for "$arch" "$suite" "$apt"
rm -rf "$root"
mkdir -p "$root/usr/lib" "$root/usr/lib64" "$root/usr/bin"
apt-get "${options[@]}" install --yes --download-only "${packages[@]}" >/dev/null

# Unpacked, never configured: no script of a package runs. Since Debian 12 /lib is a link, which base-files brings.
ln -s usr/lib usr/lib64 usr/bin "$root"
for file in "$apt"/cache/archives/*.deb; do dpkg-deb --extract "$file" "$root"; done
rm -rf "$apt"
[ -x "$root/usr/bin/$program" ] || { echo "${packages[*]} of $suite has no $program" >&2; exit 1; }
