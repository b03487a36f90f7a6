/** What was asked first happens first, also where sending is put off to the end of the turn. */
import type { RemoteInfo } from '../../../src/types';
import { FakeNet, immediate, settled } from '../../support/fake-socket';

test('what was sent to the peer leaves before disconnect(), what was sent to others before connect()', async () => {
  const net = new FakeNet();
  const { socket } = await net.bound();
  const log = net.host.syscalls.calls;
  socket.send('to somebody', 9, '192.0.2.66');
  socket.connect(53, '192.0.2.9');
  await settled();
  expect(log.indexOf('sendmmsg')).toBeLessThan(log.indexOf('connect'));
  log.length = 0;
  const outcome = new Promise((resolve) => socket.send('to the peer', resolve));
  socket.disconnect();
  expect(log).toEqual(['sendmmsg', 'connect']);
  expect(await outcome).toBeNull();
  expect(net.host.syscalls.sent).toMatchObject([{ to: { address: '192.0.2.66' } }, { to: undefined }]);
});

test('connect() inside a listener, with answers of this batch not sent yet', async () => {
  const net = new FakeNet();
  const { socket, fd } = await net.bound();
  socket.on('message', (msg, rinfo) => {
    socket.reply(msg, rinfo);
    socket.connect(53, '192.0.2.9');
  });
  net.arrive(fd, [{ from: { address: '192.0.2.7', port: 7 }, payload: 'x' }]);
  await settled();
  expect(net.host.syscalls.sent).toMatchObject([{ to: { address: '192.0.2.7', port: 7 } }]);
  expect(net.host.syscalls.calls.indexOf('sendmmsg')).toBeLessThan(net.host.syscalls.calls.indexOf('connect'));
});

test('callbacks come in the order of the sends, and never before send() returns', async () => {
  const net = new FakeNet();
  const { socket } = await net.bound();
  const order: number[] = [];
  for (let i = 0; i < 200; i++) socket.send('x', 9, '192.0.2.9', () => order.push(i));
  expect(order).toEqual([]);
  await immediate();
  expect(order).toEqual(Array.from({ length: 200 }, (_, i) => i));
});

test('a send inside a send callback leaves in the same turn', async () => {
  const net = new FakeNet();
  const { socket } = await net.bound();
  let left = 5;
  const again = () => {
    if (left-- > 0) socket.send('x', 9, '192.0.2.9', again);
  };
  again();
  await immediate();
  expect(net.payloads.length).toBe(5);
});

test('on a bound socket the bytes are copied before send() returns', async () => {
  const net = new FakeNet();
  const { socket } = await net.bound();
  const bytes = Buffer.from('bytes');
  socket.send(bytes, 9, '192.0.2.9');
  socket.send([bytes, 'x'], { port: 9, address: '192.0.2.9' });
  socket.reply(bytes, { address: '192.0.2.9', port: 9 } as RemoteInfo);
  bytes.fill('!');
  await settled();
  expect(net.payloads).toEqual(['bytes', 'bytesx', 'bytes']);
});

test('a thousand sockets that send in one turn', async () => {
  const net = new FakeNet();
  const sockets = await Promise.all(
    Array.from({ length: 1000 }, async () => {
      const socket = net.make();
      await new Promise<void>((done) => socket.bind(0, done));
      return socket;
    }),
  );
  let calls = 0;
  for (const socket of sockets) for (let i = 0; i < 2; i++) socket.send('x', 9, '192.0.2.9', () => calls++);
  await settled();
  expect([net.payloads.length, calls]).toEqual([2000, 2000]);
  for (const socket of sockets) socket.close();
  expect(net.host.syscalls.sockets.size).toBe(0);
});
