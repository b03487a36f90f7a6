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
address client c0 2001:db8::1/64
address balancer eth0 192.0.2.10/32 2001:db8::2/64
# deprecated: heard, but never chosen as a source, which it would be as the longest prefix
on balancer ip addr add 2001:db8::10/128 dev eth0 nodad preferred_lft 0
address a eth0 2001:db8::3/64; address b eth0 2001:db8::4/64
for name in a b; do
  on "$name" sh -c 'echo 1 > /proc/sys/net/ipv4/conf/all/arp_ignore; echo 2 > /proc/sys/net/ipv4/conf/all/arp_announce'
  address "$name" lo 192.0.2.10/32 2001:db8::10/128
done
program=test/deployment/plain.js
serve_named a
balancer() { exec nsenter --net="/proc/${pid[balancer]}/ns/net" bash "$here/direct-server-return/balancer.sh" "$@"; }
balancer eth0 192.0.2.10 5300 192.0.2.3 192.0.2.4 &
balancer eth0 2001:db8::10 5300 2001:db8::3 2001:db8::4 &
loaded() { on balancer nft list table netdev balancer_ip && on balancer nft list table netdev balancer_ip6; }
until_true 10 loaded
ask 192.0.2.10 5300 --count 5
ask 2001:db8::10 5300 --count 5
stop a

program=examples/anycast.js
serve_named a; serve_named b
out4=$(mktemp) out6=$(mktemp)
asking "$out4" 192.0.2.10 5300 --before a --before b --until b
asking "$out6" 2001:db8::10 5300 --before a --before b --until b
stop a
finished "$out4"; finished "$out6"
# What the balancer has sent of the servers' answers: nothing.
for table in balancer_ip balancer_ip6; do on balancer nft list counter netdev "$table" answers | grep -o 'packets [0-9]*'; done
