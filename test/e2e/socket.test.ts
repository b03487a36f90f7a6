/**
 * Sockets of this process on its loopback addresses, without root: what a program sees of them, and beside node:dgram
 * wherever dgram has an answer of its own. Who answers from where is loopback.test.ts.
 */
import { execFile } from 'node:child_process';
import * as dgram from 'node:dgram';
import { EventEmitter, once } from 'node:events';
import { closeSync, openSync, readdirSync, readlinkSync } from 'node:fs';
import { BlockList } from 'node:net';
import { promisify } from 'node:util';
import type { RemoteInfo, Socket, SocketOptions } from '../../src/index';
import * as recvfromto from '../../src/index';
import { compile } from '../runtime/child';

type Module = Pick<typeof dgram, 'createSocket'>;
const modules = { dgram: dgram as Module, recvfromto: recvfromto as unknown as Module };

const open = new Set<{ close(): unknown }>();

function make(options: Partial<SocketOptions> = {}): Socket {
  const socket = recvfromto.createSocket({ type: 'udp4', ...options });
  open.add(socket);
  socket.on('close', () => open.delete(socket));
  return socket;
}

async function bound(options: Partial<SocketOptions> = {}, address = '127.0.0.1'): Promise<Socket> {
  const socket = make(options);
  socket.bind(0, address);
  await once(socket, 'listening');
  return socket;
}

afterEach(() => {
  for (const socket of open) socket.close();
});

/** Texts as they come; `until(n)` waits for so many. */
function hearing(socket: Socket) {
  const texts: string[] = [];
  const rinfos: RemoteInfo[] = [];
  const more = new EventEmitter();
  socket.on('message', (msg, rinfo) => {
    texts.push(msg.toString('latin1'));
    rinfos.push(rinfo);
    more.emit('more');
  });
  const until = async (count: number) => {
    while (texts.length < count) await once(more, 'more');
  };
  return { texts, rinfos, until };
}

const sent = (send: (callback: (error: Error | null, bytes: number) => void) => void) =>
  new Promise<{ error: NodeJS.ErrnoException | null; bytes: number }>((resolve) =>
    send((error, bytes) => resolve({ error, bytes })),
  );

const plain = (error: unknown) => {
  const { name, code, message, syscall, errno } = error as NodeJS.ErrnoException;
  return { name, code, message, syscall, errno };
};

