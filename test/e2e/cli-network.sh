# Two hosts on a cable, an echo server of node:dgram on one of them: what the command foresees on the server's host, and what
# a client on the other one gets. Inside `unshare --user --map-root-user --net --fork`; prints two lines of JSON.
set -eu
main=$1 node=$2
unshare --net sleep 60 & client=$!
server= said=$(mktemp)
trap 'kill $client $server; rm -f "$said"' EXIT
ip link set lo up
ip link add s0 type veth peer name c0
until [ "$(readlink /proc/$client/ns/net)" != "$(readlink /proc/$$/ns/net)" ]; do :; done
ip link set c0 netns $client
ip addr add 10.0.0.1/24 dev s0; ip addr add 10.0.0.7/24 dev s0; ip addr add 10.1.0.1/24 dev s0
ip addr add fd00::1/64 dev s0 nodad; ip addr add fd00::7/64 dev s0 nodad
ip link set s0 up
inside() { nsenter --net=/proc/$client/ns/net "$@"; }
inside sh -c 'ip link set lo up; ip addr add 10.0.0.9/24 dev c0; ip addr add fd00::9/64 dev c0 nodad; ip link set c0 up; ip route add 10.1.0.0/24 via 10.0.0.1'
"$node" -e '
  const dgram = require("node:dgram");
  const on = (type) => dgram.createSocket({ type, ipv6Only: type === "udp6" }, function (msg, { port, address }) { this.send(msg, port, address); });
  on("udp4").bind(7000, () => on("udp6").bind(7000, () => console.error("listening")));
' 2>"$said" & server=$!
for _ in $(seq 100); do grep -q listening "$said" && break; sleep 0.1; done
grep -q listening "$said" || cat "$said" >&2
ask() { "$@" "$node" "$main" probe 7000 10.0.0.1 10.0.0.7 10.1.0.1 fd00::1 fd00::7 --protocol hex:6869 --json | tr -d '\n' || true; echo; }
ask env
ask inside
