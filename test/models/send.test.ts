/** Sending: sources that fit and that do not, full queues, large datagrams, TTL and TOS. On every modelled system. */
import { counting, writeMatrix } from './matrix';
import { peerOn } from './net';
import { models, PORT, World } from './world';

afterAll(writeMatrix);

describe.each(models)('%s', (name) => {
  let world: World;
  beforeEach(() => {
    world = new World(name);
  });
  afterEach(() => world.close());

  const [os] = name.split('-');
  const linux = os === 'linux' || os === 'android';
  const dualStack = os !== 'openbsd' && os !== 'netbsd';
  const kinds = [
    ['udp4', { type: 'udp4' }, '10.0.0.2', ''],
    ['udp6', { type: 'udp6', ipv6Only: true }, '2001:db8::2', ''],
    ...(dualStack ? [['mapped', { type: 'udp6' }, '10.0.0.2', '::ffff:'] as const] : []),
  ] as const;

  test.each(
    kinds,
  )('a source that has vanished is EADDRNOTAVAIL, and nothing else changes, %s', (_, options, gone, prefix) =>
    counting(name, 'vanished source', async () => {
      const { socket, messages, answers } = await world.bind(options, {}, () => {});
      world.near.send(gone, PORT, 'x');
      await world.quiet();
      world.machine.removeAddress(gone);
      const [{ rinfo }] = messages;
      const errors: unknown[] = [];
      socket.reply('late', rinfo, (error) => errors.push(error));
      await world.quiet();
      expect(errors).toMatchObject([
        { code: 'EADDRNOTAVAIL', syscall: 'send', localAddress: prefix + gone, address: rinfo.address, port: 4000 },
      ]);
      expect(world.near.heard).toEqual([]);
      // The next one, from an address that is there, leaves.
      const still = gone.includes(':') ? '2001:db8::1' : '10.0.0.3';
      world.near.send(still, PORT, 'y');
      await world.quiet();
      socket.reply('fine', messages[1].rinfo, (error) => answers.push(error));
      await world.quiet();
      expect(answers).toEqual([null]);
      expect(world.near.heard).toEqual([`fine from ${still}`]);
      expect(socket.stats()).toMatchObject({ sendErrors: 1, datagramsOut: 1 });
    })());

  test(
    'a source that has vanished fails alone, whatever else is in its batch',
    counting(name, 'vanished source', async () => {
      const { socket } = await world.bind({ type: 'udp4' });
      world.machine.removeAddress('10.0.0.2');
      const results: (string | undefined)[] = [];
      for (const localAddress of ['10.0.0.1', '10.0.0.2', '10.0.0.3']) {
        const options = { port: 4000, address: '10.0.0.9', localAddress };
        socket.send('x', options, (error) => results.push((error as NodeJS.ErrnoException | null)?.code));
      }
      await world.quiet();
      expect(results).toEqual([undefined, 'EADDRNOTAVAIL', undefined]);
      expect(world.near.heard).toEqual(['x from 10.0.0.1', 'x from 10.0.0.3']);
    }),
  );

  test.each(kinds)('send() names a source, %s', async (_, options, source, prefix) => {
    const { socket } = await world.bind(options);
    const errors: unknown[] = [];
    const address = source.includes(':') ? '2001:db8::9' : `${prefix}10.0.0.9`;
    socket.send('a', { port: 4000, address, localAddress: source }, (error) => errors.push(error));
    socket.send('b', { port: 4000, address, localAddress: prefix + source }, (error) => errors.push(error));
    socket.send('c', 4000, address, (error) => errors.push(error));
    await world.quiet();
    const primary = source.includes(':') ? '2001:db8::1' : '10.0.0.1';
    expect(errors).toEqual([null, null, null]);
    expect(world.near.heard).toEqual([`a from ${source}`, `b from ${source}`, `c from ${primary}`]);
  });

  test.each(kinds)('send() names an interface, %s', async (kind, options, _, prefix) => {
    const guest = peerOn(world.linkB, ['198.51.100.8', '2001:db8:fff8::8'], 4005);
    const { socket } = await world.bind(options);
    const address = kind === 'udp6' ? '2001:db8:fff8::8' : `${prefix}198.51.100.8`;
    const localAddress = kind === 'udp6' ? '2001:db8:1::2' : '10.1.0.2';
    const via = { port: 4005, interface: world.machine.byIndex(0x102)?.name as string, address };
    socket.send('alone', via);
    socket.send('with a source', { ...via, localAddress });
    await world.quiet();
    // IPv4's interface goes where the message has room for it; alone, it would make Windows send from 0.0.0.0.
    // KAME's IPv6 looks at a lone index for the address only, where that interface has no route.
    const kame = os === 'darwin' || os === 'freebsd';
    const [alone, beside] = kind === 'udp6' || linux ? [!kame, true] : [false, os === 'win32'];
    const primary = kind === 'udp6' ? '2001:db8:1::1' : '10.1.0.1';
    expect(guest.heard).toEqual([
      ...(alone ? [`alone from ${primary}`] : []),
      ...(beside ? [`with a source from ${localAddress}`] : []),
    ]);
    // The rest has gone where routing says.
    expect(world.linkA.lost.map(({ payload, source }) => `${payload} from ${source}`)).toEqual([
      ...(alone ? [] : [`alone from ${kind === 'udp6' ? primary : '10.0.0.1'}`]),
      // macOS looks the route up on the source's own interface, and finds none.
      ...(beside || os === 'darwin' ? [] : [`with a source from ${localAddress}`]),
    ]);
  });

  test.each([
    ['an IPv6 source to an IPv4 peer', 'udp6', '::ffff:10.0.0.9', '2001:db8::2'],
    ['an IPv4 source to an IPv6 peer', 'udp6', '2001:db8::9', '10.0.0.2'],
    ['a group', 'udp4', '10.0.0.9', '239.1.2.3'],
    ['the broadcast address', 'udp4', '10.0.0.9', '255.255.255.255'],
    ['nothing', 'udp4', '10.0.0.9', '0.0.0.0'],
    ['the loopback address to the outside', 'udp6', '2001:db8::9', '::1'],
    ['a link-local address without a link', 'udp6', '2001:db8::9', 'fe80::1'],
  ] as const)('%s is no source: refused, and never sent', async (_, type, address, localAddress) => {
    const { socket } = await world.bind({ type });
    const errors: unknown[] = [];
    socket.send('x', { port: 4000, address, localAddress }, (error) => errors.push(error));
    await world.quiet();
    expect(errors).toMatchObject([{ code: 'ERR_RECVFROMTO_SOURCE_MISMATCH' }]);
    expect(world.near.heard).toEqual([]);
  });

  test("a subnet's broadcast address is no source", async () => {
    const { socket } = await world.bind({ type: 'udp4' });
    const errors: NodeJS.ErrnoException[] = [];
    const options = { port: 4000, address: '10.0.0.9', localAddress: '10.0.0.255' };
    socket.send('x', options, (error) => errors.push(error as NodeJS.ErrnoException));
    await world.quiet();
    expect(errors.map(({ code }) => code)).toEqual(['ERR_RECVFROMTO_SOURCE_MISMATCH']);
    expect(world.near.heard).toEqual([]);
  });

  test('a socket bound to one address answers from it, and stays bound to it', async () => {
    for (const [type, address] of [
      ['udp4', '10.0.0.2'],
      ['udp6', '2001:db8::2'],
    ] as const) {
      const { sock, answers } = await world.bind({ type }, { address });
      world.near.send(address, PORT, 'x');
      world.near.send(address.replace(/2$/, '1'), PORT, 'not for it');
      await world.quiet();
      expect(answers).toEqual([null]);
      expect(world.near.heard.at(-1)).toBe(`X from ${address}`);
      expect(sock.local).toBe(address);
    }
    expect(world.near.heard).toHaveLength(2);
  });

  test('a socket bound to one address sends from another only where that harms nothing', async () => {
    const { socket, sock } = await world.bind({ type: 'udp4' }, { address: '10.0.0.2' });
    const errors: (string | undefined)[] = [];
    const options = { port: 4000, address: '10.0.0.9', localAddress: '10.0.0.3' };
    socket.send('x', options, (error) => errors.push((error as NodeJS.ErrnoException | null)?.code));
    await world.quiet();
    // FreeBSD refuses it (P5), macOS un-binds the socket (P4), of Windows nothing is known: EADDRNOTAVAIL.
    const allowed = linux || os === 'openbsd' || os === 'netbsd';
    expect(errors).toEqual([allowed ? undefined : 'EADDRNOTAVAIL']);
    expect(world.near.heard).toEqual(allowed ? ['x from 10.0.0.3'] : []);
    expect(sock.local).toBe('10.0.0.2');
  });

  test('a connected socket answers, and stays connected', async () => {
    const { socket, sock, answers, messages } = await world.bind({ type: 'udp4' });
    await new Promise<void>((done) => socket.connect(4000, '10.0.0.9', done));
    world.near.send('10.0.0.1', PORT, 'x');
    world.far.send('10.0.0.1', PORT, 'not the peer');
    await world.quiet();
    socket.send('more');
    await world.quiet();
    expect(answers).toEqual([null]);
    expect(world.near.heard).toEqual(['X from 10.0.0.1', 'more from 10.0.0.1']);
    expect(sock.peer).toMatchObject({ address: '10.0.0.9', port: 4000 });
    expect(socket.remoteAddress()).toEqual({ address: '10.0.0.9', family: 'IPv4', port: 4000 });
    expect(messages[0].rinfo.localAddress).toBe('10.0.0.1');
    socket.disconnect();
    world.far.send('10.0.0.3', PORT, 'again');
    await world.quiet();
    expect(world.far.heard).toEqual(['AGAIN from 10.0.0.3']);
  });

  test('a connected IPv6 socket likewise', async () => {
    const { socket, answers } = await world.bind({ type: 'udp6', ipv6Only: true });
    await new Promise<void>((done) => socket.connect(4000, '2001:db8::9', done));
    world.near.send('2001:db8::1', PORT, 'x');
    await world.quiet();
    expect(answers).toEqual([null]);
    expect(world.near.heard).toEqual(['X from 2001:db8::1']);
    socket.disconnect();
    world.far.send('2001:db8::2', PORT, 'again');
    await world.quiet();
    expect(world.far.heard).toEqual(['AGAIN from 2001:db8::2']);
  });

  test('one datagram that is refused does not keep back those behind it', async () => {
    const { socket } = await world.bind({ type: 'udp4' });
    const results: (string | number)[] = [];
    const to = ['10.0.0.9', '10.0.0.255', '10.0.0.9', '255.255.255.255', '10.0.0.9'];
    for (const [i, address] of to.entries()) {
      socket.send(`${i}`, 4000, address, (error, bytes) =>
        results.push((error as NodeJS.ErrnoException | null)?.code ?? bytes),
      );
    }
    await world.quiet();
    expect(results).toEqual([1, 'EACCES', 1, 'EACCES', 1]);
    expect(world.near.heard.map((text) => text[0])).toEqual(['0', '2', '4']);
    socket.setBroadcast(true);
    socket.send('all', 4000, '10.0.0.255');
    await world.quiet();
    expect(world.near.heard.at(-1)).toBe('all from 10.0.0.1');
  });

  test('a full queue: what is left waits until the descriptor is writable', async () => {
    const { socket, sock, answers } = await world.bind({ type: 'udp4' });
    sock.full = true;
    for (const text of ['a', 'b', 'c']) world.near.send('10.0.0.2', PORT, text);
    await world.quiet();
    expect([answers, socket.getSendQueueCount(), socket.stats().wouldBlock]).toEqual([[], 3, 1]);
    sock.full = false;
    world.kernel.readiness.wake();
    await world.quiet();
    expect(answers).toEqual([null, null, null]);
    expect(world.near.heard).toEqual(['A from 10.0.0.2', 'B from 10.0.0.2', 'C from 10.0.0.2']);
    expect(socket.getSendQueueCount()).toBe(0);
  });

  test('a full interface: waits by timer where the descriptor stays writable (P35)', async () => {
    const { socket, sock, answers } = await world.bind({ type: 'udp4' });
    sock.refusals.push('ENOBUFS', 'ENOBUFS');
    for (const text of ['a', 'bb']) world.near.send('10.0.0.2', PORT, text);
    await world.quiet();
    await world.until(() => answers.length === 2);
    expect(answers).toEqual([null, null]);
    expect(world.near.heard).toEqual(['A from 10.0.0.2', 'BB from 10.0.0.2']);
    // Tried again as often as it was refused, and not once more.
    expect(socket.stats()).toMatchObject({ wouldBlock: 2, systemCallsOut: 3, sendErrors: 0 });
  });

  test('an interface that stays full costs a datagram, not the socket', async () => {
    const { sock, answers } = await world.bind({ type: 'udp4' });
    sock.refusals.push(...Array.from({ length: 9 }, () => 'ENOBUFS'));
    for (const text of ['a', 'b']) world.near.send('10.0.0.2', PORT, text);
    await world.until(() => answers.length === 2);
    expect(answers.map((error) => error?.code)).toEqual(['ENOBUFS', undefined]);
  });

  test('datagrams of every size leave whole (P34, P37)', async () => {
    const { socket } = await world.bind({ type: 'udp4' });
    const results: unknown[] = [];
    for (const size of [9000, 9216, 9217, 20000, 65507, 65508]) {
      const options = { port: 4000, address: '10.0.0.9', localAddress: '10.0.0.2' };
      socket.send(Buffer.alloc(size, 7), options, (error, bytes) =>
        results.push((error as NodeJS.ErrnoException | null)?.code ?? bytes),
      );
    }
    await world.quiet();
    expect(results).toEqual([9000, 9216, 9217, 20000, 65507, 'EMSGSIZE']);
    expect(world.near.inbox.map(({ payload, source }) => [payload.length, source])).toEqual(
      [9000, 9216, 9217, 20000, 65507].map((size) => [size, '10.0.0.2']),
    );
    expect(world.near.inbox.at(-1)?.payload.every((byte) => byte === 7)).toBe(true);
  });

  test('what never fits a send buffer made small is an error, and holds nothing up (P34)', async () => {
    const { socket } = await world.bind({ type: 'udp4', sendBufferSize: 10000 });
    const results: unknown[] = [];
    for (const size of [9000, 9990, 10001, 10]) {
      const options = { port: 4000, address: '10.0.0.9', localAddress: '10.0.0.2' };
      socket.send(Buffer.alloc(size), options, (error, bytes) =>
        results.push((error as NodeJS.ErrnoException | null)?.code ?? bytes),
      );
    }
    await world.quiet();
    // On macOS what just fits never becomes sendable; on FreeBSD control bytes count.
    const limit = { darwin: 9990, freebsd: 9990, openbsd: 10001, netbsd: 10001 }[os] ?? Number.POSITIVE_INFINITY;
    expect(results).toEqual([9000, 9990, 10001, 10].map((size) => (size >= limit ? 'EMSGSIZE' : size)));
  });

  test('the size of the send buffer is the one that was asked for', async () => {
    const { socket } = await world.bind({ type: 'udp4', sendBufferSize: 20000 });
    expect(socket.getSendBufferSize()).toBe(linux ? 40000 : 20000);
    socket.setRecvBufferSize(30000);
    expect(socket.getRecvBufferSize()).toBe(linux ? 60000 : 30000);
  });

  // Per datagram, where the system takes it: Platform.ttl and Platform.tos. The socket's own TTL otherwise.
  const takes = {
    udp4: { ttl: linux || os === 'win32', tos: os !== 'openbsd' && os !== 'netbsd' },
    udp6: { ttl: true, tos: true },
    mapped: { ttl: linux || os === 'win32', tos: os !== 'openbsd' && os !== 'netbsd' },
  };

  test.each(kinds)('TTL and TOS of one datagram, %s', async (kind, options, source, prefix) => {
    const { socket } = await world.bind(options);
    const errors: unknown[] = [];
    const address = source.includes(':') ? '2001:db8::9' : `${prefix}10.0.0.9`;
    const to = { port: 4000, address };
    socket.send('x', { ...to, localAddress: source, ttl: 9, tos: 0xb8 }, (error) => errors.push(error));
    socket.send('y', { ...to, ttl: 255 }, (error) => errors.push(error));
    socket.send('z', { ...to, tos: 3 }, (error) => errors.push(error));
    socket.send('w', to, (error) => errors.push(error));
    await world.quiet();
    expect(errors).toEqual([null, null, null, null]);
    const { ttl, tos } = takes[kind as keyof typeof takes];
    expect(world.near.inbox.map((packet) => [packet.ttl, packet.tos])).toEqual([
      [ttl ? 9 : 64, tos ? 0xb8 : 0],
      [ttl ? 255 : 64, 0],
      [64, tos ? 3 : 0],
      [64, 0],
    ]);
    expect(world.near.inbox[0].source).toBe(source);
  });

  test('a socket that was never bound sends all the same', async () => {
    const { socket } = await world.bind({ type: 'udp4' }, { port: 0 });
    socket.send('x', 4000, '10.0.0.9');
    await world.quiet();
    expect(world.near.inbox).toHaveLength(1);
    expect(world.near.inbox[0].sourcePort).toBe(socket.address().port);
  });

  test('sendMany reports how many the kernel took', async () => {
    const { socket } = await world.bind({ type: 'udp4' });
    const datagrams = Array.from({ length: 150 }, (_, i) => ({
      msg: `${i}`,
      port: 4000,
      address: i === 70 ? '10.0.0.255' : '10.0.0.9',
      localAddress: `10.0.0.${(i % 3) + 1}`,
    }));
    const done = await new Promise<unknown[]>((resolve) => {
      socket.sendMany(datagrams, (error, sent) => resolve([(error as NodeJS.ErrnoException).code, sent]));
    });
    expect(done).toEqual(['EACCES', 149]);
    const expected = datagrams.filter(({ address }) => address === '10.0.0.9');
    expect(world.near.heard).toEqual(expected.map(({ msg, localAddress }) => `${msg} from ${localAddress}`));
  });
});
