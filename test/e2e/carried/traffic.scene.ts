/**
 * What a datagram carries between two hosts, and what the kernel does to it on the way: ECN, filters, marks, times, losses.
 *
 *     we  eth0 10.1.0.1, fd01::1  ──  router, peer  10.1.0.9, fd01::9
 */
import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { bound, closeSockets, endHosts, Host, needs, outcome, type Peer, quiet, sh, until } from './hosts';

let host: Host;
let peer: Peer;

beforeAll(async () => {
  host = await Host.make();
  await host.cable('eth0', undefined, 'eth0');
  sh(
    `ip link set lo up; ip addr add 10.1.0.1/24 brd + dev eth0; ip addr add fd01::1/64 dev eth0 nodad; ip link set eth0 up`,
  );
  host.sh('ip addr add 10.1.0.9/24 brd + dev eth0; ip addr add fd01::9/64 dev eth0 nodad; ip link set eth0 up');
  peer = await host.peer(7000);
});
beforeEach(() => peer.forget());
afterEach(closeSockets);
afterAll(endHosts);

const families = [
  { type: 'udp4', own: '10.1.0.1', other: '10.1.0.9', header: 'ip' },
  { type: 'udp6', own: 'fd01::1', other: 'fd01::9', header: 'ip6' },
] as const;

const qdisc = (kind: string) => `unshare --net tc qdisc add dev lo root ${kind}`;
const withCodel = needs('ECN by a qdisc', qdisc('fq_codel ce_threshold 1us'), true);
const withFq = needs('txTime under fq', qdisc('fq'), true);
const withNft = needs('nft', 'unshare --net nft -f /dev/null');

/** Rules of nft that hold while something is done. */
async function ruled(rules: string, act: () => Promise<void>): Promise<void> {
  execFileSync('nft', ['-f', '-'], { input: `table inet scene {\n${rules}\n}\n` });
  try {
    await act();
  } finally {
    sh('nft delete table inet scene');
  }
}

