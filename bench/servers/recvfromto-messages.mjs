// recvfromto with 'messages': what one system call brought, at once.
import { counters, HOST, serve } from './control.mjs';
import { load, sendMany, sendOne } from './recvfromto-common.mjs';

let last;

await serve({
  async open({ family, mode, gro }) {
    const { createSocket } = await load();
    const type = family === '4' ? 'udp4' : 'udp6';
    const socket = createSocket({ type, ipv6Only: family === '6', gro: gro === '1' });
    socket.on('messages', (batch) => {
      counters.received += batch.length;
      if (mode === 'echo') for (const { msg, rinfo } of batch) socket.reply(msg, rinfo);
    });
    await new Promise((resolve) => socket.bind(0, HOST[family], resolve));
    last = socket;
    return socket.address().port;
  },
  send: { one: sendOne(() => last), many: sendMany(() => last) },
});
