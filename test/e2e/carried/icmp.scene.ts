/**
 * What the network answers to what is sent: ports that nobody listens on, small MTUs, hops that are used up.
 *
 *     we  eth0 10.1.0.1, fd01::1  ──  router  ──  (MTU 1280)  ──  far  10.2.0.9, fd02::9
 */
import { once } from 'node:events';
import type { IcmpError, SocketOptions } from '../../../src/index';
import { type Bound, bound, closeSockets, endHosts, Host, outcome, type Peer, sh, until } from './hosts';

const families = [
  { type: 'udp4', far: '10.2.0.9', router: '10.1.0.254', own: '10.1.0.1' },
  { type: 'udp6', far: 'fd02::9', router: 'fd01::254', own: 'fd01::1' },
] as const;

let peer: Peer;
let router: Host;

beforeAll(async () => {
  router = await Host.make();
  const far = await Host.make();
  await router.cable('near', undefined, 'eth0');
  await router.cable('behind', far, 'eth0');
  sh(`ip link set lo up
    ip addr add 10.1.0.1/24 dev eth0 && ip addr add fd01::1/64 dev eth0 nodad && ip link set eth0 up
    ip route add 10.2.0.0/24 via 10.1.0.254 && ip route add fd02::/64 via fd01::254`);
  // Linux answers a host once a second or so.
  for (const host of [router, far]) host.sh('sysctl -qw net.ipv4.icmp_ratelimit=0 net.ipv6.icmp.ratelimit=0');
  router.sh(`sysctl -qw net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1
    ip addr add 10.1.0.254/24 dev near && ip addr add fd01::254/64 dev near nodad && ip link set near up
    ip addr add 10.2.0.254/24 dev behind && ip addr add fd02::254/64 dev behind nodad && ip link set behind mtu 1280 up`);
  far.sh(`ip addr add 10.2.0.9/24 dev eth0 && ip addr add fd02::9/64 dev eth0 nodad && ip link set eth0 mtu 1280 up
    ip route add default via 10.2.0.254 && ip -6 route add default via fd02::254`);
  peer = await far.peer(7000);
});
afterEach(closeSockets);
afterAll(endHosts);
beforeEach(() => {
  sh('ip route flush cache; ip -6 route flush cache');
  peer.forget();
});

const icmpOf = async ({ socket }: Bound): Promise<IcmpError> => (await once(socket, 'icmp'))[0];
const wildcards: Record<4 | 6, SocketOptions[]> = {
  4: [{ type: 'udp4' }, { type: 'udp6' }],
  6: [{ type: 'udp6' }, { type: 'udp6', ipv6Only: true }],
};

