# An NTP server with several addresses, asked on each by ntpsec's ntpdig, which takes no answer from elsewhere.
. "$(dirname "$0")/hosts.sh"
host server; host client
cable server s0 192.0.2.1/24 client c0 192.0.2.9/24
on server sh -c 'ip addr add 192.0.2.7/24 dev s0; ip addr add 203.0.113.123/32 dev lo
  for a in 2001:db8:a::1/64 2001:db8:a::7/64; do ip -6 addr add $a dev s0 nodad; done'
on client sh -c 'ip -6 addr add 2001:db8:a::9/64 dev c0 nodad; ip route add 203.0.113.123 via 192.0.2.1'
serve server examples/ntp-server.js
for address in 192.0.2.1 192.0.2.7 203.0.113.123 2001:db8:a::1 2001:db8:a::7; do
  on client ntpdig --json --timeout 5 "$address"
done
