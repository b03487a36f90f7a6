#!/usr/bin/env bash
# balancer.sh INTERFACE VIRTUAL-ADDRESS PORT SERVER...: deals requests out to the servers that answer.
# A client (address and port) stays with its server for as long as the same servers answer. All of one family.
set -eu
interface=$1 virtual=$2 port=$3; shift 3
case $virtual in *:*) family=ip6 ;; *) family=ip ;; esac
table=balancer_$family
own=$(ip -j link show "$interface" | grep -o '"address":"[^"]*' | cut -d'"' -f4)

alive() { node dist/cli/main.js send "$1" "$port" health --timeout 300 >/dev/null 2>&1; }
mac() { ip neigh show "$1" dev "$interface" | grep -o 'lladdr [^ ]*' | cut -d' ' -f2; }

load() { # MAC...
  local map='' index=0
  for each in "$@"; do map+="${map:+, }$index : $each"; index=$((index + 1)); done
  nft -f - <<NFT
table netdev $table
delete table netdev $table
table netdev $table {
  counter answers {}
  chain ingress {
    type filter hook ingress device $interface priority 0;
    $family saddr $virtual udp sport $port counter name answers
    $family daddr $virtual udp dport $port ether saddr set $own ether daddr set jhash $family saddr . udp sport mod $index map { $map } fwd to $interface
  }
}
NFT
}

loaded=
while :; do
  up=()
  for server in "$@"; do alive "$server" && up+=("$(mac "$server")"); done
  if [ "${#up[@]}" -gt 0 ] && [ "${up[*]}" != "$loaded" ]; then
    load "${up[@]}"
    loaded="${up[*]}"
  fi
  sleep 0.3
done
