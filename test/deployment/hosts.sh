# Sourced by the scenes: hosts, cables and switches made of namespaces, servers that can be killed, and the client.
. "$(dirname "$0")/../../examples/networks/hosts.sh"
here=$(cd "$(dirname "$0")/.." && pwd)
declare -A process

# switch NAME: a host that is nothing but a bridge; the other ends of its cables are its ports.
switch() {
  host "$1"
  on "$1" sh -c 'ip link add bridge type bridge && ip link set bridge up'
}

# plug SWITCH NAME INTERFACE ADDRESS: a cable from the switch to a host.
plug() {
  ip link add "p-$2" type veth peer name "$3"
  ip link set "p-$2" netns "${pid[$1]}"
  ip link set "$3" netns "${pid[$2]}"
  on "$1" sh -c "ip link set p-$2 master bridge up"
  on "$2" sh -c "ip addr add $4 brd + dev $3 && ip link set $3 up"
}

# start KEY HOST PROGRAM...: starts it there, waits until it says that it listens, and remembers its process as KEY.
start() {
  local key=$1 name=$2 ready line; shift 2
  exec {ready}< <(exec nsenter --net="/proc/${pid[$name]}/ns/net" "$@" 2>&1)
  process[$key]=$!
  read -r line <&"$ready"
  case $line in *listening*) ;; *) echo "$line" >&2; timeout 2 cat <&"$ready" >&2; exit 1 ;; esac
  cat <&"$ready" >/dev/null & # or a full pipe would stop it
}

# stop KEY: as a crash does it, without a chance to say good-bye.
stop() { kill -KILL "${process[$1]}"; }

# until_true SECONDS COMMAND...
until_true() {
  local end=$((SECONDS + $1)); shift
  until "$@" >/dev/null 2>&1; do
    [ "$SECONDS" -lt "$end" ] || { echo "in vain: $*" >&2; return 1; }
    sleep 0.1
  done
}

# ask ADDRESS PORT...: the client's summary (ask.py).
ask() { on client python3 "$here/ask.py" "$@"; }

declare -A answered
# asking OUTPUT ADDRESS PORT...: the same in the background; returns when --before have answered.
asking() {
  local output=$1 line fd; shift
  exec {fd}< <(exec nsenter --net="/proc/${pid[client]}/ns/net" python3 "$here/ask.py" "$@" 2>&1 >"$output")
  answered[$output]=$fd
  read -r line <&"$fd"
  [ "$line" = answered ] || { echo "the client: $line" >&2; exit 1; }
}

# finished OUTPUT: waits for the client, and prints its summary.
finished() {
  cat <&"${answered[$1]}" >&2
  cat "$1"
}

# address NAME INTERFACE ADDRESS...: more of them, of any family.
address() {
  local name=$1 interface=$2; shift 2
  for each in "$@"; do
    case $each in *:*) on "$name" ip addr add "$each" dev "$interface" nodad ;; *) on "$name" ip addr add "$each" dev "$interface" ;; esac
  done
}

# serve_named NAME: the scene's server on the host of that name, which answers with the name. $program is what runs.
program=examples/anycast.js
serve_named() { start "$1" "$1" node "$program" 5300 "$1"; }
