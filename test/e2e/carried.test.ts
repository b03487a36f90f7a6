/** What a datagram carries, and what a socket is asked and told beyond dgram, on loopback. Namespaces are in test/e2e/netns. */

import { channel } from 'node:diagnostics_channel';
import { once } from 'node:events';
import { createSocket, type IcmpError, type RemoteInfo, type Socket, type SocketOptions } from '../../src/index';

const HOST = '127.0.0.1';
const linux = process.platform === 'linux';
const onLinux = linux ? test : test.skip;

const open: Socket[] = [];
afterEach(() => {
  for (const socket of open.splice(0)) if (socket.fd >= 0) socket.close();
});

async function bound(options: Partial<SocketOptions> = {}, address = HOST): Promise<Socket> {
  const socket = createSocket({ type: 'udp4', ...options });
  open.push(socket);
  await new Promise<void>((done, fail) => socket.once('error', fail).bind(0, address, done));
  socket.removeAllListeners('error');
  return socket;
}

const messages = (socket: Socket) => {
  const got: [text: string, rinfo: RemoteInfo][] = [];
  socket.on('message', (msg, rinfo) => got.push([String(msg), rinfo]));
  return got;
};

async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((resolve) => setTimeout(resolve, 1));
}

/** A port of this host that nobody listens on. */
async function closedPort(): Promise<number> {
  const socket = await bound();
  const { port } = socket.address();
  socket.close();
  return port;
}

describe('recvErrors', () => {
  onLinux('a port that nobody listens on is an icmp event, and no error of any datagram', async () => {
    const socket = await bound({ recvErrors: true });
    const got = messages(socket);
    const port = await closedPort();
    const outcomes: unknown[] = [];
    const icmp = once(socket, 'icmp') as Promise<[IcmpError]>;
    socket.send('lost', port, HOST, (error) => outcomes.push(error));
    const [error] = await icmp;
    expect(error).toMatchObject({
      code: 'ECONNREFUSED',
      type: 3,
      icmpCode: 3,
      origin: 'icmp',
      remote: { address: HOST, port },
      offender: HOST,
    });
    socket.send('next', socket.address().port, HOST, (error) => outcomes.push(error));
    await until(() => got.length === 1);
    expect(outcomes).toEqual([null, null]);
  });

  onLinux('on a connected socket, too, for IPv6 as well', async () => {
    for (const [type, address] of [
      ['udp4', HOST],
      ['udp6', '::1'],
    ] as const) {
      const socket = createSocket({ type, recvErrors: true });
      open.push(socket);
      const port = await closedPort();
      await new Promise<void>((done) => socket.connect(port, address, done));
      const failed = jest.fn();
      socket.on('error', failed);
      const outcomes: unknown[] = [];
      for (let i = 0; i < 3; i++) {
        const icmp = once(socket, 'icmp');
        socket.send('x', (error) => outcomes.push(error));
        expect((await icmp)[0]).toMatchObject({ code: 'ECONNREFUSED', remote: { address, port } });
      }
      expect([outcomes, failed.mock.calls]).toEqual([[null, null, null], []]);
    }
  });
});

describe('what is handed over', () => {
  test('msg owns an ArrayBuffer of exactly its size, below and above what V8 keeps on its heap', async () => {
    const socket = await bound();
    const got: Buffer[] = [];
    socket.on('message', (msg) => got.push(msg));
    for (const size of [0, 1, 64, 65, 1200])
      socket.sendSync(Buffer.alloc(size, 7), { port: socket.address().port, address: HOST });
    await until(() => got.length === 5);
    expect(got.map(({ length, byteOffset, buffer }) => [length, byteOffset, buffer.byteLength])).toEqual(
      [0, 1, 64, 65, 1200].map((size) => [size, 0, size]),
    );
    expect(got.every((msg) => Object.getPrototypeOf(msg) === Buffer.prototype)).toBe(true);
    const copy = structuredClone(got[4], { transfer: [got[4].buffer as ArrayBuffer] });
    expect([copy.length, got[4].length]).toEqual([1200, 0]);
  });

  onLinux('a datagram that was cut says how long it was', async () => {
    const socket = await bound({ maxDatagramSize: 4 });
    const got = messages(socket);
    socket.sendSync('123456789', { port: socket.address().port, address: HOST });
    await until(() => got.length === 1);
    expect(got[0]).toMatchObject(['1234', { size: 4, truncated: true, fullSize: 9 }]);
  });

  onLinux('what waited longer than maxQueueTime is counted and not delivered', async () => {
    const socket = await bound({ maxQueueTime: 100 }); // more than a busy machine keeps 'fresh' waiting
    const got = messages(socket);
    const to = { port: socket.address().port, address: HOST };
    socket.sendSync('stale', to);
    const end = Date.now() + 200;
    while (Date.now() < end); // nobody receives meanwhile
    await until(() => socket.stats().stale === 1);
    socket.sendSync('fresh', to);
    await until(() => got.length === 1);
    expect(got[0][0]).toBe('fresh');
    expect(Object.keys(got[0][1])).not.toContain('timestamp');
  });
});