describe('misuse: the error of dgram, at once', () => {
  const detached = () => {
    const buffer = new ArrayBuffer(8);
    structuredClone(buffer, { transfer: [buffer] });
    return new Uint8Array(buffer);
  };
  const cases: Record<string, (socket: dgram.Socket) => unknown> = {
    'a port of 70000': (socket) => socket.send('x', 70000, '127.0.0.1'),
    'a port of 0': (socket) => socket.send('x', 0, '127.0.0.1'),
    'no port': (socket) => socket.send('x'),
    'an address that is no string': (socket) => socket.send('x', 9, 5 as never),
    'no message': (socket) => socket.send(5 as never, 9),
    'a detached buffer': (socket) => socket.send(detached(), 0, 8, 9, '127.0.0.1'),
    'an offset past the end': (socket) => socket.send('abc', 4, 0, 9, '127.0.0.1'),
    'a length past the end': (socket) => socket.send('abc', 1, 3, 9, '127.0.0.1'),
    'binding twice': (socket) => socket.bind(0),
    'a TTL of 0': (socket) => socket.setTTL(0),
    'a TTL that is no number': (socket) => socket.setTTL('1' as never),
    'a multicast TTL of 256': (socket) => socket.setMulticastTTL(256),
    'no group': (socket) => socket.addMembership(''),
    'a group that is none': (socket) => socket.addMembership('127.0.0.1'),
    'a group that was not joined': (socket) => socket.dropMembership('224.0.0.114'),
    'an interface that is none': (socket) => socket.setMulticastInterface('lo'),
    'a buffer size of -1': (socket) => socket.setRecvBufferSize(-1),
    'a buffer size of 2 ** 31': (socket) => socket.setSendBufferSize(2 ** 31),
    'disconnecting what is not connected': (socket) => socket.disconnect(),
    'the peer of what is not connected': (socket) => socket.remoteAddress(),
    'connecting to port 0': (socket) => socket.connect(0),
  };
  const outcome = async (module: Module, use: (socket: dgram.Socket) => unknown) => {
    const socket = module.createSocket('udp4');
    socket.bind(0, '127.0.0.1');
    await once(socket, 'listening');
    try {
      use(socket);
      return 'no error';
    } catch (error) {
      return plain(error);
    } finally {
      socket.close();
    }
  };
  test.each(Object.entries(cases))('%s', async (_, use) => {
    const expected = await outcome(modules.dgram, use);
    expect(expected).not.toBe('no error');
    expect(await outcome(modules.recvfromto, use)).toEqual(expected);
  });

  const methods: [string, ...unknown[]][] = [
    ['send', 'x', 9],
    ['bind', 0],
    ['connect', 9],
    ['address'],
    ['remoteAddress'],
    ['close'],
    ['addMembership', '224.0.0.114'],
    ['setMulticastInterface', '127.0.0.1'],
  ];
  test.each(methods)('%s() after close()', async (method, ...args) => {
    const onceClosed = (module: Module) => {
      const socket = module.createSocket('udp4').close() as unknown as Record<string, (...all: unknown[]) => void>;
      try {
        socket[method](...args);
        return 'no error';
      } catch (error) {
        return plain(error);
      }
    };
    expect(onceClosed(modules.recvfromto)).toEqual(onceClosed(modules.dgram));
    expect(onceClosed(modules.recvfromto)).toMatchObject({ code: 'ERR_SOCKET_DGRAM_NOT_RUNNING' });
  });

  const late: Record<string, (socket: dgram.Socket, callback: (error: Error | null) => void) => void> = {
    'a datagram that is too long': (socket, callback) => socket.send(Buffer.alloc(65508), 9, '127.0.0.1', callback),
    'a datagram that no buffer holds': (socket, callback) =>
      socket.send(Buffer.alloc(200_000), 9, '127.0.0.1', callback),
    'an address of the other family': (socket, callback) => socket.send('x', 9, '::1', callback),
    'broadcast without leave': (socket, callback) => socket.send('x', 9, '255.255.255.255', callback),
    'a host that is not found': (socket, callback) => socket.send('x', 9, 'no.such.host', callback),
  };
  test.each(Object.entries(late))('%s: in the callback, and the socket lives', async (_, use) => {
    const outcomes = [];
    for (const module of Object.values(modules)) {
      const lookup = (host: string, _options: unknown, found: (error: Error | null, address: string) => void) =>
        host === 'no.such.host' ? setImmediate(found, new Error('not found'), '') : process.nextTick(found, null, host);
      const socket = module.createSocket({ type: 'udp4', lookup: lookup as never });
      outcomes.push(plain(await new Promise((resolve) => use(socket, resolve))));
      const { error } = await sent((callback) => socket.send('x', 9, '127.0.0.1', callback));
      expect(error).toBeNull();
      socket.close();
    }
    expect(outcomes[1]).toEqual(outcomes[0]);
    expect(outcomes[0].message).toBeTruthy();
  });

  test('descriptors that are no UDP sockets: named, and left open', async () => {
    const file = openSync(__filename, 'r');
    for (const fd of [file, 12345]) {
      const errors = Object.values(modules).map((module) => {
        const socket = module.createSocket('udp4');
        try {
          socket.bind({ fd });
          return 'no error';
        } catch (error) {
          return plain(error);
        } finally {
          socket.close();
        }
      });
      expect(errors[1]).toEqual(errors[0]);
      expect(errors[1]).toMatchObject({ code: 'ERR_INVALID_FD_TYPE' });
    }
    closeSync(file); // EBADF if the socket had closed it
  });

  test('a port that is taken', async () => {
    const first = await bound();
    const { port } = first.address();
    const errors = [];
    for (const module of Object.values(modules)) {
      const socket = module.createSocket('udp4').bind(port, '127.0.0.1');
      errors.push(plain((await once(socket, 'error'))[0]));
      socket.close();
    }
    expect(errors[1]).toEqual(errors[0]);
    expect(errors[1]).toMatchObject({ code: 'EADDRINUSE', message: `bind EADDRINUSE 127.0.0.1:${port}` });
  });

  test('a source that is not ours', async () => {
    const socket = await bound({}, '0.0.0.0');
    const to = { port: 9, address: '127.0.0.1', localAddress: '203.0.113.7' };
    const { error } = await sent((callback) => socket.send('x', to, callback));
    expect(error).toMatchObject({ code: 'EADDRNOTAVAIL', syscall: 'send', localAddress: '203.0.113.7' });
    expect((await sent((callback) => socket.send('x', 9, '127.0.0.1', callback))).error).toBeNull();
  });
});

