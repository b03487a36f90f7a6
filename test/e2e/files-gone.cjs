// node files-gone.cjs FOLDER MODULE: a server that has started, whose files then go, as when a deployment replaces them, or as
// good as go, as when it gives up root. Prints what a program can still do with its sockets, and what not.
const { rmSync } = require('node:fs');
const { once } = require('node:events');

const [folder, name] = process.argv.slice(2);
const { createSocket } = require(name);
const ours = name !== 'dgram';

const failed = {};
let tried = 0;
async function can(what, act) {
  tried++;
  try {
    await act();
  } catch (error) {
    failed[what] = `${error.code} ${error.message.split('\n', 1)[0]}`;
  }
}

async function bound(options = 'udp4') {
  const socket = createSocket(options);
  socket.bind(0, '127.0.0.1');
  await once(socket, 'listening');
  return socket;
}

async function main() {
  const server = await bound();
  const { port } = server.address();
  rmSync(folder, { recursive: true });

  for (const method of ['getRecvBufferSize', 'getSendBufferSize', 'getSendQueueSize', 'ref', 'unref', 'address']) {
    await can(method, () => server[method]());
  }
  await can('setBroadcast', () => server.setBroadcast(true));
  for (const method of ['setTTL', 'setMulticastTTL']) await can(method, () => server[method](7));
  await can('setMulticastLoopback', () => server.setMulticastLoopback(true));
  await can('setMulticastInterface', () => server.setMulticastInterface('127.0.0.1'));
  for (const method of ['addMembership', 'dropMembership']) {
    await can(method, () => server[method]('224.0.0.251', '127.0.0.1'));
  }
  for (const method of ['addSourceSpecificMembership', 'dropSourceSpecificMembership']) {
    await can(method, () => server[method]('127.0.0.1', '232.1.1.1', '127.0.0.1'));
  }
  await can('setRecvBufferSize', () => server.setRecvBufferSize(100_000));
  await can('send before bind, to a name', async () => {
    const socket = createSocket('udp4');
    await new Promise((resolve, reject) => {
      socket.send('x', port, 'localhost', (error) => (error ? reject(error) : resolve()));
    });
    socket.close();
  });
  await can('connect', async () => {
    const socket = createSocket('udp4');
    socket.connect(port, '127.0.0.1');
    await once(socket, 'connect');
    socket.disconnect();
    socket.close();
  });
  await can('a signal', () => {
    const controller = new AbortController();
    createSocket({ type: 'udp4', signal: controller.signal });
    controller.abort();
  });
  await can('a refused datagram', async () => {
    const socket = await bound();
    const closed = await bound();
    const { port: nobody } = closed.address();
    closed.close();
    await once(closed, 'close');
    socket.connect(nobody, '127.0.0.1');
    await once(socket, 'connect');
    socket.on('error', () => {});
    socket.send('x');
    await new Promise((resolve) => setTimeout(resolve, 20));
    socket.close();
  });
  await can('many sockets', async () => {
    const sockets = [];
    for (let i = 0; i < 100; i++) sockets.push(await bound());
    const heard = once(sockets[99], 'message');
    server.send('x', sockets[99].address().port, '127.0.0.1');
    await heard;
    for (const socket of sockets) socket.close();
  });
  if (ours) {
    await can('sendSync', () => server.sendSync('x', { port, address: '127.0.0.1' }));
    await can('bindSync', () => createSocket('udp4').bindSync({ address: '127.0.0.1' }));
    await can('for await', async () => {
      const socket = await bound();
      server.send('x', socket.address().port, '127.0.0.1');
      for await (const _ of socket) break;
    });
    await can('split', async () => {
      const socket = await bound();
      const heard = once(socket, 'message');
      server.send('x', socket.address().port, '127.0.0.1');
      const [, rinfo] = await heard;
      socket.split(rinfo).close();
      socket.close();
    });
    await can('accept', async () => (await bound({ type: 'udp4', accept: { destinations: ['127.0.0.1'] } })).close());
    await can('filter', async () =>
      (await bound({ type: 'udp4', filter: [{ code: 6, jt: 0, jf: 0, k: 0xffff }] })).close(),
    );
    await can('stickySource', async () => (await bound({ type: 'udp4', stickySource: true })).close());
    await can('recvErrors', async () => {
      const socket = await bound({ type: 'udp4', recvErrors: true });
      socket.send('x', 1, '127.0.0.1');
      await once(socket, 'icmp', { signal: AbortSignal.timeout(2000) });
      socket.close();
    });
    await can('close, which says goodbye', async () => {
      const socket = await bound();
      socket.send('x', port, '127.0.0.1');
      socket.close();
    });
  }
  console.log(JSON.stringify({ tried, failed }));
  process.exit();
}

main();