describe.each(families)('$type', ({ type, own, other, header }) => {
  withNft('congestion that is marked on the way is seen in rinfo.ecn', async () => {
    const ours = await bound({ type, recvTOS: true });
    const rule = `chain c { type filter hook prerouting priority 0\n ${header} ecn ect0 ${header} ecn set ce\n}`;
    await ruled(rule, async () => {
      await peer.tell({ to: [own, ours.socket.address().port], data: 'x', tos: 0x2a });
      await until(() => ours.got.length === 1);
    });
    await peer.tell({ to: [own, ours.socket.address().port], data: 'x', tos: 0x2a });
    await until(() => ours.got.length === 2);
    expect(ours.got.map(([, { tos, ecn }]) => [tos, ecn])).toEqual([
      [0x2b, 3],
      [0x2a, 2],
    ]);
  });

  withCodel('congestion in a queue is marked by its qdisc', async () => {
    const ours = await bound({ type, recvTOS: true, recvBufferSize: 1 << 20 });
    const { port } = ours.socket.address();
    host.sh('tc qdisc add dev eth0 root handle 1: tbf rate 1mbit burst 2k latency 1s');
    host.sh('tc qdisc add dev eth0 parent 1:1 fq_codel ce_threshold 1us');
    await peer.tell({ to: [own, port], data: 'x'.repeat(1000), tos: 2, count: 20 });
    await until(() => ours.got.length === 20);
    host.sh('tc qdisc del dev eth0 root');
    expect(ours.got.map(([, { ecn }]) => ecn)).toContain(3);
  });

  test('setFilter() drops by the first byte, in the kernel', async () => {
    const ours = await bound({ type, recvDrops: true });
    const { port } = ours.socket.address();
    ours.socket.setFilter([
      [0x30, 0, 0, 8], // the byte behind UDP's header
      [0x15, 0, 1, 0x61],
      [0x06, 0, 0, 0xffffffff],
      [0x06, 0, 0, 0],
    ]);
    for (const data of ['abc', 'xyz', 'a', '']) await peer.tell({ to: [own, port], data });
    await until(() => ours.got.length === 2);
    await quiet();
    expect(ours.got.map(([text]) => text)).toEqual(['abc', 'a']);
    expect(ours.socket.stats()).toMatchObject({ datagramsIn: 2, filtered: 0 });
  });

  test('the counter of drops of a flood is right: what was sent is what came and what was dropped', async () => {
    const ours = await bound({ type, recvDrops: true, recvBufferSize: 8192 });
    const { port } = ours.socket.address();
    ours.socket.pause();
    const sent = 600;
    await peer.tell({ to: [own, port], data: 'x'.repeat(400), count: sent });
    ours.socket.resume();
    await until(() => ours.got.length > 0);
    await quiet();
    const received = ours.got.length;
    await peer.tell({ to: [own, port], data: 'last' });
    await until(() => ours.got.length === received + 1);
    const [text, { drops }] = ours.got[received];
    expect([text, drops]).toEqual(['last', sent - received]);
    expect(received).toBeLessThan(sent);
    expect(ours.socket.stats()).toMatchObject({ droppedByKernel: sent - received, datagramsIn: received + 1 });
    // and as the kernel says it elsewhere
    const table = sh(`cat /proc/net/udp${type === 'udp6' ? '6' : ''}`).split('\n');
    const row = table.find((line) => line.includes(`:${port.toString(16).toUpperCase().padStart(4, '0')} `));
    expect(Number(row?.trim().split(/\s+/).at(-1))).toBe(sent - received);
  });

  test('blockSource() hears a group without one of its senders, and unblockSource() undoes it', async () => {
    const group = type === 'udp4' ? '239.7.7.7' : 'ff15::777';
    const from = type === 'udp4' ? '10.1.0.8' : 'fd01::8';
    const on = type === 'udp4' ? own : '::%eth0';
    host.sh(`ip addr add ${from}/${type === 'udp4' ? '24 dev eth0' : '64 dev eth0 nodad'}
      ip ${type === 'udp4' ? 'route add 239.0.0.0/8' : '-6 route add ff15::/16 table local'} dev eth0 2>/dev/null || true`);
    const ours = await bound({ type });
    const { port } = ours.socket.address();
    ours.socket.addMembership(group, on);
    const say = async (data: string) => {
      for (const each of [from, other]) await peer.tell({ to: [group, port], data, from: each });
    };
    ours.socket.blockSource(from, group, on);
    await say('blocked');
    await until(() => ours.got.length === 1);
    ours.socket.unblockSource(from, group, on);
    await say('unblocked');
    await until(() => ours.got.length === 3);
    expect(ours.got.map(([text, { address }]) => [text, address])).toEqual([
      ['blocked', other],
      ['unblocked', from],
      ['unblocked', other],
    ]);
    expect(() => ours.socket.unblockSource(from, group, on)).toThrow(
      expect.objectContaining({ code: 'EADDRNOTAVAIL' }),
    );
    host.sh(`ip addr del ${from}/${type === 'udp4' ? 24 : 64} dev eth0`);
  });

  withNft('a mark of the firewall is told, and answers carry it', async () => {
    const ours = await bound({ type, recvMark: true, replyMark: true });
    const rules = `counter answers {}
      chain in { type filter hook prerouting priority 0\n meta l4proto udp meta mark set 77\n}
      chain out { type filter hook output priority 0\n meta mark 77 counter name answers\n}`;
    await ruled(rules, async () => {
      await peer.tell({ to: [own, ours.socket.address().port], data: 'x' });
      await until(() => ours.got.length === 1);
      expect(ours.got[0][1].mark).toBe(77);
      expect(await outcome((done) => ours.socket.reply('y', ours.got[0][1], done))).toBeNull();
      ours.socket.send('without', peer.port, other);
      ours.socket.send('with', { port: peer.port, address: other, mark: 77 });
      await peer.heard(3);
      expect(sh('nft list counter inet scene answers')).toMatch(/packets 2 /);
    });
  });

  test('txTime: what has a time leaves, beside what has none', async () => {
    const ours = await bound({ type });
    const txTime = process.hrtime.bigint() + 1_000_000n;
    expect(
      await outcome((done) => ours.socket.send('x', { port: peer.port, address: other, txTime }, done)),
    ).toBeNull();
    expect(await outcome((done) => ours.socket.send('y', peer.port, other, done))).toBeNull();
    // on a socket that has not been asked for it before, too
    (await bound({ type })).socket.sendSync('z', { port: peer.port, address: other, txTime });
    expect((await peer.heard(3)).map(({ data }) => data).sort()).toEqual(['x', 'y', 'z']);
  });

  withFq('txTime: under the fq qdisc it leaves then, and not before', async () => {
    sh('tc qdisc replace dev eth0 root fq');
    const ours = await bound({ type });
    const started = process.hrtime.bigint();
    const to = { port: peer.port, address: other };
    ours.socket.send('late', { ...to, txTime: started + 200_000_000n });
    ours.socket.send('soon', { ...to, txTime: started + 50_000_000n });
    await peer.heard(1);
    const first = process.hrtime.bigint() - started;
    await peer.heard(2);
    const second = process.hrtime.bigint() - started;
    sh('tc qdisc del dev eth0 root');
    expect(peer.lines.map(({ data }) => data)).toEqual(['soon', 'late']);
    expect(first).toBeGreaterThan(49_000_000n);
    expect(second).toBeGreaterThan(199_000_000n);
  });
});

const CAPABILITIES = '-net_admin,-net_raw';
const WITHOUT = ['inh-caps', 'ambient-caps', 'bounding-set'].map((set) => `--${set}=${CAPABILITIES}`);
const withSetpriv = needs('without privileges', `setpriv ${WITHOUT.join(' ')} true`);

withSetpriv('what needs a privilege says which, in its error and in capabilities()', () => {
  const program = `
    const { capabilities, createSocket } = require(${JSON.stringify(join(__dirname, '../../../dist/index.js'))});
    const { transparent, mark, notes } = capabilities();
    console.log(JSON.stringify({ transparent, mark, notes }));
    const proxy = createSocket({ type: 'udp4', transparent: true });
    proxy.on('error', ({ message }) => console.log(message));
    proxy.bind(0, () => proxy.close());
    const socket = createSocket('udp4');
    socket.bindSync();
    const to = { port: 9, address: '127.0.0.1', mark: 7 };
    try { socket.sendSync('x', to); } catch ({ message }) { console.log(message); }
    socket.send('x', to, (error) => { console.log(error?.message); socket.close(); });`;
  const output = execFileSync('setpriv', [...WITHOUT, process.execPath, '-e', program], { encoding: 'utf8' });
  const [first, ...errors] = output.trim().split('\n');
  expect(JSON.parse(first)).toEqual({
    transparent: false,
    mark: false,
    notes: { transparent: 'needs CAP_NET_ADMIN or CAP_NET_RAW', mark: 'needs CAP_NET_ADMIN' },
  });
  expect(errors.sort()).toEqual([
    'bind EPERM 0.0.0.0 (transparent needs CAP_NET_ADMIN or CAP_NET_RAW)',
    'send EPERM 127.0.0.1:9 (mark needs CAP_NET_ADMIN)',
    'send EPERM 127.0.0.1:9 (mark needs CAP_NET_ADMIN)',
  ]);
});
