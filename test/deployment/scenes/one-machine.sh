# One machine, a process for each core on one port (SO_REUSEPORT). One process is killed; its primary starts another.
. "$(dirname "$0")/../hosts.sh"
host client; host server
cable client c0 192.0.2.1/24 server s0 192.0.2.2/24
on server ip addr add 192.0.2.3/24 dev s0
start plain server node test/deployment/plain.js 5300 plain
ask 192.0.2.3 5300 --count 5
stop plain
start primary server node examples/multi-core.js 5300 3
out=$(mktemp)
asking "$out" 192.0.2.3 5300 --before 'worker 1' --before 'worker 2' --before 'worker 3' --until 'worker 1' --until 'worker 3' --until 'worker 4'
worker=$(pgrep -P "${process[primary]}" | sed -n 2p) # the second one
kill -KILL "$worker"
finished "$out"
