#!/usr/bin/env bash
# kernel.sh <suite> <series> <folder>: Debian's newest kernel of a series ('5.10', for clouds: the smallest one), unpacked into
# <folder>, with its name in <folder>/release. Prints nothing when all is well.
set -euo pipefail
suite=$1 series=$2 folder=$(realpath -m "$3")
[ -e "$folder/release" ] && exit 0

# shellcheck source=test/qemu/apt.sh
. "$(dirname "$0")/apt.sh"
apt=$folder.apt
apt_for amd64 "$suite" "$apt"
package=$(apt-cache "${options[@]}" pkgnames "linux-image-$series." | grep -E '^linux-image-[0-9.]+-[0-9]+-cloud-amd64$' | sort -V | tail -1)
[ -n "$package" ] || { echo "$suite has no kernel $series for clouds" >&2; exit 1; }
rm -rf "$folder"
mkdir -p "$folder"
(cd "$apt" && apt-get "${options[@]}" download "$package")
dpkg-deb --extract "$apt"/*.deb "$folder"
rm -rf "$apt"
echo "${package#linux-image-}" > "$folder/release"
