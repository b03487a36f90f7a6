import { BlockList } from 'node:net';
import type { Socket } from '../../../../src/socket/socket';
import type { RemoteInfo, SocketOptions } from '../../../../src/types';
import { addressBytes, pktinfo6 } from '../../../support/bytes';
import { FakeNet, immediate, settled } from '../../../support/fake-socket';
import { type Case, caseOf, cases, linux64 } from '../../../support/layouts';

function rinfo(address: string, localAddress: string | undefined, other: Partial<RemoteInfo> = {}): RemoteInfo {
  const family = address.includes(':') ? 'IPv6' : 'IPv4';
  const destination = { address: localAddress ?? '', family, port: 53, ifindex: 1, interface: 'lo' } as const;
  return { address, family, port: 4321, size: 1, destination, localAddress, ...other };
}

/** What the callback got: a code, or null. */
async function replied(socket: Socket, to: RemoteInfo): Promise<string | null> {
  let calls = 0;
  let outcome: string | null = null;
  socket.reply('x', to, (error) => {
    calls++;
    outcome = (error as NodeJS.ErrnoException | null)?.code ?? null;
  });
  await settled();
  expect(calls).toBe(1);
  return outcome;
}

async function setUp(on: Case = linux64, options: Partial<SocketOptions> = {}, address?: string) {
  const net = new FakeNet(on);
  const { socket } = await net.bound(options, address);
  return { net, socket, sent: net.host.syscalls.sent };
}

describe.each(cases)('$name $arch', (on) => {
  test('leaves from where the request went to, to where it came from', async () => {
    const { socket, sent } = await setUp(on);
    expect(await replied(socket, rinfo('192.0.2.9', '192.0.2.1'))).toBeNull();
    const data = on.numbers.source4.bytes(addressBytes('192.0.2.1'), 0);
    expect(sent[0]).toMatchObject({ to: { address: '192.0.2.9', port: 4321 } });
    expect(sent[0].control).toEqual([{ level: 0, type: on.numbers.source4.type, data }]);
  });

  test('without a local address the kernel chooses', async () => {
    const { socket, sent } = await setUp(on);
    expect(await replied(socket, rinfo('192.0.2.9', undefined))).toBeNull();
    expect(sent[0].control).toEqual([]);
  });

  test('a link-local peer is answered on its own link', async () => {
    const { socket, sent } = await setUp(on, { type: 'udp6', ipv6Only: true });
    expect(await replied(socket, rinfo('fe80::9%lo', 'fe80::1%lo'))).toBeNull();
    expect(sent[0].to).toMatchObject({ scope: 1 });
    expect(sent[0].control).toEqual([pktinfo6(on, 'fe80::1', 1)]);
  });

  test('bound to one address it says nothing of it', async () => {
    const { socket, sent } = await setUp(on, {}, '192.0.2.1');
    expect(await replied(socket, rinfo('192.0.2.9', '192.0.2.1'))).toBeNull();
    expect(sent[0].control).toEqual([]);
  });
});

test("replyInterface 'ingress' names the interface; macOS cannot beside an address", async () => {
  for (const [on, ifindex] of [
    [linux64, 1],
    [caseOf('darwin', 'arm64'), 0],
  ] as const) {
    const { socket, sent } = await setUp(on, { replyInterface: 'ingress' });
    await replied(socket, rinfo('192.0.2.9', '192.0.2.1'));
    expect(sent[0].control[0].data).toEqual(on.numbers.source4.bytes(addressBytes('192.0.2.1'), ifindex));
  }
});

test('on Linux a source is named on a bound socket too; where that un-binds it, it is refused', async () => {
  const linux = await setUp(linux64, {}, '192.0.2.1');
  expect(await replied(linux.socket, rinfo('192.0.2.9', '192.0.2.7'))).toBeNull();
  expect(linux.sent[0].control.length).toBe(1);
  const darwin = await setUp(caseOf('darwin', 'arm64'), {}, '192.0.2.1');
  expect(await replied(darwin.socket, rinfo('192.0.2.9', '192.0.2.7'))).toBe('EADDRNOTAVAIL');
  expect(darwin.sent).toEqual([]);
});

