#!/usr/bin/env bash
# world.sh <command …>: runs it in a network namespace with one interface that has several addresses, and says so in
# SUITE_DEVICE and SUITE_LINK_LOCAL. Without the right to make one it runs it as it is. The namespace ends with it.
set -euo pipefail
if [ "${1:-}" = --inside ]; then
  shift
  ip link set lo up
  # A pair, so that there is a carrier; the other end has no address.
  ip link add d0 type veth peer name d1
  ip link set d0 up && ip link set d1 up
  # A neighbour who does not answer is given up after 3 × 30 ms.
  ip ntable change name arp_cache dev d0 retrans 30
  ip addr add 192.0.2.1/24 broadcast + dev d0
  ip addr add 192.0.2.7/24 broadcast + dev d0
  for each in 2001:db8::1/64 2001:db8::7/64 fe80::7/64; do ip addr add "$each" dev d0 nodad; done
  exec env SUITE_DEVICE=d0 SUITE_LINK_LOCAL=fe80::7 "$@"
fi
as=()
[ "$(id -u)" = 0 ] || as=(--user --map-root-user)
if unshare "${as[@]}" --net ip link set lo up 2>/dev/null; then
  exec unshare "${as[@]}" --net --pid --fork --mount-proc --kill-child "$0" --inside "$@"
fi
echo "world.sh: neither root nor user namespaces, or no ip; loopback alone" >&2
exec "$@"
