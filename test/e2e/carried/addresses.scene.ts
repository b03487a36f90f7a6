/**
 * Addresses that go and come, addresses that are this host's by its routing table alone, interfaces, groups of others, and
 * what a firewall hands over.
 *
 *     we  eth0 10.1.0.1-2, fd01::1-2  ──  client 10.1.0.9, fd01::9
 *         eth1, eth2 10.5.0.1/24      ──  two hosts that are both 10.5.0.9, fd05::9
 */
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { bound, closeSockets, endHosts, Host, needs, outcome, type Peer, quiet, sh, until } from './hosts';

let client: Peer;
let router: Host;
let twins: Peer[];

beforeAll(async () => {
  router = await Host.make();
  await router.cable('eth0', undefined, 'eth0');
  sh(`ip link set lo up; sysctl -qw net.ipv4.conf.all.rp_filter=0 net.ipv4.conf.default.rp_filter=0
    ip addr add 10.1.0.1/24 brd + dev eth0; ip addr add 10.1.0.2/24 dev eth0; echo 0 > /proc/sys/net/ipv4/conf/eth0/rp_filter
    ip addr add fd01::1/64 dev eth0 nodad; ip addr add fd01::2/64 dev eth0 nodad; ip link set eth0 up`);
  router.sh(`ip addr add 10.1.0.9/24 brd + dev eth0; ip addr add fd01::9/64 dev eth0 nodad; ip link set eth0 up
    ip route add default via 10.1.0.1; ip -6 route add default via fd01::1`);
  client = await router.peer(7000);
  twins = await Promise.all(
    ['eth1', 'eth2'].map(async (name) => {
      const twin = await Host.make();
      await twin.cable('eth0', undefined, name);
      sh(`ip addr add 10.5.0.1/24 brd + dev ${name}; ip addr add fd05::1/64 dev ${name} nodad; ip link set ${name} up
        echo 0 > /proc/sys/net/ipv4/conf/${name}/rp_filter`);
      twin.sh('ip addr add 10.5.0.9/24 dev eth0; ip addr add fd05::9/64 dev eth0 nodad; ip link set eth0 up');
      return twin.peer(7000);
    }),
  );
});
beforeEach(() => {
  for (const peer of [client, ...twins]) peer.forget();
});
afterEach(closeSockets);
afterAll(endHosts);

const families = [
  { type: 'udp4', second: '10.1.0.2', first: '10.1.0.1', asker: '10.1.0.9', length: 24, via: '' },
  { type: 'udp6', second: 'fd01::2', first: 'fd01::1', asker: 'fd01::9', length: 64, via: '-6' },
] as const;