describe('what is not answered', () => {
  test.each([
    ['port 0', rinfo('192.0.2.9', '192.0.2.1', { port: 0 })],
    ['multicast', rinfo('224.0.0.251', '192.0.2.1')],
    ['broadcast', rinfo('255.255.255.255', '192.0.2.1')],
    ['a subnet broadcast', rinfo('127.255.255.255', '192.0.2.1')],
    ['unspecified', rinfo('0.0.0.0', '192.0.2.1')],
  ])('%s', async (_, to) => {
    const { socket, sent } = await setUp();
    expect(await replied(socket, to)).toBe('ERR_RECVFROMTO_UNANSWERABLE');
    socket.reply('x', to); // without a callback: counted, not thrown
    await settled();
    expect(sent).toEqual([]);
    expect(socket.stats().sendErrors).toBe(2);
  });

  test('itself, whether it is bound to all addresses or to that one', async () => {
    for (const address of [undefined, '127.0.0.1']) {
      const { socket, sent } = await setUp(linux64, {}, address);
      const { port } = socket.address();
      expect(await replied(socket, rinfo('127.0.0.1', '127.0.0.1', { port }))).toBe('ERR_RECVFROMTO_UNANSWERABLE');
      expect(await replied(socket, rinfo('127.0.0.1', '127.0.0.1', { port: port + 1 }))).toBeNull();
      expect(sent.length).toBe(1);
    }
  });

  test('a blocked remote', async () => {
    const sendBlockList = new BlockList();
    sendBlockList.addSubnet('192.0.2.0', 24);
    const { socket, sent } = await setUp(linux64, { sendBlockList });
    expect(await replied(socket, rinfo('192.0.2.9', '192.0.2.1'))).toBe('ERR_IP_BLOCKED');
    expect(sent).toEqual([]);
  });

  test('an address of the other family', async () => {
    const { socket, sent } = await setUp();
    expect(await replied(socket, rinfo('2001:db8::9', undefined))).toBe('EINVAL');
    expect(sent).toEqual([]);
  });

  test('a source of the other family', async () => {
    const { socket } = await setUp();
    expect(await replied(socket, rinfo('192.0.2.9', '2001:db8::1'))).toBe('ERR_RECVFROMTO_SOURCE_MISMATCH');
  });
});

test('a connected socket answers its peer, and nobody else in its stead', async () => {
  const { socket, sent } = await setUp();
  await new Promise<void>((done) => socket.connect(4321, '192.0.2.9', done));
  expect(await replied(socket, rinfo('192.0.2.9', '192.0.2.1'))).toBeNull();
  expect(sent).toMatchObject([{ to: undefined, control: [] }]);
  // Heard before connect(), perhaps.
  expect(await replied(socket, rinfo('192.0.2.66', '192.0.2.1'))).toBe('ERR_SOCKET_DGRAM_IS_CONNECTED');
  expect(await replied(socket, rinfo('192.0.2.9', '192.0.2.1', { port: 4322 }))).toBe('ERR_SOCKET_DGRAM_IS_CONNECTED');
  expect(sent.length).toBe(1);
});

test.each([
  [null, 'ERR_INVALID_ARG_TYPE'],
  ['192.0.2.9', 'ERR_INVALID_ARG_TYPE'],
  [{}, 'ERR_SOCKET_BAD_PORT'],
  [{ port: 70000, address: '192.0.2.9' }, 'ERR_SOCKET_BAD_PORT'],
  [{ port: 1.5, address: '192.0.2.9' }, 'ERR_SOCKET_BAD_PORT'],
  [{ port: 9, address: 'example.org' }, 'ERR_INVALID_IP_ADDRESS'],
  [{ port: 9 }, 'ERR_INVALID_IP_ADDRESS'],
  [{ port: 9, address: '192.0.2.9', localAddress: 'here' }, 'ERR_INVALID_IP_ADDRESS'],
])('%p is no rinfo: %s, at once', async (bad, code) => {
  const { socket } = await setUp();
  expect(() => socket.reply('x', bad as RemoteInfo)).toThrow(expect.objectContaining({ code }));
  await immediate();
});

