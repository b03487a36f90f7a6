/** What the kernels' habits of truth.test.ts do to users, as it should be. */
import { Socket } from '../../src/socket/socket';
import type { DarwinKernel } from './darwin';
import { bytesOf } from './net';
import { models, PORT, World } from './world';

const XNU = 'darwin-arm64';
const FREEBSD = 'freebsd-x64';
type Code = NodeJS.ErrnoException | null;

/** Also 'error', which events.once() would throw. */
const once = (socket: Socket, event: string) =>
  new Promise<unknown[]>((done) => socket.once(event as 'error', (...args) => done(args)));

let world: World;
afterEach(() => world.close());

describe.each([XNU, FREEBSD])('%s', (os) => {
  beforeEach(() => {
    world = new World(os);
  });

  test('a udp6 socket that is bound to ::ffff:10.0.0.2 says IPv6, and answers', async () => {
    const { messages, answers } = await world.bind({ type: 'udp6' }, { address: '::ffff:10.0.0.2' });
    world.near.send('10.0.0.2', PORT, 'x');
    await world.quiet();
    expect(messages[0].rinfo).toMatchObject({ family: 'IPv6', address: '::ffff:10.0.0.9', port: 4000 });
    expect(answers).toEqual([null]);
    expect(world.near.heard).toEqual(['X from 10.0.0.2']);
  });

  // The kernel neither says where a datagram went nor takes a source there: an AF_INET descriptor stands in.
  test('one that is bound to ::ffff:0.0.0.0 answers from the address that was asked', async () => {
    const { socket, messages, answers } = await world.bind({ type: 'udp6' }, { address: '::ffff:0.0.0.0' });
    world.near.send('10.0.0.2', PORT, 'x');
    await world.quiet();
    expect(messages[0].rinfo).toMatchObject({
      ...{ family: 'IPv6', address: '::ffff:10.0.0.9', localAddress: '::ffff:10.0.0.2' },
      destination: { address: '::ffff:10.0.0.2', family: 'IPv6' },
    });
    expect(answers).toEqual([null]);
    expect(world.near.heard).toEqual(['X from 10.0.0.2']);
    expect(socket.address()).toEqual({ address: '::ffff:0.0.0.0', family: 'IPv6', port: PORT });
  });

  test('it is a udp6 socket in everything else: send(), localAddress, TTL, connect(), disconnect(), broadcasts', async () => {
    const { socket, messages } = await world.bind({ type: 'udp6' }, { address: '::ffff:0.0.0.0' }, () => {});
    const send = (msg: string, options: object) =>
      new Promise<Code>((done) => socket.send(msg, options as { port: number }, (error) => done(error as Code)));
    socket.setTTL(7);
    const peer = { port: 4000, address: '::ffff:10.0.0.9' };
    expect(await send('a', { ...peer, localAddress: '::ffff:10.0.0.3' })).toBeNull();
    expect(await send('b', { port: 4000, address: '10.0.0.9' })).toMatchObject({ code: 'EINVAL' });
    expect(await send('c', { ...peer, localAddress: '::ffff:192.0.2.99' })).toMatchObject({
      ...{ code: 'EADDRNOTAVAIL', address: '::ffff:10.0.0.9', localAddress: '::ffff:192.0.2.99' },
    });
    expect(await send('d', { port: 4000, address: '2001:db8::9' })).toHaveProperty('code');
    await new Promise<void>((done) => socket.connect(4000, '::ffff:10.0.0.9', done));
    expect(socket.remoteAddress()).toEqual({ address: '::ffff:10.0.0.9', family: 'IPv6', port: 4000 });
    socket.disconnect();
    for (const address of ['10.0.0.2', '2001:db8::2', '10.0.0.255']) world.near.send(address, PORT, address);
    await world.quiet();
    expect(world.near.inbox.map(({ source, ttl }) => [source, ttl])).toEqual([['10.0.0.3', 7]]);
    expect(messages.map(({ text, rinfo }) => [text, rinfo.destination?.address])).toEqual([
      ['10.0.0.2', '::ffff:10.0.0.2'],
      ['10.0.0.255', '::ffff:10.0.0.255'],
    ]);
  });

  test('it can be split, and a sticky one answers as it was asked', async () => {
    const sticky = await world.bind(
      { type: 'udp6', stickySource: true },
      { address: '::ffff:0.0.0.0' },
      ({ socket }, msg, { address, port }) => socket.send(`<${msg}>`, port, address),
    );
    world.near.send('10.0.0.3', PORT, 'x');
    await world.quiet();
    expect(world.near.heard).toEqual(['<x> from 10.0.0.3']);
    const child = sticky.socket.split(sticky.messages[0].rinfo);
    expect(child.address()).toMatchObject({ address: '::ffff:10.0.0.3', family: 'IPv6' });
    child.send('child');
    await world.quiet();
    child.close();
    expect(world.near.heard.slice(1)).toEqual(['child from 10.0.0.3']);
  });

  test('a bind() to it that fails leaves a socket that can be bound to both families', async () => {
    await world.bind({ type: 'udp4' });
    const socket = new Socket({ type: 'udp6' }, undefined, world.engine);
    const heard: string[] = [];
    socket.on('message', (msg) => heard.push(String(msg)));
    socket.bind(PORT, '::ffff:0.0.0.0');
    await expect(once(socket, 'error')).resolves.toMatchObject([{ code: 'EADDRINUSE', address: '::ffff:0.0.0.0' }]);
    socket.bind(PORT + 1, '::');
    await once(socket, 'listening');
    for (const address of ['10.0.0.2', '2001:db8::2']) world.near.send(address, PORT + 1, address);
    await world.quiet();
    socket.close();
    expect(heard).toEqual(['10.0.0.2', '2001:db8::2']);
  });

  test('one that is connected to ::ffff:10.0.0.9 answers it', async () => {
    const { socket, messages, answers } = await world.bind({ type: 'udp6' });
    await new Promise<void>((done) => socket.connect(4000, '::ffff:10.0.0.9', done));
    world.near.send('10.0.0.1', PORT, 'x');
    await world.quiet();
    expect(messages[0].rinfo).toMatchObject({ family: 'IPv6', address: '::ffff:10.0.0.9', port: 4000 });
    expect(answers).toEqual([null]);
    expect(world.near.heard).toEqual(['X from 10.0.0.1']);
  });

  test('multicastAll: false leaves out an IPv6 group that another program has joined', async () => {
    const options = { type: 'udp6', ipv6Only: true, multicastAll: false } as const;
    const { messages } = await world.bind(options, {}, () => {});
    const { socket: other } = await world.bind({ type: 'udp6', ipv6Only: true }, { port: 9 });
    other.addMembership('ff02::fb', `::%${world.zone(3)}`);
    world.near.send('ff02::fb', PORT, 'not ours');
    world.near.send('2001:db8::2', PORT, 'ours');
    await world.quiet();
    expect(messages.map(({ text }) => text)).toEqual(['ours']);
  });
});

