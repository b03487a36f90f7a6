/** One datagram is asked for where one comes at a time: the kernel says so again where there is another one. */
import { READABLE } from '../../../../src/ffi/index';
import { datagrams, FakeNet, heard, immediate, settled } from '../../../support/fake-socket';

const BATCH = 64;

async function listening(options = {}) {
  const net = new FakeNet();
  const { socket, fd } = await net.bound(options);
  const { texts } = heard(socket);
  const errors: string[] = [];
  socket.on('error', ({ code }: NodeJS.ErrnoException) => errors.push(`${code}`));
  const asked = jest.spyOn(net.host.syscalls, 'recvmmsg');
  const counts = () => asked.mock.calls.splice(0).map(([, , count]) => count);
  const incoming = () => net.host.syscalls.sockets.get(fd)!.incoming;
  /** As a kernel: level-triggered, once per poll. → polls */
  const poll = async () => {
    let polls = 0;
    for (; incoming().length > 0; polls++) {
      net.host.readiness.fire(fd, READABLE);
      await immediate();
    }
    return polls;
  };
  const singles = async (count: number) => {
    for (let i = 0; i < count; i++) {
      incoming().push(...datagrams(`${i}`));
      await poll();
    }
  };
  return { net, socket, fd, texts, errors, counts, incoming, poll, singles };
}

const burst = (count: number) => datagrams(...Array.from({ length: count }, (_, i) => `b${i}`));

test('after eight single datagrams one is asked for, and of the next sixteen calls one asks for all', async () => {
  const { singles, counts, texts } = await listening();
  await singles(100);
  const all = counts();
  expect(texts).toHaveLength(100);
  expect(all.slice(0, 8)).toEqual(Array(8).fill(BATCH));
  expect(all).toHaveLength(100);
  for (let at = 8; at + 16 <= 100; at++) {
    expect(all.slice(at, at + 16).filter((count) => count === BATCH)).toHaveLength(1);
    expect(all.slice(at, at + 16).filter((count) => count === 1)).toHaveLength(15);
  }
});

test.each([
  8, 17, 100, 111,
])('a burst behind %d single ones is heard whole, in order, and soon by the batch', async (before) => {
  const { singles, incoming, poll, counts, texts } = await listening();
  await singles(before);
  counts();
  incoming().push(...burst(1000));
  const polls = await poll();
  expect(texts.slice(before)).toEqual(burst(1000).map(({ payload }) => payload));
  const all = counts();
  expect(polls).toBeLessThan(16 + 1000 / BATCH + 8);
  expect(all.length).toBeLessThan(16 + 1000 / BATCH + 8);
  expect(all.slice(16).filter((count) => count === 1)).toEqual([]);
});

test('where two or more come at a time, all are asked for', async () => {
  const { incoming, poll, counts, singles } = await listening();
  await singles(10);
  for (let i = 0; i < 20; i++) {
    incoming().push(...burst(2));
    await poll();
  }
  counts();
  for (let i = 0; i < 20; i++) {
    incoming().push(...burst(2));
    await poll();
  }
  expect(counts()).toEqual(Array(20).fill(BATCH));
});

test('an error between single datagrams comes in its place, and what is behind it too', async () => {
  const { net, socket, singles, incoming, poll, errors, texts } = await listening();
  await singles(20);
  incoming().push(...datagrams('a'), -net.host.platform.errno.ECONNREFUSED!, ...datagrams('b', 'c'));
  await poll();
  await settled();
  expect(errors).toEqual(['ECONNREFUSED']);
  expect(texts.slice(20)).toEqual(['a', 'b', 'c']);
  expect(socket.stats().datagramsIn).toBe(23);
});

test('paused and resumed between single datagrams: nothing is lost, or taken meanwhile', async () => {
  const { socket, singles, incoming, poll, texts, net, fd, counts } = await listening();
  await singles(20);
  incoming().push(...datagrams('a', 'b', 'c'));
  net.host.readiness.fire(fd, READABLE);
  socket.pause();
  await settled();
  expect(texts.slice(20)).toEqual([]);
  counts();
  net.host.readiness.fire(fd, READABLE);
  await settled();
  expect(counts()).toEqual([]);
  socket.resume();
  await poll();
  expect(texts.slice(20)).toEqual(['a', 'b', 'c']);
});

test('one that is closed takes no more, and a descriptor that is taken over is emptied in batches', async () => {
  const { socket, singles, incoming, texts, counts } = await listening({ stickySource: true });
  await singles(20);
  incoming().push(...burst(3));
  counts();
  socket.connectSync(4321, '192.0.2.9'); // by another descriptor, bound to the address that was asked
  expect(counts()[0]).toBe(BATCH);
  await settled();
  expect(texts.slice(20)).toEqual(['b0', 'b1', 'b2']);
});

test('two sockets, of which one is sparse: neither keeps the other waiting', async () => {
  const { net, singles, texts, incoming, fd } = await listening();
  const other = await net.bound();
  const more = heard(other.socket);
  await singles(20);
  for (let round = 0; round < 20; round++) {
    incoming().push(...datagrams('one'));
    net.host.syscalls.sockets.get(other.fd)!.incoming.push(...burst(10));
    net.host.readiness.fire(other.fd, READABLE);
    net.host.readiness.fire(fd, READABLE);
    await immediate();
    expect(texts).toHaveLength(21 + round);
  }
  await settled();
  expect(more.texts).toHaveLength(200);
});
