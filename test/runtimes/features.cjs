// The features of the matrix, one check or more each. The client is node:dgram, which knows nothing of us: it sees where
// an answer comes from by recvfrom(2).
'use strict';
const assert = require('node:assert');
const dgram = require('node:dgram');
const { execFileSync } = require('node:child_process');
const { once } = require('node:events');

const ASKED4 = ['127.0.0.1', '127.0.0.2', '127.1.2.3'];
const PRIMARY4 = '192.0.2.1';
const SECONDARY4 = '192.0.2.7';
const DOOMED4 = '192.0.2.9';
const PRIMARY6 = '2001:db8::1';
const SECONDARY6 = '2001:db8::7';
const DOOMED6 = '2001:db8::9';
const BROADCAST4 = '192.0.2.255';
const GROUP4 = '239.1.2.3';
const GROUP6 = 'ff12::1:2:3';

const needsDevice = ({ device }) => (device ? undefined : 'needs a network namespace with an interface of its own');

/** A socket of ours that answers what it hears with `reply`, upper-cased, and remembers what it was told. */
async function echo({ library }, options, address, prepare = () => {}) {
  const socket = library.createSocket(options);
  const heard = [];
  const replied = [];
  socket.on('message', (msg, rinfo) => {
    heard.push(rinfo);
    socket.reply(String(msg).toUpperCase(), rinfo, (error) => replied.push(error ?? null));
  });
  socket.bind(0, address);
  await once(socket, 'listening');
  prepare(socket);
  return { socket, heard, replied, port: socket.address().port };
}

/** Asks with node:dgram. → where the answer came from, or undefined when none comes */
async function ask(family, port, address, { bound, prepare = () => {}, wait = 3000, text = 'hello' } = {}) {
  const client = dgram.createSocket(family);
  try {
    client.bind(0, bound);
    await once(client, 'listening');
    prepare(client);
    const answer = new Promise((done, failed) => {
      client.once('message', (msg, rinfo) => done({ text: String(msg), from: rinfo.address, port: rinfo.port }));
      client.once('error', failed);
    });
    let timer;
    const silence = new Promise((done) => {
      timer = setTimeout(done, wait);
    });
    client.send(text, port, address);
    const got = await Promise.race([answer, silence]);
    clearTimeout(timer);
    if (got !== undefined) assert.strictEqual(got.text, text.toUpperCase());
    if (got !== undefined) assert.strictEqual(got.port, port);
    return got?.from;
  } finally {
    client.close();
  }
}

const bare = (address) => address?.replace(/%.*/, '').replace(/^::ffff:/i, '');

/** Asks each address; the answer must come from it, and the server must have been told it. */
async function asked(_world, server, family, addresses, how = {}) {
  for (const address of addresses) {
    const before = server.heard.length;
    assert.strictEqual(bare(await ask(family, server.port, address, how)), bare(address), `asked ${address}`);
    const { destination, localAddress } = server.heard[before];
    assert.strictEqual(bare(destination?.address), bare(address), 'rinfo.destination.address');
    assert.strictEqual(bare(localAddress), bare(address), 'rinfo.localAddress');
    assert.ok(destination.ifindex > 0 && destination.interface, 'rinfo.destination.interface');
  }
  return addresses.join(', ');
}

/** Closes the server whatever happens. */
const during = (make, check) => async (world) => {
  const server = await make(world);
  try {
    return await check(world, server);
  } finally {
    server.socket.close();
  }
};

const ip = (...args) => execFileSync('ip', args, { stdio: ['ignore', 'ignore', 'pipe'] });

/** Linux makes the route to a new IPv6 address a moment after `ip` has come back (addrconf_dad_work). */
async function arrived(address) {
  const args = [address.includes(':') ? '-6' : '-4', 'route', 'show', 'table', 'local', 'to', address];
  while (!execFileSync('ip', args, { encoding: 'utf8' }).includes(address))
    await new Promise((done) => setTimeout(done, 5));
}

const v4 = (world) => echo(world, 'udp4', '0.0.0.0');
const v6 = (world) => echo(world, { type: 'udp6', ipv6Only: true }, '::');
const dual = (world) => echo(world, { type: 'udp6', ipv6Only: false }, '::');

/** The asked address goes away between the request and the answer. */
const vanishing = (family, doomed, prefix, stays) =>
  during(family === 'udp4' ? v4 : v6, async (world, server) => {
    ip('addr', 'replace', `${doomed}/${prefix}`, 'dev', world.device, ...(family === 'udp6' ? ['nodad'] : []));
    await arrived(doomed);
    const { socket } = server;
    socket.removeAllListeners('message');
    const request = once(socket, 'message');
    const silence = ask(family, server.port, doomed, { wait: 1500, bound: stays });
    const [, rinfo] = await request;
    ip('addr', 'del', `${doomed}/${prefix}`, 'dev', world.device);
    const error = await new Promise((done) => socket.reply('late', rinfo, done));
    assert.strictEqual(error?.code, 'EADDRNOTAVAIL');
    assert.strictEqual(error.localAddress, doomed);
    assert.strictEqual(await silence, undefined, 'nothing may leave from another address');
    socket.on('message', (msg, from) => socket.reply(String(msg).toUpperCase(), from));
    assert.strictEqual(await ask(family, server.port, stays), stays, 'and the socket goes on');
    return `${doomed}: EADDRNOTAVAIL`;
  });

