/** What a program may hand in by mistake or malice: said at once and clearly, and nothing else is harmed by it. */
import type { RemoteInfo } from '../../../src/types';
import { FakeNet, settled } from '../../support/fake-socket';

const TO = [9, '192.0.2.9'] as const;

function detached(): Uint8Array {
  const bytes = new Uint8Array(3);
  structuredClone(bytes, { transfer: [bytes.buffer] });
  return bytes;
}

describe('bytes', () => {
  test.each([
    'first',
    'later',
  ])('that are detached are sent as what they look like, as dgram does; %s', async (when) => {
    const net = new FakeNet();
    const { socket } = await net.bound();
    if (when === 'later') {
      socket.send('before', ...TO);
      await settled();
    }
    net.host.syscalls.sent.length = 0;
    socket.send(detached(), ...TO);
    expect(() => socket.send([Buffer.from('a'), detached()], ...TO)).toThrow(/detached/);
    socket.send('after', ...TO);
    await settled();
    expect(net.payloads).toEqual(['', 'after']);
  });

  test('that are detached while the socket binds likewise', async () => {
    const net = new FakeNet();
    const socket = net.make();
    const bytes = new Uint8Array(3);
    const outcome = new Promise<Error | null>((done) => socket.send(bytes, ...TO, done));
    structuredClone(bytes, { transfer: [bytes.buffer] });
    socket.send('after', ...TO);
    expect(await outcome).toBeNull();
    await settled();
    expect(net.payloads).toEqual(['', 'after']);
  });

  test('are what they are, whatever their class says', async () => {
    class Liar extends Uint8Array {
      override get length() {
        return 3;
      }
      override subarray(): this {
        return { length: -100_000 } as unknown as this;
      }
    }
    class Parts extends Array<Uint8Array> {
      override map(): never[] {
        return [{ length: -100_000 } as never];
      }
    }
    const net = new FakeNet();
    const { socket } = await net.bound();
    const liar = new Liar(Buffer.from('four'));
    socket.send(liar, ...TO);
    socket.send(liar, 1, 2, ...TO);
    socket.send(Parts.from([Buffer.from('part')]) as unknown as Uint8Array[], ...TO);
    socket.send('after', ...TO);
    await settled();
    expect(net.payloads).toEqual(['four', 'ou', 'part', 'after']);
  });

  test('in a list with holes: dgram’s error', async () => {
    const net = new FakeNet();
    const { socket } = await net.bound();
    const holes = new Array<string>(2);
    expect(() => socket.send(holes, ...TO)).toThrow(expect.objectContaining({ code: 'ERR_INVALID_ARG_TYPE' }));
  });
});

describe('a block list that closes the socket', () => {
  test('send() and reply(): canceled, and nothing goes to the descriptor', async () => {
    const net = new FakeNet();
    const outcomes: unknown[] = [];
    for (const how of ['send', 'reply'] as const) {
      const check = () => {
        socket.close();
        return false;
      };
      const { socket } = await net.bound({ sendBlockList: { check } });
      const heard = (error: Error | null) => outcomes.push((error as NodeJS.ErrnoException | null)?.code);
      if (how === 'send') socket.send('x', ...TO, heard);
      else socket.reply('x', { address: '192.0.2.9', port: 9, family: 'IPv4', size: 1 } as RemoteInfo, heard);
      await settled();
    }
    expect(outcomes).toEqual(['ECANCELED', 'ECANCELED']);
    expect(net.host.syscalls.sent).toEqual([]);
  });

  test('connect(): nothing more happens; connectSync(): not running', async () => {
    const net = new FakeNet();
    const closing = () => {
      const check = () => {
        made.socket.close();
        return false;
      };
      const made = {} as Awaited<ReturnType<FakeNet['bound']>>;
      return net.bound({ sendBlockList: { check } }).then((bound) => Object.assign(made, bound));
    };
    const first = await closing();
    const after = jest.fn();
    first.socket.connect(...TO, after);
    await settled();
    expect(after).not.toHaveBeenCalled();
    const second = await closing();
    const code = 'ERR_SOCKET_DGRAM_NOT_RUNNING';
    expect(() => second.socket.connectSync(...TO)).toThrow(expect.objectContaining({ code }));
    expect(net.host.syscalls.calls).not.toContain('connect');
  });
});

