#!/usr/bin/env bash
# 32-bit Wine without touching the system: `dpkg --add-architecture i386` would need every shared library of the host in
# exactly the same version for i386, which a mirror does not always have, and would change apt for good. So the few
# packages that a console program needs are downloaded by apt with lists of its own, and unpacked into a folder, which
# is / for the programs that run in it.
#   ia32.sh install CACHE, ia32.sh boot CACHE, ia32.sh run CACHE node-arguments…
set -euo pipefail
cache=$2
root=$cache/ia32-root
# libwine's dlopens are optional, except: user32.dll needs zlib1.dll. The rest are what its Unix halves link to.
PACKAGES='wine32 libwine libz-mingw-w64 libc6 libgcc-s1 libunwind8 liblzma5'

install() { # what it takes is about 600 MB
  [ ! -f "$root/.complete" ] || return 0
  local apt=$cache/ia32-apt
  mkdir -p "$apt/lists/partial" "$apt/archives/partial" "$apt/debs"
  : >"$apt/status"
  local options=(-q -o APT::Architecture=i386 -o APT::Architectures=i386 -o Dir::State="$apt" -o Dir::State::lists="$apt/lists"
    -o Dir::State::status="$apt/status" -o Dir::Cache="$apt" -o APT::Sandbox::User="$(id -un)")
  # An index that is just being replaced (security's, mostly) does not matter as long as the packages are found.
  apt-get "${options[@]}" update >"$apt/log" 2>&1 || true
  # shellcheck disable=SC2086
  (cd "$apt/debs" && apt-get "${options[@]}" download $PACKAGES) >>"$apt/log" 2>&1 ||
    { echo "ia32: apt-get download of $PACKAGES for i386 failed:" >&2; tail -5 "$apt/log" >&2; return 1; }
  rm -rf "$root"
  mkdir -p "$root"
  for deb in "$apt"/debs/*.deb; do dpkg -x "$deb" "$root"; done
  # What libwine's postinst does: mark zlib1.dll as one of Wine's own.
  local from=$root/usr/i686-w64-mingw32/lib/zlib1.dll
  { head -c 64 "$from"; printf 'Wine builtin DLL\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0'; tail -c +97 "$from"; } \
    >"$root/usr/lib/i386-linux-gnu/wine/i386-windows/zlib1.dll"
  mkdir -p "$root"/{proc,dev,tmp,etc,cache}
  touch "$root/.complete"
}

enter() { # a program in the folder, in a mount namespace that the caller has made
  mountpoint -q "$root/cache" || {
    cp /etc/hosts /etc/passwd /etc/nsswitch.conf "$root/etc/"
    mount --rbind /proc "$root/proc"
    mount --rbind /dev "$root/dev"
    mount --bind "$cache" "$root/cache"
    mount -t tmpfs tmpfs "$root/tmp"
  }
  export WINEPREFIX=/cache/prefix-ia32 WINEARCH=win32 HOME=/cache
  export WINESERVER=/usr/lib/wine/wineserver32 WINELOADER=/usr/lib/wine/wine
  unshare --root "$root" --wd /cache/ia32 "$@"
}

boot() {
  enter /usr/lib/wine/wine wineboot --init
  enter /usr/lib/wine/wineserver32 --wait
}

run() {
  shift 2
  enter /usr/lib/wine/wine 'Z:\cache\ia32\node_modules\node-win-x86\bin\node.exe' "$@"
}

"$1" "$@"