describe('order', () => {
  test('20 of 20 with await once(socket, "message"), ticks and promises between them', async () => {
    const receiver = await bound();
    const sender = await bound();
    for (let i = 0; i < 20; i++) sender.send(String(i), receiver.address().port, '127.0.0.1');
    for (let i = 0; i < 20; i++) {
      const [msg] = (await once(receiver, 'message')) as [Buffer];
      expect(msg.toString()).toBe(String(i));
      await new Promise<void>((resolve) => process.nextTick(resolve));
    }
  });

  test('async context: as dgram gives it', async () => {
    const { AsyncLocalStorage } = await import('node:async_hooks');
    const storage = new AsyncLocalStorage<string>();
    const seen = async (module: Module) => {
      const log: Record<string, string | undefined> = {};
      const note = (name: string) => () => {
        log[name] = storage.getStore();
      };
      const socket = storage.run('made', () => module.createSocket('udp4'));
      socket.on('message', note('message')).on('listening', note('listening')).on('close', note('close'));
      storage.run('bound', () => socket.bind(0, '127.0.0.1'));
      await once(socket, 'listening');
      const heard = once(socket, 'message');
      await new Promise<void>((done) => {
        storage.run('sent', () =>
          socket.send('x', socket.address().port, '127.0.0.1', () => {
            note('callback')();
            done();
          }),
        );
      });
      await heard;
      const closed = once(socket, 'close');
      storage.run('closed', () => socket.close());
      await closed;
      return log;
    };
    const expected = await seen(modules.dgram);
    expect(expected).toMatchObject({ message: 'made', callback: 'sent' });
    expect(await seen(modules.recvfromto)).toEqual(expected);
  });
});

describe('datagrams of every size', () => {
  test.each([0, 1, 1472, 9000, 65507])('%i bytes', async (size) => {
    const receiver = await bound();
    const sender = await bound();
    const bytes = Buffer.alloc(size, 'abc');
    const heard = once(receiver, 'message');
    const outcome = await sent((callback) => sender.send(bytes, receiver.address().port, '127.0.0.1', callback));
    expect(outcome).toEqual({ error: null, bytes: size });
    const [msg, rinfo] = (await heard) as [Buffer, RemoteInfo];
    expect(msg.equals(bytes)).toBe(true);
    expect(rinfo).toMatchObject({ size, address: '127.0.0.1', port: sender.address().port });
    expect('truncated' in rinfo).toBe(false);
  });

  test.each([
    {},
    { ownBuffers: false },
    { maxDatagramSize: 9000 },
  ])('large ones of one size, and others among them: %j', async (options) => {
    const [server, client] = [await bound(options), await bound()];
    const sizes = [
      8192, 8192, 8192, 8192, 5, 8192, 8192, 8192, 9000, 8192, 8192, 0, 8192, 8192, 8191, 65507, 65507, 65507, 65507,
    ];
    const kept = options.maxDatagramSize ?? 65535;
    const heard: Buffer[] = [];
    for (const [i, size] of sizes.entries()) {
      client.send(Buffer.alloc(size, `${i},`), server.address().port, '127.0.0.1');
      heard.push((await once(server, 'message'))[0]);
    }
    // Looked at when all have come: nothing is written to what a listener has.
    const wrong = sizes.filter((size, i) => !heard[i].equals(Buffer.alloc(size, `${i},`).subarray(0, kept)));
    expect(wrong).toEqual([]);
    expect(server.stats()).toMatchObject({
      discarded: 0,
      bytesIn: sizes.reduce((sum, size) => sum + Math.min(size, kept), 0),
    });
  });

  test('longer than maxDatagramSize: cut, and said so', async () => {
    const receiver = await bound({ maxDatagramSize: 100 });
    const { texts, rinfos, until } = hearing(receiver);
    for (const size of [99, 100, 101, 5000]) receiver.send(Buffer.alloc(size, 'x'), receiver.address().port);
    await until(4);
    expect(texts.map((text) => text.length)).toEqual([99, 100, 100, 100]);
    expect(rinfos.map(({ truncated }) => truncated)).toEqual([undefined, undefined, true, true]);
    expect(receiver.stats().truncated).toBe(2);
  });
});