describe('sending', () => {
  test('sendSync() has left when it returns, and throws what the kernel says', async () => {
    const socket = await bound();
    const got = messages(socket);
    const to = { port: socket.address().port, address: HOST };
    socket.send('first', to.port, to.address);
    expect(socket.sendSync('second', to)).toBe(6);
    await until(() => got.length === 2);
    expect(got.map(([text]) => text)).toEqual(['first', 'second']);
    expect(() => socket.sendSync(Buffer.alloc(70_000), to)).toThrow(expect.objectContaining({ code: 'EMSGSIZE' }));
    expect(() => socket.sendSync('x', { ...to, address: 'localhost' })).toThrow(
      expect.objectContaining({ code: 'ERR_INVALID_IP_ADDRESS' }),
    );
    expect(() => createSocket('udp4').sendSync('x', to)).toThrow(expect.objectContaining({ code: 'EBADF' }));
  });

  test.each([true, false])('segmentSize cuts a message, and calls back once (gso: %s)', async (gso) => {
    const receiver = await bound({ recvBufferSize: 1 << 20 });
    const sizes: number[] = [];
    receiver.on('message', (msg) => sizes.push(msg.length));
    const sender = await bound({ gso });
    const bytes = Buffer.alloc(100_001);
    const options = { port: receiver.address().port, address: HOST, segmentSize: 1000 };
    const outcome = await new Promise((done) => sender.send(bytes, options, (error, sent) => done([error, sent])));
    expect(outcome).toEqual([null, 100_001]);
    await until(() => sizes.length === 101);
    expect(sizes).toEqual([...Array<number>(100).fill(1000), 1]);
    if (gso && linux) expect(sender.stats().systemCallsOut).toBeLessThan(10);
  });

  onLinux.each([false, true])('EMSGSIZE is final, for send() and sendSync() (recvErrors: %s)', async (recvErrors) => {
    // A byte more than the loopback interface takes: with recvErrors the kernel queues that, too, each time.
    const socket = await bound({ mtuDiscover: 'do', recvErrors });
    socket.on('icmp', () => {});
    const to = { port: socket.address().port, address: HOST };
    const large = Buffer.alloc(65_508);
    for (let times = 1; times <= 2; times++) {
      const error = await new Promise((done) => socket.send(large, to.port, to.address, done));
      expect(error).toMatchObject({ code: 'EMSGSIZE', mtu: 65_535 });
      expect(() => socket.sendSync(large, to)).toThrow(expect.objectContaining({ code: 'EMSGSIZE', mtu: 65_535 }));
      expect(socket.stats()).toMatchObject({ sendErrors: 2 * times, errors: { EMSGSIZE: 2 * times } });
    }
  });
});