describe.each(families)('$type', ({ type, first, second, asker, length, via }) => {
  const anyIP =
    type === 'udp4'
      ? { block: '192.0.2.0/24', one: '192.0.2.77' }
      : { block: '2001:db8:7::/64', one: '2001:db8:7::77' };

  test('an address that has gone is EADDRNOTAVAIL for reply(), and one that came later answers', async () => {
    const ours = await bound({ type });
    const { port } = ours.socket.address();
    const fresh = type === 'udp4' ? '10.1.0.3' : 'fd01::3';
    await client.tell({ to: [second, port], data: 'before' });
    await until(() => ours.got.length === 1);
    sh(`ip addr del ${second}/${length} dev eth0`);
    try {
      const rinfo = ours.got[0][1];
      expect(await outcome((done) => ours.socket.reply('x', rinfo, done))).toMatchObject({
        code: 'EADDRNOTAVAIL',
        localAddress: second,
        address: asker,
      });
      expect(ours.socket.stats().errors).toEqual({ EADDRNOTAVAIL: 1 });
    } finally {
      sh(`ip addr add ${second}/${length} dev eth0 ${type === 'udp6' ? 'nodad' : ''}`);
    }
    expect(await outcome((done) => ours.socket.reply('again', ours.got[0][1], done))).toBeNull();
    sh(`ip addr add ${fresh}/${length} dev eth0 ${type === 'udp6' ? 'nodad' : ''}`);
    await client.tell({ to: [fresh, port], data: 'to the new one' });
    await until(() => ours.got.length === 2);
    ours.socket.reply('from the new one', ours.got[1][1]);
    expect((await client.heard(2)).map(({ from, data }) => [data, from])).toEqual([
      ['again', second],
      ['from the new one', fresh],
    ]);
    sh(`ip addr del ${fresh}/${length} dev eth0`);
  });

  test('a sticky socket sends without the source that has gone', async () => {
    const ours = await bound({ type, stickySource: true });
    await client.tell({ to: [second, ours.socket.address().port], data: 'before' });
    await until(() => ours.got.length === 1);
    const { address, port } = ours.got[0][1];
    ours.socket.send('from the second', port, address);
    expect(await client.heard(1)).toMatchObject([{ from: second }]);
    sh(`ip addr del ${second}/${length} dev eth0`);
    try {
      expect(await outcome((done) => ours.socket.send('from another', port, address, done))).toBeNull();
      expect((await client.heard(2))[1]).toMatchObject({ data: 'from another', from: first });
    } finally {
      sh(`ip addr add ${second}/${length} dev eth0 ${type === 'udp6' ? 'nodad' : ''}`);
    }
  });

  test('AnyIP: each address of a block that is routed here answers, by reply(), sticky send() and sendSync()', async () => {
    sh(`ip ${via} route add local ${anyIP.block} dev lo`);
    try {
      for (const how of ['reply', 'send', 'sendSync'] as const) {
        client.forget();
        const ours = await bound({ type, stickySource: how !== 'reply' });
        await client.tell({ to: [anyIP.one, ours.socket.address().port], data: 'x' });
        await until(() => ours.got.length === 1);
        const rinfo = ours.got[0][1];
        expect(rinfo).toMatchObject({ localAddress: anyIP.one, destination: { address: anyIP.one } });
        if (how === 'reply') expect(await outcome((done) => ours.socket.reply('y', rinfo, done))).toBeNull();
        else if (how === 'sendSync') ours.socket.sendSync('y', rinfo);
        else expect(await outcome((done) => ours.socket.send('y', rinfo.port, rinfo.address, done))).toBeNull();
        expect(await client.heard(1)).toMatchObject([{ from: anyIP.one, data: 'y' }]);
      }
    } finally {
      sh(`ip ${via} route del local ${anyIP.block} dev lo`);
    }
  });

  test('freebind binds to an address that comes later, and sends from it then', async () => {
    const later = type === 'udp4' ? '10.1.0.44' : 'fd01::44';
    await expect(bound({ type }, { address: later })).rejects.toMatchObject({ code: 'EADDRNOTAVAIL' });
    const ours = await bound({ type, freebind: true }, { address: later });
    sh(`ip addr add ${later}/${length} dev eth0 ${type === 'udp6' ? 'nodad' : ''}`);
    await client.tell({ to: [later, ours.socket.address().port], data: 'x' });
    await until(() => ours.got.length === 1);
    ours.socket.reply('y', ours.got[0][1]);
    expect(await client.heard(1)).toMatchObject([{ from: later }]);
    sh(`ip addr del ${later}/${length} dev eth0`);
  });

  test('two devices with equal subnets: bindToDevice hears one, and answers through it', async () => {
    const there = type === 'udp4' ? '10.5.0.1' : 'fd05::1';
    const twin = type === 'udp4' ? '10.5.0.9' : 'fd05::9';
    const port = 7100;
    for (const [index, name] of ['eth1', 'eth2'].entries()) {
      const ours = await bound({ type, bindToDevice: name, reuseAddr: true }, { port });
      for (const peer of twins) await peer.tell({ to: [there, port], data: 'x' });
      await until(() => ours.got.length > 0);
      await quiet();
      expect(ours.got.map(([, { destination }]) => destination?.interface)).toEqual([name]);
      ours.socket.reply('by reply', ours.got[0][1]);
      ours.socket.send('by send', 7000, twin);
      await until(() => twins[index].lines.filter(({ data }) => data !== undefined).length === 2);
      expect(twins[1 - index].lines.filter(({ data }) => data !== undefined)).toEqual([]);
      closeSockets();
      for (const peer of twins) peer.forget();
    }
  });

  test('multicastAll: false does not hear a group that another process has joined', async () => {
    const [own, other] = type === 'udp4' ? ['239.1.1.1', '239.1.1.2'] : ['ff15::101', 'ff15::102'];
    const deaf = await bound({ type, multicastAll: false, reuseAddr: true }, { port: 7200 });
    const usual = await bound({ type, reuseAddr: true }, { port: 7200 });
    deaf.socket.addMembership(own, type === 'udp4' ? first : '::%eth0');
    const joiner = join(other, type);
    await once(joiner.stdout, 'data');
    router.sh(`ip ${via} route add ${type === 'udp4' ? '239.0.0.0/8' : 'ff15::/16 table local'} dev eth0 || true`);
    for (const group of [other, own]) await client.tell({ to: [group, 7200], data: group });
    await until(() => deaf.got.length > 0 && usual.got.length > 1);
    expect(deaf.got.map(([text]) => text)).toEqual([own]);
    expect(usual.got.map(([text]) => text)).toContain(other);
    joiner.kill('SIGKILL');
  });
});