const features = [
  {
    feature: 'receive',
    name: 'IPv4 and IPv6: each datagram says where it was sent to',
    async run(world) {
      const told = [];
      for (const [make, family, addresses] of [
        [v4, 'udp4', ASKED4],
        [v6, 'udp6', ['::1']],
      ]) {
        const server = await make(world);
        for (const address of addresses) await ask(family, server.port, address);
        told.push(...server.heard.map(({ destination }) => destination?.address));
        assert.ok(server.heard.every(({ destination }) => destination?.interface === 'lo'));
        server.socket.close();
      }
      assert.deepStrictEqual(told, [...ASKED4, '::1']);
      return told.join(', ');
    },
  },
  {
    feature: 'reply',
    name: 'IPv4: from the asked loopback address',
    run: during(v4, (world, server) => asked(world, server, 'udp4', ASKED4)),
  },
  {
    feature: 'reply',
    name: 'IPv4: from the asked secondary address',
    needs: needsDevice,
    run: during(v4, (world, server) => asked(world, server, 'udp4', [SECONDARY4, PRIMARY4])),
  },
  {
    feature: 'reply',
    name: 'IPv6: from the asked secondary address',
    needs: needsDevice,
    run: during(v6, (world, server) => asked(world, server, 'udp6', ['::1', SECONDARY6, PRIMARY6])),
  },
  {
    feature: 'reply',
    name: 'createServer: both families on one port, each from the asked address',
    async run(world) {
      const server = world.library.createServer((msg, rinfo) => server.reply(String(msg).toUpperCase(), rinfo));
      server.listen(0);
      await once(server, 'listening');
      const { port } = server.address();
      const from = [await ask('udp4', port, '127.0.0.2'), await ask('udp6', port, '::1')];
      server.close();
      assert.deepStrictEqual(from, ['127.0.0.2', '::1']);
    },
  },
  {
    feature: 'dual-stack',
    name: 'a udp6 socket on :: answers both families from the asked address',
    run: during(dual, async (world, server) => {
      await asked(world, server, 'udp6', ['::1']);
      return asked(world, server, 'udp4', ASKED4.concat(world.device ? [SECONDARY4] : []));
    }),
  },
  {
    feature: 'broadcast',
    name: "a subnet broadcast is answered from the interface's own address",
    needs: needsDevice,
    run: during(v4, async (_world, server) => {
      const prepare = (client) => client.setBroadcast(true);
      const from = await ask('udp4', server.port, BROADCAST4, { bound: PRIMARY4, prepare });
      assert.strictEqual(server.heard[0]?.destination?.address, BROADCAST4);
      assert.strictEqual(from, PRIMARY4);
      return `${BROADCAST4}, answered from ${from}`;
    }),
  },
  {
    feature: 'multicast',
    name: 'an IPv4 group is answered from a unicast address',
    needs: needsDevice,
    run: during(
      (world) => echo(world, 'udp4', '0.0.0.0', (socket) => socket.addMembership(GROUP4, PRIMARY4)),
      async (_, server) => {
        const prepare = (client) => client.setMulticastInterface(PRIMARY4);
        const from = await ask('udp4', server.port, GROUP4, { bound: SECONDARY4, prepare });
        assert.strictEqual(server.heard[0]?.destination?.address, GROUP4);
        assert.strictEqual(from, PRIMARY4);
        return `${GROUP4}, answered from ${from}`;
      },
    ),
  },
  {
    feature: 'multicast',
    name: 'an IPv6 group is answered from a unicast address',
    needs: needsDevice,
    run: during(
      ({ library, device }) =>
        echo({ library }, { type: 'udp6', ipv6Only: true }, '::', (socket) =>
          socket.addMembership(GROUP6, `::%${device}`),
        ),
      async ({ device }, server) => {
        const from = await ask('udp6', server.port, `${GROUP6}%${device}`, { bound: PRIMARY6 });
        assert.strictEqual(server.heard[0]?.destination?.address.replace(/%.*/, ''), GROUP6);
        assert.strictEqual(server.heard[0].localAddress, undefined);
        assert.ok(from === PRIMARY6 || from === SECONDARY6, `from ${from}`);
        return `${GROUP6}, answered from ${from}`;
      },
    ),
  },
  {
    feature: 'link-local',
    name: 'a link-local request is answered from that address, through its interface',
    needs: needsDevice,
    run: during(v6, async ({ device }, server) => {
      const own = process.env.SUITE_LINK_LOCAL;
      const from = await ask('udp6', server.port, `${own}%${device}`);
      const [{ destination, localAddress }] = server.heard;
      assert.strictEqual(bare(from), own);
      assert.strictEqual(bare(destination.address), own);
      assert.strictEqual(bare(localAddress), own);
      assert.strictEqual(destination.interface, device);
      return `${own}%${device}`;
    }),
  },
  {
    feature: 'vanished source',
    name: 'an IPv4 address that has gone gives EADDRNOTAVAIL and changes nothing else',
    needs: needsDevice,
    run: vanishing('udp4', DOOMED4, 24, PRIMARY4),
  },
  {
    feature: 'vanished source',
    name: 'an IPv6 address that has gone gives EADDRNOTAVAIL and changes nothing else',
    needs: needsDevice,
    run: vanishing('udp6', DOOMED6, 64, PRIMARY6),
  },
];

module.exports = { features, ask, echo };