describe('the answer before is remembered, but', () => {
  const first = rinfo('192.0.2.9', '192.0.2.1');

  test.each<[string, RemoteInfo, object]>([
    ['another address is answered there', rinfo('192.0.2.10', '192.0.2.1'), { address: '192.0.2.10', port: 4321 }],
    ['another port too', rinfo('192.0.2.9', '192.0.2.1', { port: 9 }), { address: '192.0.2.9', port: 9 }],
  ])('%s', async (_, next, to) => {
    const { socket, sent } = await setUp(linux64, { gso: false });
    for (const one of [first, first, next, first]) expect(await replied(socket, one)).toBeNull();
    expect(sent[2]).toMatchObject({ to, control: sent[0].control });
    expect(sent[1]).toEqual(sent[0]);
    expect(sent[3]).toEqual(sent[0]);
  });

  test('who asks at another address is answered from that one, or from what the kernel chooses', async () => {
    const { socket, sent } = await setUp(linux64, { gso: false });
    for (const at of ['192.0.2.1', '192.0.2.2', undefined, '192.0.2.1']) await replied(socket, rinfo('192.0.2.9', at));
    const from = (address: string) => linux64.numbers.source4.bytes(addressBytes(address), 0);
    expect(sent.map(({ control }) => control[0]?.data)).toEqual([
      from('192.0.2.1'),
      from('192.0.2.2'),
      undefined,
      from('192.0.2.1'),
    ]);
  });

  test('who asks through another interface is answered through that one', async () => {
    const { socket, sent } = await setUp(linux64, { gso: false, replyInterface: 'ingress' });
    const through = (ifindex: number) => ({ ...first, destination: { ...first.destination!, ifindex } });
    for (const ifindex of [1, 2, 1]) await replied(socket, through(ifindex));
    expect(sent.map(({ control }) => control[0].data)).toEqual(
      [1, 2, 1].map((ifindex) => linux64.numbers.source4.bytes(addressBytes('192.0.2.1'), ifindex)),
    );
  });

  test('what was refused is refused again', async () => {
    const { socket, sent } = await setUp();
    const multicast = rinfo('224.0.0.251', '192.0.2.1');
    for (const one of [first, multicast, multicast, first]) await replied(socket, one);
    expect([sent.length, socket.stats().sendErrors]).toEqual([2, 2]);
    expect(await replied(socket, rinfo('192.0.2.9', '2001:db8::1'))).toBe('ERR_RECVFROMTO_SOURCE_MISMATCH');
    expect(await replied(socket, rinfo('192.0.2.9', '2001:db8::1'))).toBe('ERR_RECVFROMTO_SOURCE_MISMATCH');
  });

  test('a block list may be filled between two answers', async () => {
    const sendBlockList = new BlockList();
    const { socket } = await setUp(linux64, { sendBlockList });
    expect(await replied(socket, first)).toBeNull();
    sendBlockList.addAddress('192.0.2.9');
    expect(await replied(socket, first)).toBe('ERR_IP_BLOCKED');
  });

  test('a peer may be connected between two answers, and left', async () => {
    const { socket, sent } = await setUp(linux64, { gso: false });
    expect(await replied(socket, first)).toBeNull();
    await new Promise<void>((done) => socket.connect(4322, '192.0.2.66', done));
    expect(await replied(socket, first)).toBe('ERR_SOCKET_DGRAM_IS_CONNECTED');
    socket.disconnect();
    expect(await replied(socket, first)).toBeNull();
    expect(sent[1]).toEqual(sent[0]);
  });

  test('an interface may come between two answers, with a network whose broadcast address this is', async () => {
    const host = new FakeNet();
    const { socket } = await host.bound();
    expect(await replied(socket, first)).toBeNull();
    host.engine.names.generation++; // refresh() does that every few seconds
    jest.spyOn(host.engine.names, 'isSubnetBroadcast').mockReturnValue(true);
    expect(await replied(socket, first)).toBe('ERR_RECVFROMTO_UNANSWERABLE');
  });

  test('a zone may be the name of another interface when it is next asked for', async () => {
    const net = new FakeNet();
    const { socket } = await net.bound({ type: 'udp6', ipv6Only: true, gso: false });
    const zoned = rinfo('fe80::9%lo', '2001:db8::1');
    expect(await replied(socket, zoned)).toBeNull();
    net.host.syscalls.interfaces.delete(1);
    net.host.syscalls.interfaces.set(7, 'lo');
    const later = performance.now() + 60_000;
    const clock = jest.spyOn(performance, 'now').mockReturnValue(later);
    expect(await replied(socket, zoned)).toBeNull();
    clock.mockRestore();
    expect(net.host.syscalls.sent.map(({ to }) => to?.scope)).toEqual([1, 7]);
  });

  test('what is no rinfo is none after a good one either', async () => {
    const { socket } = await setUp();
    expect(await replied(socket, first)).toBeNull();
    for (const bad of [{ port: '4321' }, { port: 4321.5 }, { address: 1 }, { localAddress: null }]) {
      expect(() => socket.reply('x', { ...first, ...bad } as never)).toThrow();
    }
  });
});
