# Direct server return on one switch. The balancer owns the virtual address; nftables gives each request for it the MAC
# address of a server and puts it back on the wire. Servers have the address on lo, and answer the client themselves.
#   client, balancer, a, b ── switch
. "$(dirname "$0")/../hosts.sh"
switch lan
host client; host balancer; host a; host b
plug lan client c0 192.0.2.1/24
plug lan balancer eth0 192.0.2.2/24
plug lan a eth0 192.0.2.3/24
plug lan b eth0 192.0.2.4/24
on balancer ip addr add 192.0.2.10/32 dev eth0
for name in a b; do
  on "$name" sh -c 'echo 1 > /proc/sys/net/ipv4/conf/all/arp_ignore; echo 2 > /proc/sys/net/ipv4/conf/all/arp_announce'
  on "$name" ip addr add 192.0.2.10/32 dev lo
done
program=test/deployment/plain.js
serve_named a
balancer() { exec nsenter --net="/proc/${pid[balancer]}/ns/net" bash "$here/direct-server-return/balancer.sh" "$@"; }
balancer eth0 192.0.2.10 5300 192.0.2.3 192.0.2.4 &
counted() { on balancer nft -j list table netdev balancer | grep -q counter; }
until_true 10 counted
ask 192.0.2.10 5300 --count 5
stop a

program=examples/anycast.js
serve_named a; serve_named b
out=$(mktemp)
asking "$out" 192.0.2.10 5300 --before a --before b --until b
stop a
finished "$out"
# What the balancer has sent of the servers' answers: nothing.
on balancer nft list counter netdev balancer answers | grep -o 'packets [0-9]*'
