/** A process has one memory of its own: these begin with one that has heard nothing yet, and has no sticky socket. */
import { AsyncResource } from 'node:async_hooks';
import { BlockList } from 'node:net';
import type { Socket } from '../../../../src/socket/socket';
import type { SocketOptions } from '../../../../src/types';
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

async function sticky(options: Partial<SocketOptions> = {}, address?: string) {
  const net = new support.FakeNet();
  const { socket, fd } = await net.bound({ stickySource: true, ...options }, address);
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

describe('an answer from inside the listener', () => {
  test('may be said in each way that send() knows', async () => {
    const one = await sticky();
    const results: unknown[] = [];
    const callback = (...args: unknown[]) => results.push(args);
    one.socket.on('message', (msg, { address, port }) => {
      one.socket.send(msg, port, address, callback);
      one.socket.send(msg, 0, 3, port, address, callback);
      one.socket.send([msg, msg], port, address, callback);
      one.socket.send(msg, { port, address }, callback);
      one.socket.send(msg, String(port) as never, address, callback);
    });
    await one.hear(at('192.0.2.1'));
    expect(one.sources()).toEqual(new Array(5).fill('192.0.2.1'));
    expect(one.net.payloads).toEqual(['192.0.2.1', '192', '192.0.2.1192.0.2.1', '192.0.2.1', '192.0.2.1']);
    expect(results).toEqual([9, 3, 18, 9, 9].map((bytes) => [null, bytes]));
    expect(one.net.host.syscalls.sent.every(({ to }) => to?.address === from.address && to.port === from.port)).toBe(
      true,
    );
  });

  test('names no source where the socket is bound to an address', async () => {
    const one = await sticky({}, '192.0.2.1');
    one.socket.on('message', (msg, { address, port }) => one.socket.send(msg, port, address));
    await one.hear(at('192.0.2.1'));
    expect(one.sources()).toEqual([undefined]);
  });

  test('leaves from the source that it names, if it names one', async () => {
    const one = await sticky();
    one.socket.on('message', (msg, { address, port }) =>
      one.socket.send(msg, { port, address, localAddress: '192.0.2.6' }),
    );
    await one.hear(at('192.0.2.1'));
    expect(one.sources()).toEqual(['192.0.2.6']);
  });

  test('is not sent to whom a block list names by then', async () => {
    const sendBlockList = new BlockList();
    const one = await sticky({ sendBlockList });
    const codes: unknown[] = [];
    one.socket.on('message', (msg, { address, port }) => {
      sendBlockList.addAddress(address);
      one.socket.send(msg, port, address, (error) => codes.push((error as NodeJS.ErrnoException | null)?.code));
    });
    await one.hear(at('192.0.2.1'));
    expect([codes, one.sources()]).toEqual([['ERR_IP_BLOCKED'], []]);
  });

  test("goes where the program's look-up says, from where that remote was heard", async () => {
    const asked: string[] = [];
    const lookup: SocketOptions['lookup'] = (name, _options, found) => {
      asked.push(name);
      found(null, name === from.address ? '198.51.100.2' : name, 4);
    };
    const one = await sticky({ lookup });
    one.socket.on('message', (msg, { address, port }) => one.socket.send(msg, port, address));
    const other: Peer = { address: '198.51.100.2', port: from.port };
    await one.hear(at('192.0.2.2', other));
    await one.hear(at('192.0.2.1'));
    expect(asked.slice(-2)).toEqual([other.address, from.address]);
    expect(one.net.host.syscalls.sent.map(({ to }) => to?.address)).toEqual([other.address, other.address]);
    expect(one.sources()).toEqual(['192.0.2.2', '192.0.2.2']);
  });

  test('goes without a source that has vanished, and so do those behind it', async () => {
    const one = await sticky();
    const { syscalls } = one.net.host;
    syscalls.bindResult = () => -99; // EADDRNOTAVAIL, when it is asked whether the address is still there
    const results = [-101]; // ENETUNREACH
    syscalls.sendResult = (count) => results.shift() ?? count;
    const large = Buffer.alloc(40_000); // which is sent at once
    one.socket.on('message', (_, { address, port }) => {
      for (let i = 0; i < 3; i++) one.socket.send(large, port, address);
    });
    await one.hear(at('192.0.2.1'));
    expect(one.sources()).toEqual([undefined, undefined, undefined]);
    expect(syscalls.calls.filter((call) => call === 'sendmmsg' || call === 'sendmsg')).toHaveLength(4);
  });

  test('goes to the peer where the listener has connected the socket, as with dgram, and names no source then', async () => {
    const one = await sticky();
    one.socket.on('message', (msg, { address, port }) => {
      one.socket.connectSync(port, address);
      one.socket.send(msg, port, address);
      one.socket.disconnect();
      one.socket.send(msg, port, address);
    });
    await one.hear(at('192.0.2.1'));
    expect(one.sources()).toEqual([undefined, '192.0.2.1']);
  });

  test('is refused when the listener has closed the socket', async () => {
    const one = await sticky();
    const codes: unknown[] = [];
    one.socket.on('message', (msg, { address, port }) => {
      one.socket.close();
      try {
        one.socket.send(msg, port, address);
      } catch (error) {
        codes.push((error as NodeJS.ErrnoException).code);
      }
    });
    await one.hear(at('192.0.2.1'));
    expect([codes, one.sources()]).toEqual([['ERR_SOCKET_DGRAM_NOT_RUNNING'], []]);
  });
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

  test.each<[string, (socket: Socket, port: number, address: string) => void]>([
    ['at once', (socket, port, address) => socket.send('x', port, address)],
    ['with options', (socket, port, address) => socket.send('x', { port, address, ttl: 9 })],
    ['from a block list', (socket, port, address) => socket.send('x', port, address)],
  ])('comes from the second, however the first was answered: %s', async (how, answer) => {
    const one = await sticky(how === 'from a block list' ? { sendBlockList: new BlockList() } : {});
    one.socket.once('message', (_, { address, port }) => answer(one.socket, port, address));
    await one.hear(at('192.0.2.1'));
    await one.hear(at('192.0.2.2'));
    await one.send();
    expect(one.sources()).toEqual(['192.0.2.1', '192.0.2.2']);
  });

  test('comes from the first, if the listener answered others alone, however often', async () => {
    const one = await sticky();
    const other: Peer = { address: from.address, port: 1002 };
    one.socket.once('message', () => {
      for (let i = 0; i < 3; i++) one.socket.send('x', other.port, other.address);
    });
    await one.hear(at('192.0.2.1'));
    await one.hear(at('192.0.2.2'));
    await one.send();
    expect(one.sources().at(-1)).toBe('192.0.2.1');
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
