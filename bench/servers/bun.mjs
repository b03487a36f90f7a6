// Bun.udpSocket. It knows no destination and chooses no source.
import { counters, HOST, serve } from './control.mjs';

let last;
let drained = () => {};

const drain = () =>
  new Promise((resolve) => {
    drained = resolve;
  });

await serve({
  async open({ family, mode }) {
    const data =
      mode === 'count'
        ? () => counters.received++
        : (socket, msg, port, address) => {
            counters.received++;
            socket.send(msg, port, address);
          };
    last = await Bun.udpSocket({
      hostname: HOST[family],
      port: 0,
      socket: { data, drain: () => drained(), error() {} },
    });
    return last.port;
  },
  send: {
    async one(msg, targets) {
      for (const { port, address } of targets) if (!last.send(msg, port, address)) await drain();
      await new Promise(setImmediate);
    },
    async many(msg, targets) {
      const list = [];
      for (const { port, address } of targets) list.push(msg, port, address);
      if (last.sendMany(list) < targets.length) await drain();
      else await new Promise(setImmediate);
    },
  },
});