describe.each([XNU, FREEBSD, 'linux-x64'])('%s', (os) => {
  beforeEach(() => {
    world = new World(os);
  });

  test('disconnect() gives both families back to a dual-stack socket', async () => {
    const { socket, messages } = await world.bind({ type: 'udp6' }, {}, () => {});
    await new Promise<void>((done) => socket.connect(4000, '::ffff:10.0.0.9', done));
    socket.disconnect();
    for (const address of ['10.0.0.2', '2001:db8::2']) world.near.send(address, PORT, address);
    await world.quiet();
    expect(messages.map(({ text }) => text)).toEqual(['10.0.0.2', '2001:db8::2']);
  });
});

describe(FREEBSD, () => {
  beforeEach(() => {
    world = new World(FREEBSD);
  });

  test('a socket that is bound to a group does not answer: it would do so from the group', async () => {
    const { socket, answers } = await world.bind({ type: 'udp4' }, { address: '239.5.5.5' });
    socket.addMembership('239.5.5.5', '10.0.0.1');
    world.near.send('239.5.5.5', PORT, 'x');
    await world.quiet();
    expect(answers).toMatchObject([{ code: 'ERR_RECVFROMTO_UNANSWERABLE' }]);
    expect(world.near.heard).toEqual([]);
  });

  test('what the kernel tells takes no room from what it keeps: the queue holds as many as with nothing asked', async () => {
    const { sock } = await world.bind({ type: 'udp4' }, {}, () => {});
    for (let i = 0; i < 700; i++) world.near.send('10.0.0.2', PORT, 'x'.repeat(40));
    expect(sock.queue.length).toBeGreaterThanOrEqual(658);
  });

  test("replyInterface: 'ingress' wants it", async () => {
    const { sock } = await world.bind({ type: 'udp4', replyInterface: 'ingress' });
    expect(sock.flags).toContain('IP_RECVIF');
  });
});

