#!/usr/bin/env bash
# serve.sh <main.js of the command> <runtime …>: the command serves and asks itself on 127.0.0.2.
set -euo pipefail
main=$1; shift
log=$(mktemp)
"$@" "$main" serve --port 0 > "$log" 2>&1 &
server=$!
trap 'kill "$server" 2>/dev/null; rm -f "$log"' EXIT
for _ in $(seq 100); do
  port=$(sed -n 's/.*\bport \([0-9]\+\).*/\1/p;T;q' "$log") && [ -n "$port" ] && break
  sleep 0.1
done
[ -n "${port:-}" ] || { cat "$log" >&2; exit 1; }
"$@" "$main" send 127.0.0.2 "$port" hello