test('10,000 datagrams between a connected pair are all accounted for', async () => {
  const COUNT = 10_000;
  const receiver = await bound({ recvDrops: true });
  const sender = await bound();
  const { texts, until } = hearing(receiver);
  sender.connect(receiver.address().port, '127.0.0.1');
  await once(sender, 'connect');
  let callbacks = 0;
  for (let i = 0; i < COUNT; i++) {
    sender.send(String(i), (error) => {
      if (error) throw error;
      callbacks++;
    });
    // Far from what a receive buffer holds, but many batches.
    if (i % 100 === 99) await until(i + 1 - receiver.stats().droppedByKernel);
  }
  // The counter of drops comes with the datagrams after them.
  while (texts.length + receiver.stats().droppedByKernel < COUNT) await until(texts.length + 1);
  expect(callbacks).toBe(COUNT);
  expect(sender.stats()).toMatchObject({ datagramsOut: COUNT, sendErrors: 0 });
  expect(receiver.stats()).toMatchObject({
    datagramsIn: texts.length,
    discarded: 0,
    filtered: 0,
    destinationUnknown: 0,
  });
  expect(new Set(texts).size).toBe(texts.length);
  expect(texts.map(Number)).toEqual(texts.map(Number).sort((a, b) => a - b));
});

describe('our own ways', () => {
  test('sendMany() and messages', async () => {
    const receiver = await bound();
    const sender = await bound();
    const batches: string[][] = [];
    const all = new Promise<void>((done) => {
      receiver.on('messages', (batch) => {
        batches.push(batch.map(({ msg }) => msg.toString()));
        if (batches.flat().length === 100) done();
      });
    });
    const texts = Array.from({ length: 100 }, (_, i) => `datagram ${i}`);
    const { port } = receiver.address();
    const outcome = await new Promise((resolve) => {
      sender.sendMany(
        texts.map((msg) => ({ msg, port, address: '127.0.0.1' })),
        (error, count) => resolve([error, count]),
      );
    });
    await all;
    expect(outcome).toEqual([null, 100]);
    expect(batches.flat()).toEqual(texts);
    expect(batches.length).toBeLessThan(100);
    expect(sender.stats().systemCallsOut).toBeLessThan(10);
  });

  test('for await: every message, and leaving the loop closes', async () => {
    const socket = await bound();
    const { port } = socket.address();
    const sender = await bound();
    const closed = once(socket, 'close');
    setImmediate(() => {
      for (const text of ['a', 'b', 'c']) sender.send(text, port, '127.0.0.1');
    });
    const texts: string[] = [];
    for await (const [msg, rinfo] of socket) {
      expect(rinfo.localAddress).toBe('127.0.0.1');
      texts.push(msg.toString());
      if (texts.length === 3) break;
    }
    await closed;
    expect(texts).toEqual(['a', 'b', 'c']);
  });

  test('for await ends when the socket is closed, and at once on a closed one', async () => {
    const socket = await bound();
    setImmediate(() => socket.close());
    for await (const _ of socket) throw new Error('nothing was sent');
    for await (const _ of socket) throw new Error('it is closed');
  });

  test('accept', async () => {
    const deliver = async (options: Partial<SocketOptions>) => {
      const socket = await bound(options, '0.0.0.0');
      const { texts, until } = hearing(socket);
      for (const address of ['127.0.0.1', '127.0.0.2']) socket.send(address, socket.address().port, address);
      socket.send('end', socket.address().port, '127.0.0.1');
      await until(1);
      while (socket.stats().datagramsIn < 3) await new Promise((resolve) => setImmediate(resolve));
      await new Promise((resolve) => setImmediate(resolve));
      return [texts.filter((text) => text !== 'end'), socket.stats().filtered];
    };
    expect(await deliver({ accept: { destinations: ['127.0.0.1'] } })).toEqual([['127.0.0.1'], 1]);
    expect(await deliver({ accept: { destinations: ['127.0.0.0/8'] } })).toEqual([['127.0.0.1', '127.0.0.2'], 0]);
    expect(await deliver({ accept: { interfaces: ['lo'] } })).toEqual([['127.0.0.1', '127.0.0.2'], 0]);
    expect(await deliver({ accept: ({ address }) => address === '127.0.0.1' })).toEqual([['127.0.0.1'], 1]);
  });

  test('block lists', async () => {
    const list = new BlockList();
    list.addAddress('127.0.0.2');
    const receiver = await bound({ receiveBlockList: list }, '0.0.0.0');
    const { texts, until } = hearing(receiver);
    const blocked = await bound({}, '127.0.0.2');
    const welcome = await bound({ sendBlockList: list });
    const { port } = receiver.address();
    await sent((callback) => blocked.send('blocked', port, '127.0.0.1', callback));
    welcome.send('welcome', port, '127.0.0.1');
    await until(1);
    expect([texts, receiver.stats().filtered]).toEqual([['welcome'], 1]);
    const { error } = await sent((callback) => welcome.send('x', port, '127.0.0.2', callback));
    expect(error).toMatchObject({ code: 'ERR_IP_BLOCKED' });
    const failed = await new Promise((resolve) => welcome.connect(port, '127.0.0.2', resolve as () => void));
    expect(failed).toMatchObject({ code: 'ERR_IP_BLOCKED' });
  });

  test('connect and disconnect', async () => {
    const socket = await bound({}, '0.0.0.0');
    const peer = await bound();
    const { texts, until } = hearing(peer);
    socket.connect(peer.address().port, '127.0.0.1');
    await once(socket, 'connect');
    expect(socket.remoteAddress()).toEqual(peer.address());
    socket.send('one');
    socket.send('a two b', 2, 3);
    socket.disconnect();
    expect(() => socket.remoteAddress()).toThrow(expect.objectContaining({ code: 'ERR_SOCKET_DGRAM_NOT_CONNECTED' }));
    socket.send('three', peer.address().port, '127.0.0.1');
    await until(3);
    expect(texts).toEqual(['one', 'two', 'three']);
  });

  test('after disconnect() the port may be another one, and rinfo says so', async () => {
    const socket = await bound({}, '0.0.0.0');
    const peer = await bound();
    const { rinfos, until } = hearing(socket);
    peer.on('message', (msg, { port }) => peer.send(msg, port, '127.0.0.1'));
    for (let round = 1; round < 4; round++) {
      socket.connect(peer.address().port, '127.0.0.1');
      await once(socket, 'connect');
      if (round === 2) socket.send('connected');
      else {
        socket.disconnect();
        socket.send('x', peer.address().port, '127.0.0.1');
      }
      await until(round);
      expect(rinfos.at(-1)?.destination?.port).toBe(socket.address().port);
      if (round === 2) socket.disconnect();
    }
  });

  test('nobody listens there: ECONNREFUSED as dgram gives it, and the socket lives', async () => {
    const refused = async (module: Module) => {
      const gone = dgram.createSocket('udp4').bind(0, '127.0.0.1');
      await once(gone, 'listening');
      const { port } = gone.address();
      await promisify(gone.close.bind(gone))();
      const socket = module.createSocket('udp4');
      socket.connect(port, '127.0.0.1');
      await once(socket, 'connect');
      const heard = once(socket, 'error');
      socket.send('x');
      const [error] = await heard;
      socket.close();
      return plain(error);
    };
    expect(await refused(modules.recvfromto)).toEqual(await refused(modules.dgram));
  });

  test('a group on the loopback', async () => {
    const socket = await bound({ reuseAddr: true }, '0.0.0.0');
    const { rinfos, until } = hearing(socket);
    socket.addMembership('239.1.2.3', '127.0.0.1');
    socket.setMulticastInterface('127.0.0.1');
    socket.setMulticastLoopback(true);
    socket.setMulticastTTL(0);
    const sender = await bound({}, '0.0.0.0');
    sender.setMulticastInterface('127.0.0.1');
    sender.send('group', socket.address().port, '239.1.2.3');
    await until(1);
    expect(rinfos[0]).toMatchObject({
      localAddress: '127.0.0.1',
      destination: { address: '239.1.2.3', interface: 'lo' },
    });
    const answered = once(sender, 'message');
    socket.reply('answer', rinfos[0]);
    expect(((await answered) as [Buffer, RemoteInfo])[1].address).toBe('127.0.0.1');
    socket.dropMembership('239.1.2.3', '127.0.0.1');
    expect(() => socket.dropMembership('239.1.2.3', '127.0.0.1')).toThrow(
      expect.objectContaining({ code: 'EADDRNOTAVAIL', syscall: 'dropMembership' }),
    );
  });

  test('buffer sizes, as the kernel counts them', async () => {
    const ours = await bound({ recvBufferSize: 100_000, sendBufferSize: 50_000 });
    const theirs = dgram.createSocket({ type: 'udp4', recvBufferSize: 100_000, sendBufferSize: 50_000 }).bind(0);
    await once(theirs, 'listening');
    expect(ours.getRecvBufferSize()).toBe(theirs.getRecvBufferSize());
    expect(ours.getSendBufferSize()).toBe(theirs.getSendBufferSize());
    theirs.close();
  });

  test('signal and asyncDispose', async () => {
    const controller = new AbortController();
    const socket = await bound({ signal: controller.signal });
    const closed = once(socket, 'close');
    controller.abort();
    await closed;
    const other = await bound();
    let closes = 0;
    other.on('close', () => closes++);
    await other[Symbol.asyncDispose]();
    await other[Symbol.asyncDispose]();
    expect(closes).toBe(1);
  });

  test.each<[string, (socket: Socket, aborter: AbortController) => unknown]>([
    ['a signal', (_, aborter) => aborter.abort()],
    ['dispose', (socket) => socket[Symbol.asyncDispose]()],
    ['the end of a loop', (socket) => socket[Symbol.asyncIterator]().return()],
  ])('%s closes what waits for bind() to be closed, or fails to be bound', async (_, close) => {
    for (const [address, closedBefore] of [
      ['127.0.0.1', true],
      ['192.0.2.1', true],
      ['192.0.2.1', false],
    ] as const) {
      const aborter = new AbortController();
      const socket = recvfromto.createSocket({ type: 'udp4', signal: aborter.signal });
      const closed = new Promise<void>((done) => socket.once('close', done));
      const failed = jest.fn();
      socket.on('error', failed);
      socket.bind(0, address);
      socket.send('x', 9, '127.0.0.1');
      if (closedBefore) socket.close();
      close(socket, aborter);
      await closed;
      expect(failed).toHaveBeenCalledTimes(address === '127.0.0.1' ? 0 : 1);
    }
  });

  test('what a loop leaves unread is bounded, and counted', async () => {
    const [socket, sender] = [await bound(), await bound()];
    const messages = socket[Symbol.asyncIterator]();
    const sent = 1024 + 100;
    for (let i = 0; i < sent; i++) {
      sender.sendSync(String(i), { port: socket.address().port, address: '127.0.0.1' });
      while (socket.stats().datagramsIn <= i) await new Promise((done) => setImmediate(done));
    }
    expect(socket.stats().unread).toBe(100);
    for (let i = 0; i < 1024; i++) expect(String((await messages.next()).value?.[0])).toBe(String(i));
  });
});

