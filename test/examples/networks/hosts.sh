# Sourced by the networks beside it, in a network, PID and mount namespace of their own: hosts are network namespaces,
# held by a process each, and all end with the first process.
set -eu
declare -A pid

# host NAME: a host with its loopback up, forwarding what is not for it.
host() {
  unshare --net sleep infinity & pid[$1]=$!
  # until it is in a namespace of its own
  while [ "$(readlink "/proc/${pid[$1]}/ns/net")" = "$(readlink /proc/self/ns/net)" ]; do sleep 0.02; done
  on "$1" sh -c 'ip link set lo up; for f in /proc/sys/net/ipv4/conf/*/rp_filter; do echo 0 > "$f"; done
    echo 1 > /proc/sys/net/ipv4/ip_forward'
}

# on NAME COMMAND...: runs it there.
on() { local name=$1; shift; nsenter --net="/proc/${pid[$name]}/ns/net" "$@"; }

# cable NAME INTERFACE ADDRESS NAME INTERFACE ADDRESS
cable() {
  ip link add "$2" type veth peer name "$5"
  ip link set "$2" netns "${pid[$1]}"
  ip link set "$5" netns "${pid[$4]}"
  on "$1" sh -c "ip addr add $3 brd + dev $2 && ip link set $2 up"
  on "$4" sh -c "ip addr add $6 brd + dev $5 && ip link set $5 up"
}

# serve NAME EXAMPLE...: starts it there and waits until it listens.
serve() {
  local name=$1 ready; shift
  exec {ready}< <(on "$name" node "$@" 2>&1)
  read -r line <&"$ready"
  case $line in *listening*) ;; *) echo "$line" >&2; cat <&"$ready" >&2; exit 1 ;; esac
}