describe('the kernel', () => {
  onLinux("gro: 'runs' hands over what it has coalesced at once, gro: true each for itself", async () => {
    const sender = await bound();
    const send = (socket: Socket) =>
      sender.send(Buffer.alloc(10_500), { port: socket.address().port, address: HOST, segmentSize: 1000 });
    const runs = await bound({ gro: 'runs' });
    const each = await bound({ gro: true });
    const [gotRuns, gotEach] = [messages(runs), messages(each)];
    for (const socket of [runs, each]) send(socket);
    await until(() => gotRuns.length > 0 && gotEach.length === 11);
    expect(gotRuns.map(([text, { size, segmentSize }]) => [text.length, size, segmentSize])).toEqual([
      [10_500, 10_500, 1000],
    ]);
    expect(gotEach.map(([text, { size }]) => [text.length, size])).toEqual([
      ...Array<number[]>(10).fill([1000, 1000]),
      [500, 500],
    ]);
    expect([runs.stats().datagramsIn, each.stats().datagramsIn]).toEqual([11, 11]);
  });

  onLinux('a run is answered whole, cut as it came, from where it was asked: send(run, rinfo)', async () => {
    const server = await bound({ gro: 'runs' }, '0.0.0.0');
    server.on('message', (run, rinfo) => server.send(run, rinfo));
    const client = createSocket({ type: 'udp4' });
    open.push(client);
    const { port } = server.address();
    await new Promise<void>((done) => client.connect(port, '127.0.0.2', done)); // hears nobody else
    const got = messages(client);
    client.send(Buffer.alloc(10_500), { segmentSize: 1000 });
    await until(() => got.length === 11);
    expect(got.map(([, { size, address }]) => [size, address])).toEqual([
      ...Array<unknown>(10).fill([1000, '127.0.0.2']),
      [500, '127.0.0.2'],
    ]);
  });

  onLinux('reusePort: { steer } says which socket of the group takes a datagram', async () => {
    const load = [0x30, 0, 0, 0] as const; // the first byte of the payload: UDP's header is gone by now
    const first = await bound({ reusePort: { steer: [load, [0x16, 0, 0, 0]] } });
    const { port } = first.address();
    const second = createSocket({ type: 'udp4', reusePort: true });
    open.push(second);
    await new Promise<void>((done) => second.bind(port, HOST, done));
    const got = [messages(first), messages(second)];
    const sender = await bound();
    for (const byte of [0, 1, 1, 0, 1]) sender.sendSync(Buffer.of(byte), { port, address: HOST });
    await until(() => got[0].length + got[1].length === 5);
    expect(got.map((each) => each.map(([text]) => text.charCodeAt(0)))).toEqual([
      [0, 0],
      [1, 1, 1],
    ]);
    const byCpu = await bound({ reusePort: { steer: 'cpu' } });
    expect(byCpu.address().port).toBeGreaterThan(0);
  });
});