/** Another process that joins a group on eth0. */
function join(group: string, type: 'udp4' | 'udp6') {
  const script = `import socket,struct,time
udp = socket.socket(${type === 'udp4' ? 'socket.AF_INET' : 'socket.AF_INET6'}, socket.SOCK_DGRAM)
${
  type === 'udp4'
    ? `udp.setsockopt(0, socket.IP_ADD_MEMBERSHIP, socket.inet_aton("${group}") + socket.inet_aton("10.1.0.1"))`
    : `udp.setsockopt(41, socket.IPV6_JOIN_GROUP, socket.inet_pton(socket.AF_INET6, "${group}") + struct.pack("I", socket.if_nametoindex("eth0")))`
}
print("joined", flush=True); time.sleep(60)`;
  return spawn('python3', ['-c', script]);
}

const NFT = `table inet divert { chain in { type filter hook prerouting priority mangle
  iifname "eth0" meta l4proto udp udp dport != { 546, 547 } tproxy to :5300 meta mark set 1 accept
  }
}`;
const proxied = needs(
  'TPROXY',
  `unshare --net sh -ec 'ip link add eth0 type veth peer name eth1; echo "$0" | nft -f -' '${NFT}'`,
);

describe('transparent', () => {
  proxied('what a firewall hands over says where it was sent to, and is answered from there', async () => {
    execFileSync('nft', ['-f', '-'], { input: NFT });
    sh('for v in -4 -6; do ip $v rule add fwmark 1 lookup 100; ip $v route add local default dev lo table 100; done');
    try {
      for (const [type, target] of [
        ['udp4', '198.51.100.7'],
        ['udp6', '2001:db8:9::7'],
      ] as const) {
        client.forget();
        const ours = await bound({ type, ipv6Only: true, transparent: true }, { port: 5300 });
        await client.tell({ to: [target, 53], data: 'x' });
        await until(() => ours.got.length === 1);
        const rinfo = ours.got[0][1];
        expect(rinfo.originalDestination).toEqual({ address: target, port: 53 });
        expect(rinfo.localAddress).toBe(target);
        const back = await bound(
          { type, ipv6Only: true, transparent: true, reuseAddr: true },
          { port: 53, address: target },
        );
        back.socket.send('y', rinfo.port, rinfo.address);
        ours.socket.reply('z', rinfo);
        const heard = await client.heard(2);
        expect(heard.map(({ from, port, data }) => [data, from, port])).toEqual([
          ['y', target, 53],
          ['z', target, 5300],
        ]);
      }
    } finally {
      sh('nft delete table inet divert; for v in -4 -6; do ip $v rule del fwmark 1 lookup 100; done');
    }
  });
});