describe('closing', () => {
  test.each<[string, (socket: Socket) => unknown]>([
    ['all of its listeners', (socket) => socket.removeAllListeners()],
    ["those of 'listening'", (socket) => socket.removeAllListeners('listening')],
  ])('what waits for bind() is done, and the socket can be closed, whatever becomes of %s', async (_, deed) => {
    const socket = recvfromto.createSocket('udp4');
    const sent = new Promise((done) => socket.send('x', 9, '127.0.0.1', done));
    deed(socket);
    expect(await sent).toBeNull();
    await new Promise<void>((done) => socket.close(done));
  });

  test('what waits for a bind() that fails is forgotten, and the socket can be closed, though nobody listens', async () => {
    const socket = recvfromto.createSocket('udp4');
    socket.bind(0, '192.0.2.1');
    const replied = new Promise((done) => socket.reply('x', { address: '127.0.0.1', family: 'IPv4', port: 9 }, done));
    socket.removeAllListeners();
    const failed = jest.fn();
    socket.on('error', failed);
    expect(await replied).toMatchObject({ code: 'EADDRNOTAVAIL' });
    expect(failed).toHaveBeenCalledTimes(1);
    await new Promise<void>((done) => socket.close(done));
  });

  test('before it is bound, while it is being bound, from a callback, from a listener, with sends in flight', async () => {
    const ways: readonly ((socket: Socket) => void)[] = [
      (socket) => socket.close(),
      (socket) => socket.bind(0).close(),
      (socket) => socket.bind(0, () => socket.close()),
      (socket) => socket.send('x', 9, '127.0.0.1', () => socket.close()),
      (socket) => {
        socket.send('x', 9, '127.0.0.1');
        socket.close();
      },
      (socket) => {
        socket.on('message', () => socket.close());
        socket.bind(0, '127.0.0.1', () => socket.send('x', socket.address().port));
      },
    ];
    for (const way of ways) {
      const socket = make();
      const closed = once(socket, 'close');
      way(socket);
      await closed;
    }
  });

  test('no descriptor stays', async () => {
    if (process.platform !== 'linux') return;
    // One that waits for many sockets (ffi/wait/many.ts) is closed a second after the last of them.
    const isSet = (fd: string) => {
      try {
        return readlinkSync(`/proc/self/fd/${fd}`) === 'anon_inode:[eventpoll]';
      } catch {
        return true; // the folder itself
      }
    };
    const descriptors = () => readdirSync('/proc/self/fd').filter((fd) => !isSet(fd)).length;
    await (await bound())[Symbol.asyncDispose]();
    const before = descriptors();
    const sockets = await Promise.all(Array.from({ length: 200 }, () => bound()));
    expect(descriptors()).toBeGreaterThanOrEqual(before + 200);
    await Promise.all(sockets.map((socket) => socket[Symbol.asyncDispose]()));
    const taken = await bound();
    for (let i = 0; i < 20; i++) {
      const socket = make();
      socket.bind(taken.address().port, '127.0.0.1');
      await once(socket, 'error');
      socket.close();
    }
    await taken[Symbol.asyncDispose]();
    expect(descriptors()).toBe(before);
  });
});

