// Deno's own datagram API (--unstable-net). It knows no destination and chooses no source.
import { counters, HOST, serve } from './control.mjs';

let last;

async function receive(socket, mode) {
  for await (const [msg, from] of socket) {
    counters.received++;
    if (mode === 'echo') socket.send(msg, from).catch(() => {});
  }
}

await serve({
  async open({ family, mode }) {
    const socket = Deno.listenDatagram({ transport: 'udp', hostname: HOST[family], port: 0 });
    receive(socket, mode);
    last = socket;
    return socket.addr.port;
  },
  send: {
    async one(msg, targets) {
      const all = [];
      for (const { port, address: hostname } of targets) all.push(last.send(msg, { transport: 'udp', port, hostname }));
      await Promise.all(all);
    },
  },
});
