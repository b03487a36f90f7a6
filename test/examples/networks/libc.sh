# A script that blocks in recvfromto(), on a host with several addresses on two interfaces. dig asks each of them.
#   client ── server (a1: .1 .7 .8, 2001:db8:a::1 ::7; lo: 203.0.113.53, 2001:db8:53::53)
. "$(dirname "$0")/hosts.sh"
host server; host client
cable server s0 192.0.2.1/24 client c0 192.0.2.9/24
on server sh -c 'for a in 192.0.2.7/24 192.0.2.8/24; do ip addr add $a dev s0; done
  ip addr add 203.0.113.53/32 dev lo
  for a in 2001:db8:a::1/64 2001:db8:a::7/64; do ip -6 addr add $a dev s0 nodad; done
  ip -6 addr add 2001:db8:53::53/128 dev lo nodad'
on client sh -c 'ip -6 addr add 2001:db8:a::9/64 dev c0 nodad
  ip route add 203.0.113.53 via 192.0.2.1; ip -6 route add 2001:db8:53::53 via 2001:db8:a::1'
serve server "examples/libc/$1.js" 53
for address in 192.0.2.1 192.0.2.7 192.0.2.8 203.0.113.53 ${2:-}; do
  # "reply from unexpected source" and a timeout otherwise
  on client dig +noall +comments +stats +tries=1 +time=5 "@$address" whatever.test |
    awk '/status:/ { status = $6 } /^;; SERVER:/ { server = $3 } END { print status, server }'
done