describe.each(families)('$type', ({ type, far, router: hop, own }) => {
  const family = type === 'udp4' ? 4 : 6;
  const rejected = { code: 'ECONNREFUSED', origin: family === 4 ? 'icmp' : 'icmp6' };
  const numbers = family === 4 ? { type: 3, icmpCode: 3 } : { type: 1, icmpCode: 4 };

  test.each(wildcards[family])('a port unreachable is told with its peer and who says so: %j', async (options) => {
    const mapped = options.type !== type;
    const text = (address: string) => (mapped ? `::ffff:${address}` : address);
    const ours = await bound({ ...options, recvErrors: true });
    const icmp = icmpOf(ours);
    expect(await outcome((done) => ours.socket.send('x', 7999, text(far), done))).toBeNull();
    const error = await icmp;
    expect(error).toMatchObject({ ...rejected, ...numbers, remote: { address: text(far), port: 7999 } });
    expect([error.offender, error.localAddress].map((address) => address?.replace('::ffff:', ''))).toEqual([far, own]);
    // and nothing of it is left for the next one
    expect(await outcome((done) => ours.socket.send('next', peer.port, text(far), done))).toBeNull();
    expect(await peer.heard(1)).toMatchObject([{ data: 'next', from: own }]);
  });

  test('one dead peer fails no other, in one batch or alone, nor a sendSync()', async () => {
    const ours = await bound({ type, recvErrors: true });
    const errors: IcmpError[] = [];
    ours.socket.on('icmp', (error) => errors.push(error));
    for (let round = 0; round < 3; round++) {
      const all = ['dead', 'alive'].map((msg) => ({ msg, port: msg === 'dead' ? 7999 : 7000, address: far }));
      const outcomes = await new Promise((done) => ours.socket.sendMany(all, (error, sent) => done([error, sent])));
      expect(outcomes).toEqual([null, 2]);
      await until(() => errors.length === 2 * round + 1);
      ours.socket.sendSync('dead', { port: 7999, address: far });
      ours.socket.sendSync('alive', { port: 7000, address: far });
      await until(() => errors.length === 2 * round + 2);
    }
    expect(await peer.heard(6)).toHaveLength(6);
    expect(ours.socket.stats().sendErrors).toBe(0);
  });

  test('behind a small MTU fragmentation is needed, and `mtu` says what fits', async () => {
    const ours = await bound({ type, recvErrors: true, mtuDiscover: 'do' });
    const icmp = icmpOf(ours);
    expect(await outcome((done) => ours.socket.send(Buffer.alloc(1400), peer.port, far, done))).toBeNull();
    const error = await icmp;
    expect(error).toMatchObject({ code: 'EMSGSIZE', mtu: 1280, offender: hop, remote: { address: far, port: 7000 } });
    expect(error).toMatchObject(family === 4 ? { type: 3, icmpCode: 4 } : { type: 2, icmpCode: 0 });
    // From now on the kernel knows, and refuses itself: once, with the same number.
    const local: IcmpError[] = [];
    ours.socket.on('icmp', (one) => local.push(one));
    const refused = await outcome((done) => ours.socket.send(Buffer.alloc(1400), peer.port, far, done));
    expect(refused).toMatchObject({ code: 'EMSGSIZE', mtu: 1280, address: far });
    expect(() => ours.socket.sendSync(Buffer.alloc(1400), { port: peer.port, address: far })).toThrow(
      expect.objectContaining({ code: 'EMSGSIZE', mtu: 1280 }),
    );
    const most = 1280 - (family === 4 ? 28 : 48);
    expect(await outcome((done) => ours.socket.send(Buffer.alloc(most), peer.port, far, done))).toBeNull();
    expect(await peer.heard(1)).toMatchObject([{ size: most }]);
    expect(local.every(({ origin, mtu }) => origin === 'local' && mtu === 1280)).toBe(true);
    expect(ours.socket.stats().errors).toEqual({ EMSGSIZE: 2 });
  });

  test('without recvErrors EMSGSIZE says what fits, too, and pathMtu() of a connected socket', async () => {
    const ours = await bound({ type, mtuDiscover: 'do' });
    await new Promise<void>((done) => ours.socket.connect(peer.port, far, done));
    expect(ours.socket.pathMtu()).toBe(1500);
    ours.socket.on('error', () => {}); // a connected socket's next receive may be told
    ours.socket.send(Buffer.alloc(1400));
    await until(() => ours.socket.pathMtu() === 1280);
    const outcomes = [];
    for (let i = 0; i < 3; i++) outcomes.push(await outcome((done) => ours.socket.send(Buffer.alloc(1400), done)));
    expect(outcomes.at(-1)).toMatchObject({ code: 'EMSGSIZE', mtu: 1280 });
    expect(ours.socket.stats().errors.EMSGSIZE).toBeGreaterThan(0);
  });

  test('large messages are fragmented as the path wants with `want`, and arrive', async () => {
    const ours = await bound({ type, mtuDiscover: 'want', recvErrors: true });
    ours.socket.on('icmp', () => {});
    await until(() => {
      ours.socket.send(Buffer.alloc(1400), peer.port, far);
      return peer.lines.length > 0;
    });
    expect(peer.lines[0]).toMatchObject({ size: 1400, from: own });
  });

  test.each([
    true,
    false,
  ])('runs that do not fit the path say so, and those that do arrive (recvErrors: %s)', async (recvErrors) => {
    const ours = await bound({ type, mtuDiscover: 'do', recvErrors });
    ours.socket.on('icmp', () => {});
    const to = { port: peer.port, address: far };
    ours.socket.send(Buffer.alloc(1400), to.port, to.address);
    await until(() => {
      try {
        ours.socket.sendSync(Buffer.alloc(1300), to);
      } catch (error) {
        return (error as NodeJS.ErrnoException).code === 'EMSGSIZE';
      }
      return false;
    });
    const large = await outcome((done) => ours.socket.send(Buffer.alloc(5600), { ...to, segmentSize: 1400 }, done));
    expect(large).toMatchObject({ code: 'EMSGSIZE', mtu: 1280 });
    const small = await outcome((done) => ours.socket.send(Buffer.alloc(5000), { ...to, segmentSize: 1200 }, done));
    expect(small).toBeNull();
    // what the test before has sent may still come
    const { port } = ours.socket.address();
    const sizes = () => peer.lines.filter((line) => line.port === port).map(({ size }) => size);
    await until(() => sizes().length === 5);
    expect(sizes()).toEqual([1200, 1200, 1200, 1200, 200]);
    expect(ours.socket.stats().wouldBlock).toBe(0);
  });

  test('time exceeded comes from the router', async () => {
    const ours = await bound({ type, recvErrors: true });
    const icmp = icmpOf(ours);
    expect(await outcome((done) => ours.socket.send('x', { port: peer.port, address: far, ttl: 1 }, done))).toBeNull();
    expect(await icmp).toMatchObject({
      code: 'EHOSTUNREACH',
      offender: hop,
      remote: { address: far, port: peer.port },
      ...(family === 4 ? { type: 11, icmpCode: 0 } : { type: 3, icmpCode: 0 }),
    });
  });

  test('TTL and hop limit drop by one per hop, both ways', async () => {
    const ours = await bound({ type, recvTTL: true });
    ours.socket.send('x', { port: peer.port, address: far, ttl: 77 });
    expect(await peer.heard(1)).toMatchObject([{ ttl: 76 }]);
    await peer.tell({ to: [own, ours.socket.address().port], data: 'back', ttl: 9 });
    await until(() => ours.got.length === 1);
    expect(ours.got[0][1].ttl).toBe(8);
  });

  test('ECN of the sender comes through, and goes out', async () => {
    const ours = await bound({ type, recvTOS: true });
    await peer.tell({ to: [own, ours.socket.address().port], data: 'x', tos: 0x2a });
    await until(() => ours.got.length === 1);
    expect(ours.got[0][1]).toMatchObject({ tos: 0x2a, ecn: 2 });
    ours.socket.send('x', { port: peer.port, address: far, tos: 0x29 });
    expect(await peer.heard(1)).toMatchObject([{ tos: 0x29 }]);
  });
});

test('both families of one dual-stack socket are told with the mtu of their own path', async () => {
  const ours = await bound({ type: 'udp6', recvErrors: true, mtuDiscover: 'do' });
  const errors: IcmpError[] = [];
  ours.socket.on('icmp', (error) => errors.push(error));
  for (const address of ['fd02::9', '::ffff:10.2.0.9']) ours.socket.send(Buffer.alloc(1400), peer.port, address);
  await until(() => errors.length === 2);
  expect(errors.map(({ code, mtu, remote }) => [code, mtu, remote.address]).sort()).toEqual([
    ['EMSGSIZE', 1280, '::ffff:10.2.0.9'],
    ['EMSGSIZE', 1280, 'fd02::9'],
  ]);
  for (const address of ['fd02::9', '::ffff:10.2.0.9']) {
    const refused = await outcome((done) => ours.socket.send(Buffer.alloc(1400), peer.port, address, done));
    expect(refused).toMatchObject({ code: 'EMSGSIZE', mtu: 1280, address });
  }
});
