/**
 * What sockets of ours carry and can be, on the models of kernels that have it: filters and steering, times to leave, marks, path
 * MTUs, original destinations, errors with where they came to, ports that the kernel takes back. Sources beside the models.
 */
import { Socket } from '../../src/socket/socket';
import type { Instruction } from '../../src/types';
import { PORT, World } from './world';

let world: World;
const open: Socket[] = [];
afterEach(() => {
  for (const socket of open.splice(0)) socket.close();
  world.close();
});

const unbound = (options: ConstructorParameters<typeof Socket>[0]) => {
  const socket = new Socket(options, undefined, world.engine);
  open.push(socket);
  return socket;
};
/** Also where its bind() fails, of which a callback does not hear. */
const settled = (socket: Socket, action: (done: (error?: unknown) => void) => void) =>
  new Promise((done) => {
    socket.once('error', done);
    action(done);
  });
const sent = (socket: Socket, msg: string, options: object) =>
  settled(socket, (done) => socket.send(msg, { port: 4000, address: '10.0.0.9', ...options } as never, done));
const connected = (socket: Socket, address: string) =>
  settled(socket, (done) => socket.connect(4000, address, done as () => void));

describe.each(['linux-x64', 'linux-arm', 'android-arm64'])('%s', (os) => {
  beforeEach(() => {
    world = new World(os);
  });

  /** Lets through what begins with 'b', or shortens it. */
  const only = (letter: string, keep = 0xffff): Instruction[] => [
    [0x30, 0, 0, 8], // the first byte behind UDP's header
    [0x15, 0, 1, letter.charCodeAt(0)],
    [0x06, 0, 0, keep],
    [0x06, 0, 0, 0],
  ];

  test('setFilter() drops by the first byte, cuts what it is told to, and is taken off again', async () => {
    const { socket, messages } = await world.bind({ type: 'udp4' }, {}, () => {});
    const hear = async (...texts: string[]) => {
      for (const text of texts) world.near.send('10.0.0.2', PORT, text);
      await world.quiet();
      return messages.splice(0).map(({ text }) => text);
    };
    socket.setFilter(only('b'));
    expect(await hear('apple', 'banana', '')).toEqual(['banana']);
    socket.setFilter(only('b', 8 + 3));
    expect(await hear('banana')).toEqual(['ban']);
    socket.setFilter(null);
    expect(await hear('apple')).toEqual(['apple']);
    expect(() => socket.setFilter(null)).toThrow(expect.objectContaining({ code: 'ENOENT', syscall: 'setFilter' }));
    expect(() => socket.setFilter([[0xffff, 0, 0, 0]])).toThrow(expect.objectContaining({ code: 'EINVAL' }));
    expect(() => socket.setFilter([[0x30, 0, 0, 0]])).toThrow(expect.objectContaining({ code: 'EINVAL' })); // no return
  });

  test('reusePort: { steer } gives each datagram to the socket whose number its payload names', async () => {
    const byDigit: Instruction[] = [
      [0x30, 0, 0, 0], // the payload alone is seen
      [0x94, 0, 0, 2],
      [0x16, 0, 0, 0],
    ];
    const options = { type: 'udp4', reusePort: { steer: byDigit } } as const;
    const sockets = [await world.bind(options, {}, () => {}), await world.bind(options, {}, () => {})];
    for (const text of ['0', '1', '3', '2', '5']) world.near.send('10.0.0.2', PORT, text);
    await world.quiet();
    expect(sockets.map(({ messages }) => messages.map(({ text }) => text))).toEqual([
      ['0', '2'],
      ['1', '3', '5'],
    ]);
  });

  test.each(['udp4', 'udp6'] as const)('txTime and mark go with a datagram, %s', async (type) => {
    const socket = unbound({ type });
    const to = type === 'udp4' ? {} : { address: '2001:db8::9' };
    expect(await sent(socket, 'x', { ...to, txTime: 0x1_2345_6789_abcd_efn, mark: 0xfedcba98 })).toBeNull();
    expect(await sent(socket, 'y', to)).toBeNull();
    await world.quiet();
    expect(world.near.inbox.map(({ txTime, mark }) => [txTime, mark])).toEqual([
      [0x1_2345_6789_abcd_efn, 0xfedcba98],
      [undefined, undefined],
    ]);
  });

  test('an icmp event says where it came to, and reads its error behind the control messages of other options', async () => {
    const { socket, sock } = await world.bind(
      { type: 'udp4', recvErrors: true, recvTTL: true, recvTOS: true, recvTimestamp: true },
      {},
      () => {},
    );
    const events: unknown[] = [];
    socket.on('icmp', (event) => events.push(event));
    world.kernel.complain(sock.fd, {
      ...{ errno: 'EHOSTUNREACH', origin: 'SO_EE_ORIGIN_ICMP', type: 3, code: 1, info: 0 },
      to: { address: '198.51.100.7', port: 4002, scope: 0 },
      payload: Buffer.from('what was sent'),
      offender: '10.0.0.254',
    });
    await world.quiet();
    expect(events).toMatchObject([
      {
        ...{ code: 'EHOSTUNREACH', type: 3, offender: '10.0.0.254', localAddress: '10.0.0.1' },
        remote: { address: '198.51.100.7', port: 4002 },
      },
    ]);
  });

  test('disconnect() gives a port back that the kernel has chosen, as with dgram; the next send has another', async () => {
    const { socket, sock, messages } = await world.bind({ type: 'udp4' }, { port: 0 }, () => {});
    const before = socket.address().port;
    await connected(socket, '10.0.0.9');
    socket.disconnect();
    expect([sock.port, socket.address().port]).toEqual([0, 0]);
    expect(await sent(socket, 'x', {})).toBeNull();
    await world.quiet();
    const after = world.near.inbox[0].sourcePort;
    expect(after).not.toBe(before);
    expect(socket.address().port).toBe(after);
    world.near.send('10.0.0.1', after, 'heard again');
    await world.quiet();
    expect(messages.map(({ text, rinfo }) => [text, rinfo.destination?.port])).toEqual([['heard again', after]]);
  });

  test('a port that was named stays', async () => {
    const { socket } = await world.bind({ type: 'udp4' });
    await connected(socket, '10.0.0.9');
    socket.disconnect();
    expect(socket.address().port).toBe(PORT);
  });
});

