// recvfromto with 'message', in dgram's order; destination and reply source included.
import { counters, HOST, serve } from './control.mjs';
import { load, sendMany, sendOne } from './recvfromto-common.mjs';

let last;

await serve({
  async open({ family, mode, answer, gro }) {
    const { createSocket } = await load();
    const type = family === '4' ? 'udp4' : 'udp6';
    const socket = createSocket({ type, ipv6Only: family === '6', gro: gro === '1' });
    if (mode === 'count') socket.on('message', () => counters.received++);
    else if (answer === 'reply') {
      socket.on('message', (msg, rinfo) => {
        counters.received++;
        socket.reply(msg, rinfo);
      });
    } else {
      socket.on('message', (msg, rinfo) => {
        counters.received++;
        socket.send(msg, rinfo.port, rinfo.address);
      });
    }
    await new Promise((resolve) => socket.bind(0, HOST[family], resolve));
    last = socket;
    return socket.address().port;
  },
  send: { one: sendOne(() => last), many: sendMany(() => last) },
});
