/** What receives and answers has run once when the first datagram of a thread comes: V8 has compiled it, and nothing tells of it. */
import { kState } from '../../../src/socket/core';
import { newStats } from '../../../src/socket/stats';
import { datagrams, FakeNet, FROM, heard, settled } from '../../support/fake-socket';
import { cases } from '../../support/layouts';
import { newReading } from '../../support/reading';

const RECEIVER = [64, 65535] as const;

/** Has a datagram been read, and how many have been written? Neither has come, nor left. */
function watch(net: FakeNet) {
  const taken = jest.spyOn(net.engine.rings, 'take');
  return () => [net.engine.receiver(...RECEIVER).kept !== undefined, taken.mock.calls.length];
}

describe.each(cases.map((on) => [`${on.name} ${on.arch}`, on] as const))('%s', (_, on) => {
  test.each([
    'udp4',
    'udp6',
  ] as const)('%s: one is read and one is written, and nothing is left of them', async (type) => {
    const net = new FakeNet(on);
    const done = watch(net);
    const { socket, fd } = await net.bound({ type });
    const { rinfos, texts } = heard(socket);
    await settled();
    expect(done()).toEqual([true, 1]);
    expect(socket[kState].arrival).toBeUndefined();
    expect(net.host.syscalls.sent).toEqual([]);
    expect(socket.stats()).toEqual(newStats());
    net.arrive(fd, datagrams('a', 'b'));
    await settled();
    expect(texts).toEqual(['a', 'b']);
    for (const { address, port } of rinfos)
      expect([address.replace('::ffff:', ''), port]).toEqual([FROM.address, FROM.port]);
    expect(socket.stats().datagramsIn).toBe(2);
    for (const rinfo of rinfos) socket.reply('answer', rinfo);
    await settled();
    expect(net.payloads).toEqual(['answer', 'answer']);
  });
});

test('once for all sockets, also for those that are bound at once', async () => {
  const net = new FakeNet();
  const done = watch(net);
  for (const { socket } of await Promise.all([net.bound(), net.bound(), net.bound()])) heard(socket);
  await settled();
  heard((await net.bound()).socket);
  await settled();
  expect(done()).toEqual([true, 1]);
});

test('not for a socket that nobody listens to: it only sends', async () => {
  const net = new FakeNet();
  const done = watch(net);
  await net.bound();
  await settled();
  expect(done()).toEqual([false, 0]);
  (await net.bound()).socket.on('messages', () => {});
  await settled();
  expect(done()).toEqual([true, 1]);
});

test('not where a datagram has come first, which does the same', async () => {
  const net = new FakeNet();
  const done = watch(net);
  const socket = net.make();
  const { texts } = heard(socket);
  socket.bind(0, () => net.arrive(net.host.syscalls.only, datagrams('first')));
  await settled();
  expect([texts, done()]).toEqual([['first'], [true, 0]]);
});

test('of a socket that is closed at once, the next one', async () => {
  const net = new FakeNet();
  const done = watch(net);
  const socket = net.make();
  await new Promise<void>((closed) => socket.bind(0, () => socket.close(closed)));
  await settled();
  expect(done()).toEqual([false, 0]);
  heard((await net.bound()).socket);
  await settled();
  expect(done()).toEqual([true, 1]);
});

test('what fails does so for nobody but whom the first datagram is for', async () => {
  const net = new FakeNet();
  jest.spyOn(net.engine.rings, 'take').mockImplementationOnce(() => {
    throw new RangeError('Array buffer allocation failed');
  });
  const { socket, fd } = await net.bound();
  const { texts } = heard(socket);
  await settled();
  net.arrive(fd, datagrams('heard'));
  await settled();
  expect(texts).toEqual(['heard']);
});

test('what has been received already is not read again', async () => {
  const net = new FakeNet();
  const { fd } = await net.bound();
  net.arrive(fd, datagrams('early'));
  await settled();
  const reading = newReading();
  net.engine.receiver(...RECEIVER).rehearse(reading);
  expect(reading).toEqual(newReading());
});
