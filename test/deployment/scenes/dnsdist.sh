# dnsdist in front of two DNS servers that are asked on secondary addresses. dnsdist takes an answer only from the address
# that it asked: with node:dgram no server is up.
#   client ── front (dnsdist) ── switch ── a, b
. "$(dirname "$0")/../hosts.sh"
switch lan
host client; host front; host a; host b
cable client c0 192.0.2.1/24 front f0 192.0.2.53/24
plug lan front eth0 198.51.100.1/24
plug lan a eth0 198.51.100.2/24
plug lan b eth0 198.51.100.3/24
on a ip addr add 198.51.100.11/24 dev eth0
on b ip addr add 198.51.100.12/24 dev eth0

work=$(mktemp -d)
front() {
  nsenter --net="/proc/${pid[front]}/ns/net" dnsdist --supervised --disable-syslog -C "$here/dnsdist/dnsdist.conf" \
    >"$work/$1.log" 2>&1 &
  dnsdist=$!
}
states() { grep -oE "Marking downstream .* as .(up|down)" "$work/$1.log" | sort -u; }
seen() { [ "$(states "$1" | grep -c "$2")" = "$3" ]; }

for name in a b; do start "$name" "$name" node test/deployment/dnsdist/plain-dns.js 5300; done
front plain
until_true 15 seen plain down 2
ask 192.0.2.53 53 --dns --count 5
kill -KILL "$dnsdist"; wait "$dnsdist" || true; stop a; stop b

for name in a b; do start "$name" "$name" node --import recvfromto/register test/deployment/dnsdist/plain-dns.js 5300; done
front registered
until_true 15 seen registered up 2
out=$(mktemp)
asking "$out" 192.0.2.53 53 --dns --before 198.51.100.11 --before 198.51.100.12 --until 198.51.100.12
stop a
finished "$out"
