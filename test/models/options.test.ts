/** Groups, sharing a port, and the rest of a socket's options: request bytes are read by the fixtures. */
import { models, PORT, World } from './world';

describe.each(models)('%s', (name) => {
  let world: World;
  beforeEach(() => {
    world = new World(name);
  });
  afterEach(() => world.close());

  const [os] = name.split('-');
  const linux = os === 'linux' || os === 'android';
  const sourceSpecific = os !== 'openbsd' && os !== 'netbsd';
  const code = (action: () => unknown): string | undefined => {
    try {
      action();
      return undefined;
    } catch (error) {
      return (error as NodeJS.ErrnoException).code;
    }
  };

  test('IPv4 groups: joined on the interface that an address names, and left again', async () => {
    const { socket, sock } = await world.bind({ type: 'udp4' });
    socket.addMembership('239.1.2.3', '10.1.0.2');
    socket.addMembership('239.1.2.4');
    expect(sock.groups).toEqual([
      { group: '239.1.2.3', ifindex: 0x102, source: undefined },
      { group: '239.1.2.4', ifindex: 3, source: undefined },
    ]);
    expect(code(() => socket.addMembership('239.1.2.3', '10.1.0.2'))).toBe('EADDRINUSE');
    socket.dropMembership('239.1.2.3', '10.1.0.1');
    socket.dropMembership('239.1.2.4');
    expect(sock.groups).toEqual([]);
    expect(code(() => socket.dropMembership('239.1.2.4'))).toBe('EADDRNOTAVAIL');
    expect(code(() => socket.addMembership('10.0.0.9'))).toBe('EINVAL');
  });

  test('IPv6 groups: joined on the interface that a zone names, and left again', async () => {
    const { socket, sock } = await world.bind({ type: 'udp6', ipv6Only: true });
    socket.addMembership('ff05::1', `::%${world.zone(0x102)}`);
    socket.addMembership(`ff02::2%${world.zone(0x102)}`);
    socket.addMembership('ff05::3');
    expect(sock.groups).toEqual([
      { group: 'ff05::1', ifindex: 0x102, source: undefined },
      { group: 'ff02::2', ifindex: 0x102, source: undefined },
      { group: 'ff05::3', ifindex: 3, source: undefined },
    ]);
    socket.dropMembership('ff05::1', `::%${world.zone(0x102)}`);
    socket.dropMembership(`ff02::2%${world.zone(0x102)}`);
    socket.dropMembership('ff05::3');
    expect(sock.groups).toEqual([]);
  });

  test('source-specific groups, where the system has them', async () => {
    const { socket, sock, messages } = await world.bind({ type: 'udp4' });
    const { socket: socket6, sock: sock6, messages: messages6 } = await world.bind({ type: 'udp6', ipv6Only: true });
    const join = () => socket.addSourceSpecificMembership('10.1.0.9', '232.1.2.3', '10.1.0.1');
    const join6 = () => socket6.addSourceSpecificMembership('2001:db8:1::9', 'ff35::1', `::%${world.zone(0x102)}`);
    if (!sourceSpecific) {
      expect([code(join), code(join6)]).toEqual(['ENOTSUP', 'ENOTSUP']);
      return;
    }
    join();
    join6();
    expect([...sock.groups, ...sock6.groups]).toEqual([
      { group: '232.1.2.3', ifindex: 0x102, source: '10.1.0.9' },
      { group: 'ff35::1', ifindex: 0x102, source: '2001:db8:1::9' },
    ]);
    for (const source of ['10.1.0.9', '10.1.0.77']) world.side.send('232.1.2.3', PORT, source, { source });
    for (const source of ['2001:db8:1::9', '2001:db8:1::7']) world.side.send('ff35::1', PORT, source, { source });
    await world.quiet();
    expect([...messages, ...messages6].map(({ text }) => text)).toEqual(['10.1.0.9', '2001:db8:1::9']);
    socket.dropSourceSpecificMembership('10.1.0.9', '232.1.2.3', '10.1.0.1');
    socket6.dropSourceSpecificMembership('2001:db8:1::9', 'ff35::1', `::%${world.zone(0x102)}`);
    expect([...sock.groups, ...sock6.groups]).toEqual([]);
  });

  test('what is sent to a group: interface, TTL, loop', async () => {
    const { socket, messages } = await world.bind({ type: 'udp4' }, {}, () => {});
    socket.addMembership('239.1.2.3', '10.1.0.1');
    socket.setMulticastInterface('10.1.0.1');
    socket.setMulticastTTL(33);
    socket.send('x', 4001, '239.1.2.3');
    socket.send('to itself', PORT, '239.1.2.3');
    await world.quiet();
    expect(world.side.inbox.map(({ source, ttl }) => [source, ttl])).toEqual([['10.1.0.1', 33]]);
    expect(messages.map(({ text }) => text)).toEqual(['to itself']);
    socket.setMulticastLoopback(false);
    socket.send('not to itself', PORT, '239.1.2.3');
    socket.setMulticastInterface('0.0.0.0');
    await world.quiet();
    expect(messages).toHaveLength(1);
    socket.send('default', 4000, '239.1.2.3');
    await world.quiet();
    expect(world.near.heard).toEqual(['default from 10.0.0.1']);
    expect(code(() => socket.setMulticastInterface('192.0.2.99'))).toBe('EADDRNOTAVAIL');
  });

  test('what is sent to an IPv6 group: interface, hops, loop', async () => {
    const { socket, messages } = await world.bind({ type: 'udp6', ipv6Only: true }, {}, () => {});
    socket.addMembership('ff05::1', `::%${world.zone(0x102)}`);
    socket.setMulticastInterface(`::%${world.zone(0x102)}`);
    socket.setMulticastTTL(33);
    socket.send('x', 4001, 'ff05::1');
    socket.send('to itself', PORT, 'ff05::1');
    await world.quiet();
    expect(world.side.inbox.map(({ ttl }) => ttl)).toEqual([33]);
    expect(messages.map(({ text }) => text)).toEqual(['to itself']);
    socket.setMulticastLoopback(false);
    socket.send('not to itself', PORT, 'ff05::1');
    await world.quiet();
    expect(messages).toHaveLength(1);
  });

  test('the TTL of the socket', async () => {
    const { socket } = await world.bind({ type: 'udp4' });
    const { socket: socket6 } = await world.bind({ type: 'udp6', ipv6Only: true });
    socket.setTTL(7);
    socket6.setTTL(8);
    socket.send('x', 4000, '10.0.0.9');
    socket6.send('x', 4000, '2001:db8::9');
    await world.quiet();
    expect(world.near.inbox.map(({ ttl }) => ttl).sort()).toEqual([7, 8]);
  });

  test('a port is shared with reuseAddr only', async () => {
    await world.bind({ type: 'udp4' });
    await expect(world.bind({ type: 'udp4' })).rejects.toMatchObject({ code: 'EADDRINUSE', syscall: 'bind' });
    await world.bind({ type: 'udp4', reuseAddr: true }, { port: 6000 });
    await world.bind({ type: 'udp4', reuseAddr: true }, { port: 6000 });
    await expect(world.bind({ type: 'udp4' }, { address: '192.0.2.99' })).rejects.toMatchObject({
      code: 'EADDRNOTAVAIL',
    });
  });

  test('reuseAddr shares the port and spreads nothing', async () => {
    const options = { type: 'udp4', reuseAddr: true } as const;
    const [one, two] = [await world.bind(options), await world.bind(options)];
    for (let sourcePort = 4000; sourcePort < 4010; sourcePort++) world.near.send('10.0.0.2', PORT, 'x', { sourcePort });
    await world.quiet();
    expect([one.messages.length, two.messages.length].sort()).toEqual([0, 10]);
  });

  test('reusePort spreads senders over the sockets, or is refused where the system cannot', async () => {
    const options = { type: 'udp4', reusePort: true } as const;
    if (!linux && os !== 'freebsd') {
      await expect(world.bind(options)).rejects.toMatchObject({ code: 'ENOTSUP', syscall: 'bind' });
      return;
    }
    const [one, two] = [await world.bind(options), await world.bind(options)];
    for (let sourcePort = 4000; sourcePort < 4010; sourcePort++) world.near.send('10.0.0.2', PORT, 'x', { sourcePort });
    await world.quiet();
    expect([one.messages.length, two.messages.length]).toEqual([5, 5]);
  });

  test('both families on one port, when IPv6 keeps to itself', async () => {
    await world.bind({ type: 'udp4' });
    await world.bind({ type: 'udp6', ipv6Only: true });
    const second = world.bind({ type: 'udp6', ipv6Only: false }, { port: 6000 });
    await expect(second).resolves.toBeDefined();
    const third = world.bind({ type: 'udp4' }, { port: 6000 });
    if (os === 'openbsd' || os === 'netbsd') await expect(third).resolves.toBeDefined();
    else await expect(third).rejects.toMatchObject({ code: 'EADDRINUSE' });
  });

  test('its own name', async () => {
    const { socket } = await world.bind({ type: 'udp6', ipv6Only: true }, { address: `fe80::1%${world.zone(3)}` });
    expect(socket.address()).toEqual({ address: `fe80::1%${world.zone(3)}`, family: 'IPv6', port: PORT });
    const { socket: socket4 } = await world.bind({ type: 'udp4' }, { address: '10.1.0.2', port: 0x1234 });
    expect(socket4.address()).toEqual({ address: '10.1.0.2', family: 'IPv4', port: 0x1234 });
  });
});
