/** Every callback comes, once, whatever happens to the socket or in the kernel. */
import { getSystemErrorName } from 'node:util';
import { WRITABLE } from '../../../src/ffi/index';
import type { OutgoingDatagram } from '../../../src/types';
import { FakeNet, FROM, settled } from '../../support/fake-socket';
import { library, lines, program } from '../support/program';

const ENOBUFS = 105;
const EAGAIN = 11;

test('what is sent behind a close() that waits for the bind settles, once each', async () => {
  const ended = await program(`${library}
    process.on('uncaughtException', (error) => say('uncaught', error.code));
    const calls = {};
    const callback = (name) => {
      calls[name] = 0;
      return (error) => {
        calls[name]++;
        say(name, error ? error.code : 'sent');
      };
    };
    const socket = createSocket('udp4');
    const to = { address: '127.0.0.1', port: 9, family: 'IPv4', size: 1, destination: undefined, localAddress: undefined };
    socket.send('1', 9, '127.0.0.1');
    socket.close();
    socket.send('2', 9, '127.0.0.1', callback('send'));
    socket.sendMany([{ msg: '3', port: 9, address: '127.0.0.1' }], callback('sendMany'));
    socket.reply('4', to, callback('reply'));
    await once(socket, 'close');
    await turns(20);
    say(JSON.stringify(calls));
  `);
  const said = lines(ended);
  expect(said.at(-1)).toBe('{"send":1,"sendMany":1,"reply":1}');
  expect(said.filter((line) => line.startsWith('uncaught')).length).toBeLessThanOrEqual(1); // dgram's send() throws there
});

test('every callback of a blocked socket that is closed hears of it, once', async () => {
  const net = new FakeNet();
  const { socket } = await net.bound();
  net.host.syscalls.sendResult = () => -EAGAIN;
  const calls = new Map<string, number>();
  const count = (name: string) => () => calls.set(name, (calls.get(name) ?? 0) + 1);
  for (let i = 0; i < 500; i++) socket.send('x', 9, '192.0.2.9', count(`send ${i}`));
  for (let i = 0; i < 500; i++) socket.reply('x', { ...FROM, family: 'IPv4', size: 1 } as never, count(`reply ${i}`));
  socket.sendMany(
    Array.from({ length: 500 }, (): OutgoingDatagram => ({ msg: 'x', port: 9, address: '192.0.2.9' })),
    count('sendMany'),
  );
  await settled();
  socket.close();
  await settled();
  expect(calls.size).toBe(1001);
  expect([...calls.values()].every((times) => times === 1)).toBe(true);
});

test('ENOBUFS on Linux is not the end of a datagram: it is sent again, as libuv does', async () => {
  const net = new FakeNet();
  const { socket, fd } = await net.bound();
  let refusals = 3;
  net.host.syscalls.sendResult = (count) => (refusals-- > 0 ? -ENOBUFS : count);
  const told: (string | null)[] = [];
  socket.send('x', 9, '192.0.2.9', (error) => told.push((error as NodeJS.ErrnoException | null)?.code ?? null));
  for (let i = 0; i < 200 && told.length === 0; i++) {
    await new Promise((done) => setTimeout(done, 1)); // whether it waits for time to pass or for room
    const watcher = net.host.readiness.watchers.get(fd)!;
    if ((watcher.events & WRITABLE) !== 0) watcher.ready(WRITABLE);
  }
  expect(told).toEqual([null]);
  expect(net.payloads).toEqual(['x']);
});

test('a sendmmsg that takes nothing and names no error is no "Unknown system error 0"', async () => {
  const net = new FakeNet();
  const { socket, fd } = await net.bound();
  let times = 1;
  net.host.syscalls.sendResult = (count) => (times-- > 0 ? 0 : count);
  const told: (Error | null)[] = [];
  socket.send('x', 9, '192.0.2.9', (error) => told.push(error));
  for (let i = 0; i < 200 && told.length === 0; i++) {
    await new Promise((done) => setTimeout(done, 1));
    const watcher = net.host.readiness.watchers.get(fd)!;
    if ((watcher.events & WRITABLE) !== 0) watcher.ready(WRITABLE);
  }
  expect(told.length).toBe(1);
  const [error] = told as [NodeJS.ErrnoException | null];
  if (error !== null) expect(error.code).toBe(getSystemErrorName(error.errno!)); // throws for what is no errno
});

test('what a blocked socket keeps grows with what was sent: no faster, and in little more memory', async () => {
  const net = new FakeNet();
  const { socket } = await net.bound();
  net.host.syscalls.sendResult = () => -EAGAIN;
  const noop = () => {};
  const [some, payload] = [10_000, Buffer.alloc(16)];
  const push = (count: number) => {
    const started = performance.now();
    for (let i = 0; i < count; i++) socket.send(payload, 9, '192.0.2.9', noop);
    return performance.now() - started;
  };
  push(some);
  const before = process.memoryUsage().arrayBuffers;
  const first = push(some);
  const bytes = (process.memoryUsage().arrayBuffers - before) / some;
  push(3 * some);
  const later = push(some);
  socket.close();
  await settled();
  expect(later / first).toBeLessThan(3); // seven times where each walks past all that wait
  expect(bytes).toBeLessThan(600); // a datagram of 16 bytes, its name and control block
});