describe.each(['darwin-arm64', 'freebsd-x64', 'openbsd-x64', 'netbsd-x64'])('%s', (os) => {
  test('pathMtu() of a connected udp6 socket; of IPv4 it is not told', async () => {
    world = new World(os);
    const six = unbound({ type: 'udp6', ipv6Only: true });
    expect(() => six.pathMtu()).toThrow(expect.objectContaining({ code: 'ERR_SOCKET_DGRAM_NOT_CONNECTED' }));
    await connected(six, '2001:db8::9');
    expect(six.pathMtu()).toBe(1500);
    const four = unbound({ type: 'udp4' });
    await connected(four, '10.0.0.9');
    expect(() => four.pathMtu()).toThrow(expect.objectContaining({ syscall: 'pathMtu' }));
  });
});

describe.each(['linux-x64', 'freebsd-x64', 'openbsd-x64'])('%s', (os) => {
  // What OpenBSD's pf diverts keeps its address: the port alone is told beside it.
  test.each([
    ['udp4', '10.0.0.2', '203.0.113.5'],
    ['udp6', '2001:db8::2', '2001:db8:5::5'],
  ] as const)('transparent: rinfo.originalDestination of what a firewall has diverted, %s', async (type, here, original) => {
    world = new World(os);
    const { messages } = await world.bind({ type, transparent: true, ipv6Only: type === 'udp6' }, {}, () => {});
    world.near.send(here, PORT, 'diverted', {
      original: { address: os === 'openbsd-x64' ? here : original, port: 53 },
    });
    world.near.send(here, PORT, 'not');
    await world.quiet();
    const told = messages.map(({ rinfo }) => rinfo.originalDestination);
    expect(told).toEqual(
      os === 'openbsd-x64'
        ? [
            { address: here, port: 53 },
            { address: here, port: PORT },
          ]
        : [
            { address: original, port: 53 },
            { address: here, port: PORT },
          ],
    );
  });
});
