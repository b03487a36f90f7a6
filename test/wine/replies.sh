# Sourced by run.sh inside its namespaces: a server under Wine with several addresses, and a client that is plain Linux,
# in another network namespace at the other end of the cable. Only the client's word counts.
ip link del wine0 2>/dev/null || true
unshare --net sleep 120 &
peer=$!
for _ in $(seq 50); do [ "$(readlink /proc/$peer/ns/net)" != "$(readlink /proc/$$/ns/net)" ] && break; sleep 0.1; done
ip link add wine0 type veth peer name peer0
ip link set peer0 netns $peer
for i in 1 2 3; do ip addr add 10.77.0.$i/24 broadcast 10.77.0.255 dev wine0; ip addr add fd77::$i/64 dev wine0 nodad; done
echo 0 >/proc/sys/net/ipv6/conf/wine0/accept_dad 2>/dev/null || true
ip link set wine0 up
nsenter --target $peer --net sh -c 'ip link set lo up
  ip addr add 10.77.0.100/24 broadcast 10.77.0.255 dev peer0; ip addr add fd77::100/64 dev peer0 nodad
  ip link set peer0 up; ip route add 224.0.0.0/4 dev peer0; ip route add 255.255.255.255 dev peer0'
$wine 60 "$cache/replies.log" -r ./test/wine/wine-sendmsg-shim.cjs test/wine/replies-server.cjs &
server=$!
for _ in $(seq 150); do grep -q listening "$cache/replies.log" 2>/dev/null && break; sleep 0.2; done
nsenter --target $peer --net node $here/replies-client.cjs "$cache/results-replies.json" || true
touch "$cache/x64/stop"
wait $server || echo "   the server ended with $?: see .wine/replies.log"
kill $peer
