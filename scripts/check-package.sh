#!/usr/bin/env bash
# The package as users get it: packed, installed elsewhere without scripts, required, imported, type-checked, run.
set -euo pipefail
root=$(cd "$(dirname "$0")/.." && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$root"
npm run build --silent
tarball=$(npm pack --silent --ignore-scripts --pack-destination "$work")
cd "$work"
echo '{"private":true}' > package.json
npm install --silent --ignore-scripts --no-fund --no-audit "./$tarball"

cat > answer.cjs <<'JS'
const { createServer, createSocket } = require('recvfromto');
const server = createServer((msg, rinfo) => server.reply(msg, rinfo));
server.listen(0, () => {
  const client = createSocket('udp4', (msg, rinfo) => {
    if (rinfo.address !== '127.0.0.2' || String(msg) !== 'hello') throw new Error(`answer from ${rinfo.address}`);
    client.close();
    server.close();
  });
  client.send('hello', server.address().port, '127.0.0.2');
});
JS
node answer.cjs && echo "required: answered from the address that was asked"

cat > answer.mjs <<'JS'
import * as dgram from 'recvfromto';
import { createSocket, createServer, Socket } from 'recvfromto';
if (dgram.createSocket !== createSocket || typeof createServer !== 'function') throw new Error('named exports');
if (!(createSocket('udp4') instanceof Socket)) throw new Error('Socket');
JS
node answer.mjs && echo "imported: names are there"

cat > plain.cjs <<'JS'
const { createSocket } = require('dgram');
const server = createSocket('udp4', (msg, { port, address }) => server.send(msg, port, address));
server.bind(0, () => {
  const client = createSocket('udp4', (msg, { address }) => {
    if (address !== '127.0.0.2') throw new Error(`answer from ${address}`);
    client.close();
    server.close();
  });
  client.send('hello', server.address().port, '127.0.0.2');
});
JS
node --import recvfromto/register plain.cjs && node -r recvfromto/register plain.cjs &&
  echo "registered: a program that knows nothing of it answered from the address that was asked"

cat > types.ts <<'TS'
import { createServer, createSocket, type RemoteInfo } from 'recvfromto';
const server = createServer((msg: Buffer, rinfo: RemoteInfo) => server.reply(msg, rinfo, (error: Error | null) => error));
const socket = createSocket({ type: 'udp6', batch: 16 });
socket.send('x', { port: 1, address: '::1', localAddress: '::1' });
socket.on('messages', (batch) => batch.map(({ rinfo }) => rinfo.destination?.interface?.length));
TS
"$root/node_modules/.bin/tsc" --noEmit --strict --module node20 --types node --typeRoots "$root/node_modules/@types" types.ts
echo "type-checked: a consumer compiles"

npx --no-install recvfromto --version
echo "size: $(stat -c %s "$work/$tarball") bytes packed"