describe('the socket', () => {
  test('pause() keeps what comes in the kernel, resume() delivers it', async () => {
    const socket = await bound();
    const got = messages(socket);
    const to = { port: socket.address().port, address: HOST };
    socket.pause();
    socket.sendSync('x', to);
    await new Promise((resolve) => setTimeout(resolve, 20));
    expect([got.length, socket.getRecvQueueSize() > 0]).toEqual([0, true]);
    socket.resume();
    await until(() => got.length === 1);
  });

  test('setsockopt() and getsockopt() take any option, and any value that is one', async () => {
    const socket = await bound();
    const [SOL_SOCKET, SO_BROADCAST, SO_RCVBUF] = linux ? [1, 6, 8] : [0xffff, 0x20, 0x1002];
    socket.setsockopt(SOL_SOCKET, SO_BROADCAST, true);
    expect(socket.getsockopt(SOL_SOCKET, SO_BROADCAST)).not.toBe(0);
    expect(socket.getsockopt(SOL_SOCKET, SO_RCVBUF, 4).length).toBe(4);
    expect(() => socket.setsockopt(SOL_SOCKET, 9999, 1)).toThrow(expect.objectContaining({ code: 'ENOPROTOOPT' }));
    for (const wrong of [Number.NaN, {}, null, 2 ** 40, Buffer.alloc(0)]) {
      expect(() => socket.setsockopt(SOL_SOCKET, SO_BROADCAST, wrong as never)).toThrow(/value/);
    }
    expect(socket.setTypeOfService(0x28).getTypeOfService()).toBe(0x28);
  });

  onLinux('setFilter() lets through what a program says, and null everything', async () => {
    const socket = await bound();
    const got = messages(socket);
    const to = { port: socket.address().port, address: HOST };
    // The first byte behind UDP's header has to be 'a'.
    socket.setFilter([
      [0x30, 0, 0, 8],
      [0x15, 0, 1, 0x61],
      [0x06, 0, 0, 0xffffffff],
      [0x06, 0, 0, 0],
    ]);
    // Linux counts a filter in instructions of 8 bytes: never more than there is room for, and all of them.
    expect(socket.getsockopt(1, 26, 4)).toHaveLength(32);
    expect(() => socket.getsockopt(1, 26, 3)).toThrow(expect.objectContaining({ code: 'EINVAL' }));
    for (const text of ['abc', 'xyz', 'a']) socket.sendSync(text, to);
    await until(() => got.length === 2);
    socket.setFilter(null);
    socket.sendSync('xyz', to);
    await until(() => got.length === 3);
    expect(got.map(([text]) => text)).toEqual(['abc', 'a', 'xyz']);
    expect(() => socket.setFilter([] as never)).toThrow(expect.objectContaining({ code: 'ERR_INVALID_ARG_VALUE' }));
  });

  test('sourceFor() says what the kernel would send from, and fd is the descriptor', async () => {
    const any = await bound({}, '0.0.0.0');
    expect(any.sourceFor('127.0.0.9')).toBe(HOST);
    expect((await bound({}, '127.0.0.1')).sourceFor('127.0.0.9')).toBe(HOST);
    expect(() => any.sourceFor('nowhere')).toThrow(expect.objectContaining({ code: 'ERR_INVALID_IP_ADDRESS' }));
    expect([any.fd > 2, createSocket('udp4').fd]).toEqual([true, -1]);
  });

  test('split() gives a peer a socket of its own, on the address that it asked', async () => {
    const server = await bound({}, '0.0.0.0');
    const { port } = server.address();
    const client = await bound();
    const other = await bound();
    const [heardByClient, heardByServer] = [messages(client), messages(server)];
    client.sendSync('first', { port, address: linux ? '127.0.0.3' : HOST });
    await until(() => heardByServer.length === 1);
    const child = server.split(heardByServer[0][1]);
    open.push(child);
    const heardByChild = messages(child);
    client.sendSync('second', { port, address: linux ? '127.0.0.3' : HOST });
    other.sendSync('of another', { port, address: linux ? '127.0.0.3' : HOST });
    await until(() => heardByChild.length === 1 && heardByServer.length === 2);
    child.send('from the child');
    await until(() => heardByClient.length === 1);
    expect(heardByClient[0]).toMatchObject(['from the child', { address: linux ? '127.0.0.3' : HOST, port }]);
    expect([heardByChild[0][0], heardByServer[1][0]]).toEqual(['second', 'of another']);
    expect(child.remoteAddress().port).toBe(client.address().port);
  });

  onLinux('an option that the kernel refuses is an error that names it', async () => {
    const error = await bound({ bindToDevice: 'nosuchdevice' }).catch((failed: Error) => failed);
    expect(String(error)).toMatch(/ENODEV.*bindToDevice/);
  });

  onLinux('freebind binds to an address that is not here', async () => {
    const socket = await bound({ freebind: true }, '203.0.113.9');
    expect(socket.address().address).toBe('203.0.113.9');
  });

  test('a connected socket sends inside send(), as dgram does', async () => {
    const server = await bound();
    const client = createSocket('udp4');
    open.push(client);
    await new Promise<void>((done) => client.connect(server.address().port, HOST, done));
    client.send('bye');
    expect(client.stats().datagramsOut).toBe(1);
  });

  test('diagnostics_channel hears of what was dropped and refused', async () => {
    const heard: unknown[] = [];
    const listener = (message: unknown) => heard.push(message);
    channel('recvfromto:dropped').subscribe(listener);
    try {
      const socket = await bound({ accept: () => false });
      socket.sendSync('x', { port: socket.address().port, address: HOST });
      await until(() => heard.length === 1);
      expect(heard[0]).toMatchObject({ reason: 'filtered', socket });
    } finally {
      channel('recvfromto:dropped').unsubscribe(listener);
    }
  });
});

onLinux(
  'an answer to a rinfo does not leave with what was left of the TTL of its request, nor with its TOS',
  async () => {
    const [server, client] = [
      await bound({ recvTTL: true, recvTOS: true }),
      await bound({ recvTTL: true, recvTOS: true }),
    ];
    const answers = messages(client);
    server.on('message', (msg, rinfo) => {
      server.send(`to ${msg}`, rinfo);
      server.send(`as ${msg}`, { ...rinfo });
    });
    client.send('request', { port: server.address().port, address: HOST, ttl: 3, tos: 8 });
    await until(() => answers.length === 2);
    expect(answers.map(([text, { ttl, tos }]) => [text, ttl, tos])).toEqual([
      ['to request', 64, 0],
      ['as request', 3, 8],
    ]);
  },
);
