#!/usr/bin/env bash
# unpack.sh <Debian architecture> <suite> <packages> <program> <folder>
# Debian packages for some CPU and all that they need, unpacked into a folder that has <program> then. apt does it with a
# state of its own, so the machine's packages and architectures stay as they are. Prints nothing when all is well.
set -euo pipefail
arch=$1 suite=$2 program=$4 root=$5
read -ra packages <<< "$3"
[ -x "$root/usr/bin/$program" ] && exit 0

# The mirror that this machine uses already.
mirror=$(apt-get indextargets --format '$(REPO_URI)' 'Created-By: Packages' | grep -m1 '/debian/\?$') ||
  { echo "apt knows no Debian mirror" >&2; exit 1; }
apt=$root.apt
rm -rf "$root" "$apt"
mkdir -p "$root/usr/lib" "$root/usr/lib64" "$root/usr/bin" "$apt"/{state/lists/partial,cache/archives/partial,etc/preferences.d}
: > "$apt/status"
echo "deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] $mirror $suite main" > "$apt/etc/sources.list"
options=(-qq -o "APT::Architecture=$arch" -o "APT::Architectures=$arch" -o "Dir::Etc=$apt/etc" -o "Dir::State=$apt/state"
  -o "Dir::State::status=$apt/status" -o "Dir::Cache=$apt/cache" -o APT::Install-Recommends=false -o APT::Sandbox::User=
  -o Acquire::Languages=none)
apt-get "${options[@]}" update
apt-get "${options[@]}" install --yes --download-only "${packages[@]}" >/dev/null

# Unpacked, never configured: no script of a package runs. Since Debian 12 /lib is a link, which base-files brings.
ln -s usr/lib usr/lib64 usr/bin "$root"
for file in "$apt"/cache/archives/*.deb; do dpkg-deb --extract "$file" "$root"; done
rm -rf "$apt"
[ -x "$root/usr/bin/$program" ] || { echo "${packages[*]} of $suite has no $program" >&2; exit 1; }
