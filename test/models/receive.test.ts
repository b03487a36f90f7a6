/** What is said of received datagrams, and what is made of a kernel that says less. On every modelled system. */
import { counting, writeMatrix } from './matrix';
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

  test(
    'what is too long is cut, and says so',
    counting(name, 'receive', async () => {
      const { messages, socket } = await world.bind({ type: 'udp4', maxDatagramSize: 10 });
      world.near.send('10.0.0.2', PORT, '0123456789abc');
      world.near.send('10.0.0.2', PORT, '0123456789');
      await world.quiet();
      expect(messages.map(({ text }) => text)).toEqual(['0123456789', '0123456789']);
      expect(messages.map(({ rinfo }) => [rinfo.size, rinfo.truncated])).toEqual([
        [10, true],
        [10, undefined],
      ]);
      expect(messages[0].rinfo.localAddress).toBe('10.0.0.2');
      expect(socket.stats().truncated).toBe(1);
    }),
  );

  test('an empty datagram is a datagram', async () => {
    const { messages } = await world.bind({ type: 'udp4' });
    world.near.send('10.0.0.2', PORT, '');
    world.near.send('10.0.0.2', PORT, 'x');
    await world.quiet();
    expect(messages.map(({ rinfo }) => rinfo.size)).toEqual([0, 1]);
    expect(world.near.heard).toEqual([' from 10.0.0.2', 'X from 10.0.0.2']);
  });

  test('more than many batches arrive whole and in order, each with its own destination', async () => {
    const { messages } = await world.bind({ type: 'udp4', batch: 4 });
    const addresses = ['10.0.0.1', '10.0.0.2', '10.0.0.255', '10.0.0.3'];
    for (let i = 0; i < 50; i++) world.near.send(addresses[i % 4], PORT, `${i}`);
    await world.quiet();
    expect(messages.map(({ text }) => text)).toEqual(Array.from({ length: 50 }, (_, i) => `${i}`));
    expect(messages.map(({ rinfo }) => rinfo.destination?.address)).toEqual(
      Array.from({ length: 50 }, (_, i) => addresses[i % 4]),
    );
    expect(world.near.inbox).toHaveLength(50);
  });

  test('senders are told with their zone, and without one where they need none', async () => {
    const { messages } = await world.bind({ type: 'udp6', ipv6Only: true }, {}, () => {});
    world.near.send('2001:db8::1', PORT, 'x', { source: '2001:db8::9', sourcePort: 0xff01 });
    world.side.send('fe80::11', PORT, 'y', { source: 'fe80::19', sourcePort: 1 });
    await world.quiet();
    expect(messages.map(({ rinfo }) => [rinfo.address, rinfo.family, rinfo.port])).toEqual([
      ['2001:db8::9', 'IPv6', 0xff01],
      [`fe80::19%${world.zone(0x102)}`, 'IPv6', 1],
    ]);
  });

  // What each system says of TTL and TOS, by the fixtures' `otherCmsg` and `v4mapped`; Windows by its list of facts.
  const told = {
    udp4: { ttl: true, tos: os !== 'openbsd' && os !== 'netbsd' },
    udp6: { ttl: true, tos: true },
    mapped: { ttl: os !== 'darwin', tos: true },
  };

  test.each(['udp4', 'udp6', ...(dualStack ? ['mapped'] : [])] as const)('TTL, TOS and ECN, %s', async (kind) => {
    const type = kind === 'udp4' ? 'udp4' : 'udp6';
    const more = { recvTTL: true, recvTOS: true };
    const { messages } = await world.bind({ type, ipv6Only: kind === 'udp6', ...more }, {}, () => {});
    const to = kind === 'udp6' ? '2001:db8::2' : '10.0.0.2';
    world.near.send(to, PORT, 'x', { ttl: 61, tos: 0xb9 });
    world.near.send(to, PORT, 'y', { ttl: 255, tos: 0 });
    await world.quiet();
    const { ttl, tos } = told[kind as keyof typeof told];
    expect(messages.map(({ rinfo }) => [rinfo.ttl, rinfo.tos, rinfo.ecn])).toEqual([
      [ttl ? 61 : undefined, tos ? 0xb9 : undefined, tos ? 1 : undefined],
      [ttl ? 255 : undefined, tos ? 0 : undefined, tos ? 0 : undefined],
    ]);
    const seen = kind === 'mapped' ? `::ffff:${to}` : to;
    expect(messages[0].rinfo.destination).toMatchObject({ address: seen, ifindex: 3 });
  });

  test('nothing is told that was not asked for', async () => {
    const { messages } = await world.bind({ type: 'udp4' });
    world.near.send('10.0.0.2', PORT, 'x', { tos: 3 });
    await world.quiet();
    expect(Object.keys(messages[0].rinfo).sort()).toEqual(
      ['address', 'destination', 'family', 'localAddress', 'port', 'size'].sort(),
    );
  });

  test.each(['udp4', 'udp6'] as const)('the time of receipt, %s', async (type) => {
    const { messages } = await world.bind({ type, recvTimestamp: true }, {}, () => {});
    world.near.send(type === 'udp4' ? '10.0.0.2' : '2001:db8::2', PORT, 'x');
    await world.quiet();
    expect(messages[0].rinfo.timestamp).toBe(os === 'win32' ? undefined : 1_790_000_000_123_456_000n);
    expect(messages[0].rinfo.destination?.ifindex).toBe(3);
  });

  test('how many the queue has dropped, where the system counts', async () => {
    // For 'first' and 'lost': macOS and FreeBSD count names and control bytes as well.
    const room = { darwin: 130, freebsd: 250 }[os] ?? 9;
    const { messages, socket } = await world.bind(
      { type: 'udp4', recvDrops: true, recvBufferSize: room },
      {},
      () => {},
    );
    for (const text of ['first', 'lost', 'lost too', 'gone']) world.near.send('10.0.0.2', PORT, text);
    await world.quiet();
    world.near.send('10.0.0.2', PORT, 'after');
    await world.quiet();
    expect(messages.map(({ text }) => text)).toEqual(['first', 'lost', 'after']);
    expect(messages.map(({ rinfo }) => rinfo.drops)).toEqual(linux ? [0, 0, 2] : Array(3).fill(undefined));
    // These say that the queue was full, and not how many that has cost.
    expect(socket.stats().droppedByKernel).toBe(linux ? 2 : os === 'freebsd' || os === 'netbsd' ? 1 : 0);
  });

  test('control messages that nobody knows are passed over', async () => {
    const { messages } = await world.bind({ type: 'udp4', recvTTL: true });
    const strange = { level: 0x7f, type: 0x7e, data: Buffer.alloc(7, 1) };
    world.kernel.noise.before.push({ ...strange, data: Buffer.alloc(0) }, strange);
    world.kernel.noise.after.push(strange);
    world.near.send('10.0.0.2', PORT, 'x');
    await world.quiet();
    expect(messages[0].rinfo).toMatchObject({ ttl: 61, localAddress: '10.0.0.2', destination: { ifindex: 3 } });
  });

  test.each(['before', 'after'] as const)('what was cut off is not guessed, %s', async (where) => {
    const { messages, answers, socket } = await world.bind({ type: 'udp4' });
    world.kernel.noise[where].push({ level: 0x7f, type: 0x7e, data: Buffer.alloc(300) });
    world.near.send('10.0.0.2', PORT, 'x');
    await world.quiet();
    expect(messages[0].rinfo.destination).toBeUndefined();
    expect(messages[0].rinfo.localAddress).toBeUndefined();
    expect(socket.stats().destinationUnknown).toBe(1);
    expect(answers).toEqual([null]);
    expect(world.near.heard).toEqual(['X from 10.0.0.1']); // the kernel's choice
    world.kernel.noise[where].length = 0;
    world.near.send('10.0.0.2', PORT, 'y');
    await world.quiet();
    expect(world.near.heard[1]).toBe('Y from 10.0.0.2');
  });

  test('an adopted descriptor: what was queued before is answered as well as can be', async () => {
    const { kernel } = world;
    const fd = kernel.socket(kernel.facts.number('AF_INET'));
    kernel.bind(fd, kernel.abi.writeName(4, '0.0.0.0', PORT));
    for (const to of ['10.0.0.2', '10.0.0.255']) world.near.send(to, PORT, 'early');
    const { socket, messages } = await world.adopt({ type: 'udp4' }, fd);
    await world.quiet();
    world.near.send('10.0.0.2', PORT, 'late');
    await world.quiet();
    // Linux still knows the address, not the interface; the others say nothing.
    expect(messages.map(({ rinfo }) => [rinfo.destination?.address, rinfo.destination?.ifindex])).toEqual([
      linux ? ['10.0.0.2', 0] : [undefined, undefined],
      linux ? ['10.0.0.255', 0] : [undefined, undefined],
      ['10.0.0.2', 3],
    ]);
    expect(messages.map(({ rinfo }) => rinfo.localAddress)).toEqual([
      linux ? '10.0.0.2' : undefined,
      undefined,
      '10.0.0.2',
    ]);
    expect(world.near.heard).toEqual([
      linux ? 'EARLY from 10.0.0.2' : 'EARLY from 10.0.0.1',
      'EARLY from 10.0.0.1',
      'LATE from 10.0.0.2',
    ]);
    expect(socket.stats().destinationUnknown).toBe(linux ? 0 : 2);
  });

  if (dualStack) {
    test('an adopted dual-stack descriptor: likewise', async () => {
      const { kernel } = world;
      const fd = kernel.socket(kernel.facts.number('AF_INET6'));
      const off = Buffer.alloc(4);
      kernel.setsockopt(fd, kernel.facts.number('IPPROTO_IPV6'), kernel.facts.number('IPV6_V6ONLY'), off);
      kernel.bind(fd, kernel.abi.writeName(6, '::', PORT));
      world.near.send('10.0.0.2', PORT, 'early');
      const { messages } = await world.adopt({ type: 'udp6' }, fd);
      await world.quiet();
      world.near.send('10.0.0.3', PORT, 'late');
      await world.quiet();
      expect(messages.map(({ rinfo }) => rinfo.localAddress)).toEqual([
        linux ? '::ffff:10.0.0.2' : undefined,
        '::ffff:10.0.0.3',
      ]);
      expect(world.near.heard).toEqual([linux ? 'EARLY from 10.0.0.2' : 'EARLY from 10.0.0.1', 'LATE from 10.0.0.3']);
    });
  }

  test('a filter sees the destination, and lets nothing in that it does not know', async () => {
    const { messages, socket } = await world.bind({ type: 'udp4', accept: { destinations: ['10.0.0.2/31'] } });
    for (const to of ['10.0.0.1', '10.0.0.2', '10.0.0.3', '10.0.0.255']) world.near.send(to, PORT, to);
    await world.quiet();
    expect(messages.map(({ text }) => text)).toEqual(['10.0.0.2', '10.0.0.3']);
    expect(socket.stats().filtered).toBe(2);
  });

  test('a pending error is reported once, and receiving goes on', async () => {
    const { messages, errors, sock } = await world.bind({ type: 'udp4' });
    sock.error = 'ECONNREFUSED';
    world.near.send('10.0.0.2', PORT, 'x');
    await world.quiet();
    expect(errors).toMatchObject([{ code: 'ECONNREFUSED', syscall: 'recvmsg' }]);
    expect(messages.map(({ text }) => text)).toEqual(['x']);
  });
});
