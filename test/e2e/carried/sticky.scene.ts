/**
 * `stickySource: { follow: 'route' }`: a host with two networks, whose way to its peer changes.
 *
 *     we  eth0  10.1.0.1, fd01::1  ──  10.1.0.254, fd01::254
 *         wlan0 10.2.0.1, fd02::1  ──  10.2.0.254, fd02::254   peer  10.9.0.9, fd09::9 (on its loopback interface)
 */
import { type Bound, bound, closeSockets, endHosts, Host, type Peer, sh, until } from './hosts';

let peer: Peer;

beforeAll(async () => {
  const host = await Host.make();
  await host.cable('one', undefined, 'eth0');
  await host.cable('two', undefined, 'wlan0');
  sh('ip link set lo up; sysctl -qw net.ipv4.conf.all.rp_filter=0');
  for (const [theirs, ours, net] of [
    ['one', 'eth0', 1],
    ['two', 'wlan0', 2],
  ]) {
    sh(`ip addr add 10.${net}.0.1/24 dev ${ours}; ip addr add fd0${net}::1/64 dev ${ours} nodad; ip link set ${ours} up
      echo 0 > /proc/sys/net/ipv4/conf/${ours}/rp_filter`);
    host.sh(`ip addr add 10.${net}.0.254/24 dev ${theirs}; ip addr add fd0${net}::254/64 dev ${theirs} nodad
      ip link set ${theirs} up; echo 0 > /proc/sys/net/ipv4/conf/${theirs}/rp_filter`);
  }
  host.sh('ip addr add 10.9.0.9/32 dev lo; ip addr add fd09::9/128 dev lo nodad');
  peer = await host.peer(7000);
});
beforeEach(() => peer.forget());
afterEach(closeSockets);
afterAll(endHosts);

/** Our way to the peer leads over this network. */
function route(net: 1 | 2): void {
  sh(`ip route replace 10.9.0.9/32 via 10.${net}.0.254; ip -6 route replace fd09::9/128 via fd0${net}::254 metric 1`);
  sh(`ip -6 route del fd09::9/128 via fd0${3 - net}::254 2>/dev/null || true`);
}

/** Sends to whoever asked first, and → from where. */
async function source({ socket, got }: Bound): Promise<string | undefined> {
  const [, { address, port }] = got[0];
  const before = peer.lines.filter(({ from }) => from !== undefined).length;
  socket.send('x', port, address);
  return (await peer.heard(before + 1)).at(-1)?.from;
}

describe.each([
  { type: 'udp4', first: '10.1.0.1', second: '10.2.0.1', there: '10.9.0.9' },
  { type: 'udp6', first: 'fd01::1', second: 'fd02::1', there: 'fd09::9' },
  // both families of a dual-stack socket
  { type: 'udp6', first: '10.1.0.1', second: '10.2.0.1', there: '10.9.0.9' },
] as const)('$type, asked at $first', ({ type, first, second, there }) => {
  beforeEach(() => route(1));

  test('the source is forgotten when the route leaves through another interface, until it is asked again', async () => {
    const ours = await bound({ type, stickySource: { follow: 'route' } });
    await peer.tell({ to: [first, ours.socket.address().port], from: there, data: 'x' });
    await until(() => ours.got.length === 1);
    expect(await source(ours)).toBe(first);
    const started = Date.now();
    route(2);
    let seen = await source(ours);
    while (seen === first && Date.now() - started < 5000) {
      await new Promise((done) => setTimeout(done, 50));
      seen = await source(ours);
    }
    expect(seen).toBe(second);
    expect(Date.now() - started).toBeLessThan(3000); // at most a second, on a busy machine
    // heard by the new way, it is answered from where it was asked
    await peer.tell({ to: [second, ours.socket.address().port], from: there, data: 'y' });
    await until(() => ours.got.length === 2);
    expect(await source(ours)).toBe(second);
  });

  test('without it the source sticks, whatever the route', async () => {
    const ours = await bound({ type, stickySource: true });
    await peer.tell({ to: [first, ours.socket.address().port], from: there, data: 'x' });
    await until(() => ours.got.length === 1);
    route(2);
    expect(await source(ours)).toBe(first);
  });

  test('clients on this host itself, and on its networks, are answered from where they asked', async () => {
    const ours = await bound({ type, stickySource: { follow: 'route' } });
    const { port } = ours.socket.address();
    const v6 = first.includes(':');
    for (const [address, asked] of v6
      ? [
          ['fd01::1', 'fd02::1'],
          ['fd02::1', 'fd01::1'],
          ['::1', '::1'],
        ]
      : [
          ['10.1.0.1', '10.2.0.1'],
          ['10.2.0.1', '10.1.0.1'],
          ['127.0.0.1', '127.0.0.9'],
        ]) {
      const client = await bound({ type: v6 ? 'udp6' : 'udp4' }, { address });
      ours.got.length = 0;
      client.socket.send('x', port, asked);
      await until(() => ours.got.length === 1);
      ours.socket.send('y', ours.got[0][1].port, ours.got[0][1].address);
      await until(() => client.got.length === 1);
      expect(client.got[0][1].address).toBe(asked);
    }
  });
});
