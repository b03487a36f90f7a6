/** A process has one memory of its own: these begin with one that has heard nothing yet, and has no sticky socket. */
import { AsyncResource } from 'node:async_hooks';
import { addressText, arrived4, type Peer } from '../../../support/bytes';
import type { Incoming, Sent } from '../../../support/fake-host';
import { linux64 } from '../../../support/layouts';
import { uncaught } from '../../../support/uncaught';

type Support = typeof import('../../../support/fake-socket');

const from: Peer = { address: '198.51.100.1', port: 1001 };
const at = (local: string, peer = from): Incoming => ({
  from: peer,
  payload: local,
  control: arrived4(linux64, local, local, 1),
});
const sourceOf = ({ control }: Sent) =>
  control.length === 0 ? undefined : addressText(control[0]!.data.subarray(4, 8));

/** In nobody's async context. */
const outside = new AsyncResource('TEST');

let support: Support;
beforeEach(() => {
  jest.resetModules();
  support = require('../../../support/fake-socket');
});

async function sticky() {
  const net = new support.FakeNet();
  const { socket, fd } = await net.bound({ stickySource: true });
  return {
    net,
    socket,
    sources: () => net.host.syscalls.sent.map(sourceOf),
    async hear(...incoming: Incoming[]) {
      net.arrive(fd, incoming);
      await support.settled();
    },
    async send({ port, address }: Peer = from) {
      outside.runInAsyncScope(() => socket.send('x', port, address));
      await support.settled();
    },
  };
}

test('what the only socket has heard is known to those that are made later, and is its own when they hear otherwise', async () => {
  const one = await sticky();
  await one.hear(at('192.0.2.1'));
  await one.send();
  const two = await sticky();
  await two.send();
  await two.hear(at('192.0.2.2'));
  await two.send();
  await one.send();
  const three = await sticky();
  await three.send();
  expect(one.sources()).toEqual(['192.0.2.1', '192.0.2.1']);
  expect(two.sources()).toEqual(['192.0.2.1', '192.0.2.2']);
  expect(three.sources()).toEqual(['192.0.2.2']);
});

test('a second socket that is flooded does not make the first one forget', async () => {
  const one = await sticky();
  await one.hear(at('192.0.2.1'));
  const two = await sticky();
  for (let i = 0; i < 20_000; i += 500) {
    const batch = Array.from({ length: 500 }, (_, n) =>
      at('192.0.2.2', { address: `10.9.${(i + n) >> 8}.${n & 255}`, port: 7 }),
    );
    await two.hear(...batch);
  }
  await one.send();
  expect(one.sources()).toEqual(['192.0.2.1']);
});

test('an answer from inside the listener needs no memory, and takes none of others', async () => {
  const one = await sticky();
  const other: Peer = { address: from.address, port: 1002 };
  await one.hear(at('192.0.2.3', other));
  one.socket.on('message', (_msg, { address, port }) => {
    one.socket.send('answer', port, address);
    one.socket.send('another', port, address);
    one.socket.send('to the other', other.port, other.address);
    one.socket.send('to nobody', 1003, from.address);
  });
  await one.hear(at('192.0.2.1'));
  expect(one.sources()).toEqual(['192.0.2.1', '192.0.2.1', '192.0.2.3', undefined]);
});

test('where the kernel did not say, nothing is chosen, also inside the listener', async () => {
  const one = await sticky();
  one.socket.on('message', (_, { address, port }) => one.socket.send('x', port, address));
  await one.hear({ from, payload: 'x', control: [] });
  expect(one.sources()).toEqual([undefined]);
});

test('a listener that throws leaves nothing behind: its message is forgotten in time', async () => {
  const one = await sticky();
  one.socket.once('message', () => {
    throw new Error('mine');
  });
  expect(await uncaught(() => void one.hear(at('192.0.2.1')))).toEqual([expect.objectContaining({ message: 'mine' })]);
  await one.send();
  one.net.now = 60_001;
  await one.send();
  expect(one.sources()).toEqual(['192.0.2.1', undefined]);
});

describe('when a remote is heard on a second address, an answer without a context', () => {
  test('comes from the second, if the first message was answered in its listener', async () => {
    const one = await sticky();
    one.socket.once('message', (_, { address, port }) => one.socket.send('x', port, address));
    await one.hear(at('192.0.2.1'));
    await one.hear(at('192.0.2.2'));
    await one.send();
    expect(one.sources()).toEqual(['192.0.2.1', '192.0.2.2']);
  });

  test('comes from the first, if that was not answered', async () => {
    const one = await sticky();
    await one.hear(at('192.0.2.1'));
    await one.hear(at('192.0.2.2'));
    await one.send();
    expect(one.sources()).toEqual(['192.0.2.1']);
  });

  test('comes from the first, if another socket heard the second', async () => {
    const one = await sticky();
    await one.hear(at('192.0.2.1'));
    const two = await sticky();
    await two.hear(at('192.0.2.2'));
    await two.send();
    expect(two.sources()).toEqual(['192.0.2.1']);
  });

  test('comes from the second, if another socket answered for the one that heard the first', async () => {
    const one = await sticky();
    await one.hear(at('192.0.2.1'));
    const two = await sticky();
    await two.send();
    await one.hear(at('192.0.2.2'));
    await one.send();
    expect([...two.sources(), ...one.sources()]).toEqual(['192.0.2.1', '192.0.2.2']);
  });
});