test('a block list that throws in the middle of sendMany(): that datagram’s error, and the others leave', async () => {
  const net = new FakeNet();
  let calls = 0;
  const check = () => {
    if (++calls === 2) throw new Error('broken list');
    return false;
  };
  const { socket } = await net.bound({ sendBlockList: { check } });
  const done = jest.fn();
  socket.sendMany(
    ['a', 'b', 'c'].map((msg) => ({ msg, port: 9, address: '192.0.2.9' })),
    done,
  );
  await settled();
  expect(done.mock.calls).toEqual([[expect.objectContaining({ message: 'broken list' }), 2]]);
  expect(net.payloads).toEqual(['a', 'c']);
  expect(socket.stats()).toMatchObject({ datagramsOut: 2, sendErrors: 1 });
});

test('close() during the look-up of a name: dgram forgets the callback, but the loss is counted', async () => {
  const net = new FakeNet();
  let found = () => {};
  const lookup = (host: string, _: unknown, done: (error: null, address: string) => void) => {
    if (host === 'name.test') found = () => done(null, '192.0.2.9');
    else done(null, host);
  };
  const { socket } = await net.bound({ lookup: lookup as never });
  const callback = jest.fn();
  socket.send('x', 9, 'name.test', callback);
  socket.close();
  found();
  await settled();
  expect(callback).not.toHaveBeenCalled();
  expect(socket.stats()).toMatchObject({ datagramsOut: 0, sendErrors: 1 });
});

describe('what is no rinfo', () => {
  const bad: [string, object][] = [
    ['an address that is no string', { address: { toString: () => '192.0.2.9' } }],
    ['a local address that is no string', { localAddress: { toString: () => '192.0.2.1' } }],
    ['no address', { address: undefined }],
  ];
  test.each(bad)('%s', async (_, part) => {
    const net = new FakeNet();
    const { socket } = await net.bound();
    const rinfo = { address: '192.0.2.9', port: 9, family: 'IPv4', size: 1, ...part } as RemoteInfo;
    const code = 'ERR_INVALID_IP_ADDRESS';
    expect(() => socket.reply('x', rinfo)).toThrow(expect.objectContaining({ code }));
  });

  test.each([
    5n,
    'lo',
    -1,
    1.5,
    2 ** 40,
    Number.NaN,
    {},
    Symbol('5'),
  ])('an index like %p: routing decides', async (ifindex) => {
    const net = new FakeNet();
    const { socket } = await net.bound({ replyInterface: 'ingress' });
    const destination = { ifindex } as unknown as RemoteInfo['destination'];
    socket.reply('x', { address: '192.0.2.9', port: 9, family: 'IPv4', size: 1, destination } as RemoteInfo);
    socket.reply('y', { address: '192.0.2.9', port: 9, family: 'IPv4', size: 1 } as RemoteInfo);
    await settled();
    expect(net.host.syscalls.sent).toMatchObject([
      { payload: 'x', control: [] },
      { payload: 'y', control: [] },
    ]);
  });
});

test.each(['adopt', 'watch'])('a descriptor of the primary’s that cannot be used is given back; %s', async (what) => {
  const cluster = require('node:cluster');
  const { isWorker, _getServer } = cluster;
  const net = new FakeNet();
  const fd = what === 'watch' ? net.host.syscalls.socket(2) : 99;
  const handle = { fd, close: jest.fn(), recvStart: () => {} };
  if (what === 'watch') net.host.readiness.refuse = new Error('EEXIST');
  cluster._getServer = (_: unknown, __: unknown, answer: (errno: number, handle: object) => void) =>
    setImmediate(() => answer(0, handle));
  cluster.isWorker = true;
  try {
    const socket = net.make();
    const failed = jest.fn();
    socket.on('error', failed);
    socket.bind(53);
    await settled();
    expect(failed).toHaveBeenCalledTimes(1);
    expect(handle.close).toHaveBeenCalledTimes(1);
    socket.close();
    expect(handle.close).toHaveBeenCalledTimes(1);
  } finally {
    Object.assign(cluster, { isWorker, _getServer });
  }
});