describe(XNU, () => {
  beforeEach(() => {
    world = new World(XNU);
  });

  test('newer kernels: a udp6 socket that is bound to ::ffff:10.0.0.2 learns the destination, and answers', async () => {
    (world.kernel as DarwinKernel).xnu = 11417;
    const { messages, answers } = await world.bind({ type: 'udp6' }, { address: '::ffff:10.0.0.2' });
    world.near.send('10.0.0.2', PORT, 'x');
    await world.quiet();
    expect(messages[0].rinfo).toMatchObject({
      ...{ family: 'IPv6', address: '::ffff:10.0.0.9', localAddress: '::ffff:10.0.0.2' },
      destination: { address: '::ffff:10.0.0.2' },
    });
    expect(answers).toEqual([null]);
    expect(world.near.heard).toEqual(['X from 10.0.0.2']);
  });

  test('newer kernels: disconnect() gives both families back, and connect() takes either', async () => {
    (world.kernel as DarwinKernel).xnu = 11417;
    const { socket } = await world.bind({ type: 'udp6' }, {}, () => {});
    await new Promise<void>((done) => socket.connect(4000, '::ffff:10.0.0.9', done));
    socket.disconnect();
    const error = await new Promise((done) => socket.connect(4000, '2001:db8::9', done as () => void));
    expect(error).toBeUndefined();
  });

  test('reply() from an interface that has no route to the peer is an error that says so', async () => {
    const { answers } = await world.bind({ type: 'udp4' });
    world.near.send('10.1.0.2', PORT, 'x');
    await world.quiet();
    expect(answers).toMatchObject([{ code: expect.stringMatching(/^ERR_RECVFROMTO_/) }]);
    expect(String(answers[0])).toMatch(/10\.1\.0\.2/);
  });

  test('stickySource leaves such a source out, and the datagram arrives', async () => {
    const errors: Code[] = [];
    await world.bind({ type: 'udp4', stickySource: true }, {}, ({ socket }, msg, { address, port }) =>
      socket.send(`<${msg}>`, port, address, (error) => errors.push(error as Code)),
    );
    world.near.send('10.1.0.2', PORT, 'x');
    await world.quiet();
    expect(errors).toEqual([null]);
    expect(world.near.heard).toEqual(['<x> from 10.0.0.1']);
  });
});

describe.each([FREEBSD, 'openbsd-x64', 'netbsd-x64', XNU, 'linux-x64'])('%s', (os) => {
  test('an error behind what one call has received is heard, too', async () => {
    world = new World(os);
    const { sock, messages, errors } = await world.bind({ type: 'udp4' }, {}, () => {});
    for (const text of ['one', 'two']) world.near.send('10.0.0.2', PORT, text);
    sock.lateError = { after: 2, name: 'ECONNREFUSED' };
    await world.quiet();
    world.near.send('10.0.0.2', PORT, 'three');
    await world.quiet();
    expect(messages.map(({ text }) => text)).toEqual(['one', 'two', 'three']);
    expect(errors).toMatchObject([{ code: 'ECONNREFUSED', syscall: 'recvmsg' }]);
  });
});

describe.each([FREEBSD, 'netbsd-x64'])('%s', (os) => {
  test('recvDrops counts how often the queue was full, and that is no error', async () => {
    world = new World(os);
    const { socket, messages, errors } = await world.bind({ type: 'udp4', recvDrops: true }, {}, () => {});
    socket.setRecvBufferSize(500);
    socket.pause();
    for (let i = 0; i < 20; i++) world.near.send('10.0.0.2', PORT, 'x'.repeat(60));
    socket.resume();
    await world.quiet();
    world.near.send('10.0.0.2', PORT, 'after it');
    await world.quiet();
    expect(messages.length).toBeLessThan(20);
    expect(messages.at(-1)?.text).toBe('after it');
    expect([socket.stats().droppedByKernel, messages[0].rinfo.drops, errors]).toEqual([1, undefined, []]);
  });

  test('a socket that did not ask is told nothing of it', async () => {
    world = new World(os);
    const { sock } = await world.bind({ type: 'udp4' });
    expect(sock.flags).not.toContain('SO_RERROR');
  });
});

// IPv4: Linux delivers groups of others to every wildcard socket, IP_MULTICAST_ALL being on.
describe.each(models)('%s', (os) => {
  test('a group that another program has joined is heard by default on Linux alone (IPv4)', async () => {
    world = new World(os);
    const { messages } = await world.bind({ type: 'udp4' }, {}, () => {});
    const { kernel } = world;
    const other = kernel.socket(kernel.facts.number('AF_INET'));
    const ip_mreq = kernel.abi.struct('ip_mreq', {
      imr_multiaddr: Buffer.from(bytesOf('239.9.9.9')),
      imr_interface: Buffer.from(bytesOf('10.0.0.1')),
    });
    const { facts } = kernel;
    kernel.setsockopt(other, facts.number('IPPROTO_IP'), facts.number('IP_ADD_MEMBERSHIP'), ip_mreq);
    world.near.send('239.9.9.9', PORT, 'x');
    await world.quiet();
    expect(messages).toHaveLength(os.startsWith('linux') || os.startsWith('android') ? 1 : 0);
  });
});

describe('win32-x64', () => {
  beforeEach(() => {
    world = new World('win32-x64');
  });

  test('bindToDevice leaves out what comes in by other interfaces, which Windows delivers all the same', async () => {
    const device = world.zone(3);
    const { socket, messages } = await world.bind({ type: 'udp4', bindToDevice: String(device) }, {}, () => {});
    world.near.send('10.0.0.2', PORT, 'by the one');
    world.side.send('10.1.0.2', PORT, 'by the other');
    await world.quiet();
    expect([messages.map(({ text }) => text), socket.stats().filtered]).toEqual([['by the one'], 1]);
  });
});
