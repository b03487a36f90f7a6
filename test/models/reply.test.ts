/** The address that the peer sees an answer come from, on every modelled system. design.md §5 */
import { counting, type Feature, unsupported, writeMatrix } from './matrix';
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
  const as = <Args extends unknown[]>(feature: Feature, run: (...args: Args) => Promise<void>) =>
    counting(name, feature, run);

  test.each(['10.0.0.1', '10.0.0.2', '10.0.0.3'])(
    'udp4: %s answers as itself',
    as('reply', async (address: string) => {
      const { messages, answers } = await world.bind({ type: 'udp4' });
      world.near.send(address, PORT, 'one');
      world.far.send(address, PORT, 'two');
      await world.quiet();
      expect(answers).toEqual([null, null]);
      expect(world.near.heard).toEqual([`ONE from ${address}`]);
      expect(world.far.heard).toEqual([`TWO from ${address}`]);
      expect(messages[0].rinfo).toMatchObject({ address: '10.0.0.9', family: 'IPv4', port: 4000, size: 3 });
    }),
  );

  test(
    'the destination and the interface of each datagram are told',
    as('receive', async () => {
      const { messages } = await world.bind({ type: 'udp4' }, {}, () => {});
      world.near.send('10.0.0.2', PORT, 'a');
      world.side.send('10.1.0.1', PORT, 'b');
      world.own.send('127.0.0.1', PORT, 'c');
      await world.quiet();
      const seen = messages.map(({ text, rinfo }) => [text, rinfo.destination, rinfo.localAddress]);
      const on = (index: number) => ({ ifindex: index, interface: world.machine.byIndex(index)?.name });
      const common = { family: 'IPv4', port: PORT };
      expect(seen).toEqual([
        ['a', { address: '10.0.0.2', ...common, ...on(3) }, '10.0.0.2'],
        ['b', { address: '10.1.0.1', ...common, ...on(0x102) }, '10.1.0.1'],
        ['c', { address: '127.0.0.1', ...common, ...on(1) }, '127.0.0.1'],
      ]);
    }),
  );

  test(
    'udp6: destination and interface too',
    as('receive', async () => {
      const { messages } = await world.bind({ type: 'udp6', ipv6Only: true }, {}, () => {});
      world.near.send('2001:db8::2', PORT, 'a');
      world.side.send('2001:db8:1::2', PORT, 'b');
      world.own.send('::1', PORT, 'c');
      await world.quiet();
      const seen = messages.map(({ text, rinfo }) => [text, rinfo.destination, rinfo.localAddress]);
      const on = (index: number) => ({ ifindex: index, interface: world.machine.byIndex(index)?.name });
      const common = { family: 'IPv6', port: PORT };
      expect(seen).toEqual([
        ['a', { address: '2001:db8::2', ...common, ...on(3) }, '2001:db8::2'],
        ['b', { address: '2001:db8:1::2', ...common, ...on(0x102) }, '2001:db8:1::2'],
        ['c', { address: '::1', ...common, ...on(1) }, '::1'],
      ]);
    }),
  );

  test.each(['2001:db8::1', '2001:db8::2'])(
    'udp6: %s answers as itself',
    as('reply', async (address: string) => {
      const { answers } = await world.bind({ type: 'udp6', ipv6Only: true });
      world.near.send(address, PORT, 'one');
      world.far.send(address, PORT, 'two');
      await world.quiet();
      expect(answers).toEqual([null, null]);
      expect([...world.near.heard, ...world.far.heard]).toEqual([`ONE from ${address}`, `TWO from ${address}`]);
    }),
  );

  test(
    "an address of another interface answers as itself, by the way that routing knows (P11's weak host)",
    as('reply', async () => {
      const { messages } = await world.bind({ type: 'udp4' });
      const { messages: messages6 } = await world.bind({ type: 'udp6', ipv6Only: true });
      world.near.send('10.1.0.2', PORT, 'in by eth0');
      world.near.send('2001:db8:1::2', PORT, 'in by eth0');
      await world.quiet();
      // macOS looks IPv4's route up on the source's own interface: see users.test.ts.
      const ipv4 = os === 'darwin' ? [] : ['IN BY ETH0 from 10.1.0.2'];
      expect(world.near.heard.sort()).toEqual([...ipv4, 'IN BY ETH0 from 2001:db8:1::2']);
      for (const [{ rinfo }] of [messages, messages6]) expect(rinfo.destination?.ifindex).toBe(3);
    }),
  );

  test(
    'programs on the machine itself are answered from the address they asked',
    as('reply', async () => {
      await world.bind({ type: 'udp4' });
      await world.bind({ type: 'udp6', ipv6Only: true });
      for (const address of ['127.0.0.1', '127.0.0.77', '10.0.0.2', '10.1.0.1', '::1', '2001:db8::2']) {
        world.own.send(address, PORT, 'x');
      }
      await world.quiet();
      expect(world.own.inbox.map(({ source }) => source).sort()).toEqual(
        ['127.0.0.1', '127.0.0.77', '10.0.0.2', '10.1.0.1', '::1', '2001:db8::2'].sort(),
      );
    }),
  );

  describe.each(['udp4', ...(dualStack ? ['dual'] : [])] as const)('%s', (kind) => {
    const options = kind === 'udp4' ? { type: 'udp4' as const } : { type: 'udp6' as const };
    const prefix = kind === 'udp4' ? '' : '::ffff:';

    test.each(['10.0.0.255', '255.255.255.255'])(
      "a broadcast to %s is answered from the interface's own address",
      as('broadcast', async (broadcast: string) => {
        const { messages, answers } = await world.bind(options);
        world.near.send(broadcast, PORT, 'who');
        await world.quiet();
        expect(messages[0].rinfo.destination).toMatchObject({ address: prefix + broadcast, ifindex: 3 });
        expect(messages[0].rinfo.localAddress).toBe(`${prefix}10.0.0.1`);
        expect(answers).toEqual([null]);
        expect(world.near.heard).toEqual(['WHO from 10.0.0.1']);
      }),
    );

    test(
      "a broadcast on another interface is answered from that one's address",
      as('broadcast', async () => {
        await world.bind(options);
        world.side.send('10.1.0.255', PORT, 'who');
        await world.quiet();
        expect(world.side.heard).toEqual(['WHO from 10.1.0.1']);
      }),
    );
  });

  test(
    'udp4: a datagram to a group is answered from a unicast address',
    as('multicast', async () => {
      const { socket, messages, answers } = await world.bind({ type: 'udp4' });
      socket.addMembership('239.1.2.3', '10.1.0.1');
      world.side.send('239.1.2.3', PORT, 'group');
      world.near.send('239.1.2.3', PORT, 'not joined here');
      await world.quiet();
      const [{ rinfo }] = messages;
      expect(messages).toHaveLength(1);
      expect(rinfo.destination).toMatchObject({ address: '239.1.2.3', ifindex: 0x102 });
      expect(rinfo.localAddress).toBe(linux ? '10.1.0.1' : undefined);
      expect(answers).toEqual([null]);
      expect(world.side.heard).toEqual(['GROUP from 10.1.0.1']);
    }),
  );

  test(
    'udp6: a datagram to a group is answered from a unicast address',
    as('multicast', async () => {
      const { socket, messages, answers } = await world.bind({ type: 'udp6', ipv6Only: true });
      socket.addMembership('ff05::1234', `::%${world.zone(0x102)}`);
      world.side.send('ff05::1234', PORT, 'group');
      await world.quiet();
      const [{ rinfo }] = messages;
      expect(rinfo.destination).toMatchObject({ address: 'ff05::1234', ifindex: 0x102 });
      expect(rinfo.localAddress).toBeUndefined();
      expect(answers).toEqual([null]);
      expect(world.side.heard).toEqual(['GROUP from 2001:db8:1::1']);
    }),
  );

  test(
    'link-local peers are answered on their link, from the link-local address they asked',
    as('link-local', async () => {
      const { messages, answers } = await world.bind({ type: 'udp6', ipv6Only: true });
      const [eth0, eth1] = [world.zone(3), world.zone(0x102)];
      world.near.send('fe80::2', PORT, 'a', { source: 'fe80::9' });
      world.side.send('fe80::11', PORT, 'b', { source: 'fe80::19' });
      world.side.send('2001:db8:1::2', PORT, 'c', { source: 'fe80::19' });
      await world.quiet();
      expect(answers).toEqual([null, null, null]);
      expect(messages.map(({ rinfo }) => [rinfo.address, rinfo.destination?.address, rinfo.localAddress])).toEqual([
        [`fe80::9%${eth0}`, `fe80::2%${eth0}`, `fe80::2%${eth0}`],
        [`fe80::19%${eth1}`, `fe80::11%${eth1}`, `fe80::11%${eth1}`],
        [`fe80::19%${eth1}`, '2001:db8:1::2', '2001:db8:1::2'],
      ]);
      expect(world.near.heard).toEqual(['A from fe80::2']);
      expect(world.side.heard).toEqual(['B from fe80::11', 'C from 2001:db8:1::2']);
    }),
  );

  test(
    'a link-local peer that asks a group is answered on its link',
    as('link-local', async () => {
      const { socket, answers } = await world.bind({ type: 'udp6', ipv6Only: true });
      socket.addMembership(`ff02::1234%${world.zone(0x102)}`);
      world.side.send('ff02::1234', PORT, 'x', { source: 'fe80::19' });
      await world.quiet();
      expect(answers).toEqual([null]);
      expect(world.side.heard).toEqual(['X from fe80::11']);
    }),
  );

  test(
    'a global peer that asks a link-local address is answered from it, by that link',
    as('link-local', async () => {
      const { answers } = await world.bind({ type: 'udp6', ipv6Only: true });
      world.near.send('fe80::2', PORT, 'x');
      await world.quiet();
      expect(answers).toEqual([null]);
      expect(world.near.heard).toEqual(['X from fe80::2']);
    }),
  );

  if (dualStack) {
    test.each(['10.0.0.1', '10.0.0.2', '10.1.0.2', '2001:db8::2', '2001:db8:1::1'])(
      'one socket for both families: %s answers as itself',
      as('dual-stack', async (address: string) => {
        const { messages, answers } = await world.bind({ type: 'udp6' });
        world.near.send(address, PORT, 'x');
        await world.quiet();
        const seen = address.includes(':') ? address : `::ffff:${address}`;
        expect(messages[0].rinfo).toMatchObject({ localAddress: seen, destination: { address: seen, family: 'IPv6' } });
        expect(messages[0].rinfo.destination?.ifindex).toBe(3);
        if (os === 'darwin' && address === '10.1.0.2') return; // see users.test.ts
        expect(answers).toEqual([null]);
        expect(world.near.heard).toEqual([`X from ${address}`]);
      }),
    );

    test(
      'programs on the machine itself get answers from a dual-stack socket',
      as('dual-stack', async () => {
        await world.bind({ type: 'udp6' });
        for (const address of ['127.0.0.77', '10.1.0.1', '::1']) world.own.send(address, PORT, 'x');
        await world.quiet();
        expect(world.own.heard).toEqual(['X from 127.0.0.77', 'X from 10.1.0.1', 'X from ::1']);
      }),
    );
  } else {
    unsupported(name, 'dual-stack');
    test('there is no dual-stack socket: udp6 hears IPv6 alone', async () => {
      const { messages } = await world.bind({ type: 'udp6' });
      world.near.send('10.0.0.1', PORT, 'x');
      world.near.send('2001:db8::2', PORT, 'y');
      await world.quiet();
      expect(messages.map(({ text }) => text)).toEqual(['y']);
      expect(world.near.heard).toEqual(['Y from 2001:db8::2']);
    });
  }

  test('a server hears both families on one port and answers each as it was asked', async () => {
    const server = await world.server({}, (each, msg, rinfo) => each.reply(`<${msg}>`, rinfo));
    expect(server.address()).toMatchObject({ port: PORT, ipv4: { address: '0.0.0.0' }, ipv6: { address: '::' } });
    for (const address of ['10.0.0.3', '2001:db8::2', '10.0.0.255']) world.near.send(address, PORT, 'x');
    await world.quiet();
    expect(world.near.heard.sort()).toEqual(['<x> from 10.0.0.1', '<x> from 10.0.0.3', '<x> from 2001:db8::2']);
  });

  test("replyInterface 'ingress' leaves the way the request came, where the system can be told", async () => {
    const guest = peerOn(world.linkB, ['198.51.100.8', '2001:db8:fff8::8'], 4005);
    await world.bind({ type: 'udp4', replyInterface: 'ingress' });
    await world.bind({ type: 'udp6', ipv6Only: true, replyInterface: 'ingress' });
    guest.send('10.1.0.2', PORT, 'four');
    guest.send('2001:db8:1::2', PORT, 'six');
    await world.quiet();
    const told = linux || os === 'win32';
    // An index would make macOS forget the address, and IP_SENDSRCADDR has no room for one: routing's way, right source.
    expect(guest.heard.sort()).toEqual([...(told ? ['FOUR from 10.1.0.2'] : []), 'SIX from 2001:db8:1::2'].sort());
    expect(world.linkA.lost.map(({ payload, source }) => `${payload} from ${source}`)).toEqual(
      told || os === 'darwin' ? [] : ['FOUR from 10.1.0.2'], // macOS: see users.test.ts
    );
  });

  test("replyInterface 'route' leaves by the default route, with the address that was asked", async () => {
    const guest = peerOn(world.linkB, ['198.51.100.8', '2001:db8:fff8::8'], 4005);
    await world.bind({ type: 'udp4' });
    await world.bind({ type: 'udp6', ipv6Only: true });
    guest.send('10.1.0.2', PORT, 'four');
    guest.send('2001:db8:1::2', PORT, 'six');
    await world.quiet();
    expect(guest.heard).toEqual([]);
    expect(world.linkA.lost.map(({ payload, source }) => `${payload} from ${source}`).sort()).toEqual([
      ...(os === 'darwin' ? [] : ['FOUR from 10.1.0.2']), // see users.test.ts
      'SIX from 2001:db8:1::2',
    ]);
  });

  test.each([
    ['port 0', '10.0.0.9', 0],
    ['a broadcast address', '10.0.0.255', 7],
    ['a group', '224.0.0.9', 7],
    ['0.0.0.0', '0.0.0.0', 68],
    ['this socket itself', '10.0.0.2', PORT],
  ])('a request that seems to come from %s is delivered, not answered', async (_, source, sourcePort) => {
    const { socket, messages, answers } = await world.bind({ type: 'udp4' });
    socket.setBroadcast(true);
    world.near.send('10.0.0.1', PORT, 'x', { source, sourcePort });
    await world.quiet();
    expect(messages).toHaveLength(1);
    expect(answers).toMatchObject([{ code: 'ERR_RECVFROMTO_UNANSWERABLE' }]);
    expect(world.linkA.lost).toEqual([]);
  });
});