describe('a process of its own', () => {
  let compiled: ReturnType<typeof compile>;
  beforeAll(() => {
    compiled = compile();
  });
  afterAll(() => compiled.remove());

  async function run(script: string): Promise<{ stdout: string; code: number }> {
    const program = `const { createSocket } = require(${JSON.stringify(`${compiled.folder}/index.js`)});\n${script}`;
    return new Promise((done) => {
      execFile(process.execPath, ['-e', program], { timeout: 20_000 }, (error, stdout) => {
        done({ stdout, code: error === null ? 0 : Number(error.code ?? -1) });
      });
    });
  }

  test('a listener that throws: uncaughtException, and the rest is delivered', async () => {
    const { stdout, code } = await run(`
      const socket = createSocket('udp4');
      process.on('uncaughtException', (error) => console.log('uncaught', error.message));
      let count = 0;
      socket.on('message', (msg) => {
        console.log(String(msg));
        if (++count === 5) socket.close();
        if (count === 2) throw new Error('mine');
      });
      socket.bind(0, '127.0.0.1', () => {
        for (let i = 0; i < 5; i++) socket.send(String(i), socket.address().port, '127.0.0.1');
      });`);
    expect([stdout.split('\n'), code]).toEqual([['0', '1', 'uncaught mine', '2', '3', '4', ''], 0]);
  });

  test('an unref()ed socket does not keep the process, a ref()ed one does until it is closed', async () => {
    const { stdout, code } = await run(`
      createSocket('udp4').unref().bind(0);
      createSocket('udp4').bind(0).unref();
      const kept = createSocket('udp4').unref().bind(0, () => setTimeout(() => kept.close(() => console.log('closed')), 50).unref());
      kept.ref();`);
    expect([stdout, code]).toEqual(['closed\n', 0]);
  });

  test('bad input of all kinds: the process lives', async () => {
    const { stdout, code } = await run(`
      const socket = createSocket('udp4');
      const bad = [undefined, null, -1, 70000, 'x', {}, [], NaN, 10n, Symbol(), () => {}, new Uint8Array(0)];
      let thrown = 0;
      for (const method of ['send', 'reply', 'sendMany', 'connect', 'setTTL', 'addMembership', 'setRecvBufferSize'])
        for (const a of bad) for (const b of bad) try { socket[method](a, b) } catch { thrown++ }
      socket.on('error', () => {});
      setTimeout(() => { console.log(thrown > 500); process.exit() }, 100);`);
    expect([stdout, code]).toEqual(['true\n', 0]);
  });
});
