// node:dgram, in Node and in Deno. It knows no destination and chooses no source.
import { counters, HOST, serve } from './control.mjs';
import { sendOne } from './recvfromto-common.mjs';

let last;

await serve({
  async open({ family, mode }) {
    const { createSocket } = await import('node:dgram');
    const socket = createSocket({ type: family === '4' ? 'udp4' : 'udp6', ipv6Only: family === '6' });
    if (mode === 'count') socket.on('message', () => counters.received++);
    else {
      socket.on('message', (msg, rinfo) => {
        counters.received++;
        socket.send(msg, rinfo.port, rinfo.address);
      });
    }
    await new Promise((resolve) => socket.bind(0, HOST[family], resolve));
    last = socket;
    return socket.address().port;
  },
  send: { one: sendOne(() => last) },
});
