# One machine, several processes on one port: each with a socket of its own (SO_REUSEPORT), then all with one (cluster).
# One process is killed; its primary starts another.
. "$(dirname "$0")/../hosts.sh"
host client; host server
cable client c0 192.0.2.1/24 server s0 192.0.2.2/24
on server ip addr add 192.0.2.3/24 dev s0
start plain server node test/deployment/plain.js 5300 plain
ask 192.0.2.3 5300 --count 5
stop plain
out=$(mktemp)
for program in examples/multi-core.js test/deployment/shared.js; do
  start primary server node "$program" 5300 3
  asking "$out" 192.0.2.3 5300 --before 'worker 1' --before 'worker 2' --before 'worker 3' \
    --until 'worker 1' --until 'worker 3' --until 'worker 4'
  kill -KILL "$(pgrep -P "${process[primary]}" | sed -n 2p)" # the second worker
  finished "$out"
  kill -KILL $(pgrep -P "${process[primary]}") "${process[primary]}"
done
