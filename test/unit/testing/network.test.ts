/** Hosts in memory: addresses, ports, groups and errors, through the public API. */
import { once } from 'node:events';
import { createNetwork, type Network } from '../../../src/testing';
import { bind, collect, connect, message, send } from './support';

const SERVER = ['10.0.0.1', '10.0.0.7', '2001:db8::1'];

let network: Network<'server' | 'client' | 'other'>;

beforeEach(() => {
  network = createNetwork({
    hosts: { server: SERVER, client: ['10.0.0.9', '2001:db8::9'], other: '10.0.0.20' },
  });
});
afterEach(() => network.close());

test.each(SERVER)('a server on all addresses answers from %s, which was asked', async (address) => {
  const server = network.createServer('server', (msg, rinfo) => server.reply(`${msg}!`, rinfo));
  server.listen(53);
  await once(server, 'listening');
  const client = network.createSocket('client', address.includes(':') ? 'udp6' : 'udp4');
  client.send('query', 53, address);
  const { text, rinfo } = await message(client);
  expect([text, rinfo.address, rinfo.port]).toEqual(['query!', address, 53]);
});

test('plain send() answers from the first address, as kernels do, and stickySource from the one that was asked', async () => {
  for (const [stickySource, from] of [
    [false, '10.0.0.1'],
    [true, '10.0.0.7'],
  ] as const) {
    const server = network.createSocket('server', { type: 'udp4', stickySource });
    server.on('message', (msg, { port, address }) => server.send(msg, port, address));
    await bind(server);
    const client = network.createSocket('client', 'udp4');
    client.send('query', server.address().port, '10.0.0.7');
    expect((await message(client)).rinfo.address).toBe(from);
  }
});

test('rinfo says where a datagram was sent to, by which interface, and from where it is answered', async () => {
  const server = await bind(network.createSocket('server', { type: 'udp4', recvTTL: true, recvTOS: true }), 53);
  const client = network.createSocket('client', 'udp4');
  client.send('query', { port: 53, address: '10.0.0.7', ttl: 7, tos: 32 });
  const { rinfo } = await message(server);
  expect(rinfo).toMatchObject({
    address: '10.0.0.9',
    destination: { address: '10.0.0.7', family: 'IPv4', port: 53, ifindex: 2, interface: 'eth0' },
    localAddress: '10.0.0.7',
    ttl: 7,
    tos: 32,
  });
});

test('a dual-stack socket sees IPv4 peers mapped, and answers them from the asked address', async () => {
  const server = network.createSocket('server', 'udp6', (msg, rinfo) => server.reply(msg, rinfo));
  await bind(server, 53);
  const client = network.createSocket('client', 'udp4');
  client.send('query', 53, '10.0.0.7');
  const { rinfo } = await message(server);
  expect([rinfo.address, rinfo.destination?.address]).toEqual(['::ffff:10.0.0.9', '::ffff:10.0.0.7']);
  expect((await message(client)).rinfo.address).toBe('10.0.0.7');
});

test('a source that the host does not have is EADDRNOTAVAIL, and one that it has loses it with the address', async () => {
  const socket = await bind(network.createSocket('server', 'udp4'));
  const from = (localAddress: string) => send(socket, 'x', { port: 53, address: '10.0.0.9', localAddress });
  expect(await from('10.0.0.99')).toBe('EADDRNOTAVAIL');
  expect(await from('10.0.0.7')).toBe(1);
  expect(network.hosts.server.removeAddress('10.0.0.7')).toBe(true);
  expect(await from('10.0.0.7')).toBe('EADDRNOTAVAIL');
  network.hosts.client.addAddress('10.0.0.7');
  expect(await from('10.0.0.7')).toBe('EADDRNOTAVAIL');
  expect(network.hosts.client.addresses).toContain('10.0.0.7');
});

test('an address that was added answers at once', async () => {
  const server = network.createSocket('server', 'udp4', (msg, rinfo) => server.reply(msg, rinfo));
  await bind(server, 53);
  network.hosts.server.addAddress('10.0.0.8');
  const client = network.createSocket('client', 'udp4');
  client.send('query', 53, '10.0.0.8');
  expect((await message(client)).rinfo.address).toBe('10.0.0.8');
  expect(() => network.hosts.client.addAddress('10.0.0.8')).toThrow(
    expect.objectContaining({ code: 'ERR_INVALID_ARG_VALUE' }),
  );
});

test('names of hosts can be sent to and bound to, others are ENOTFOUND', async () => {
  const server = await bind(network.createSocket('server', 'udp6'), 53, 'server');
  expect(server.address().address).toBe('2001:db8::1');
  const client = network.createSocket('client', 'udp6');
  expect(await send(client, 'x', 53, 'server')).toBe(1);
  expect((await message(server)).rinfo.address).toBe('2001:db8::9');
  expect(await send(client, 'x', 53, 'nobody')).toBe('ENOTFOUND');
  expect(await send(network.createSocket('client', 'udp4'), 'x', 53, 'localhost')).toBe(1);
});

test('a port is taken once per host, reuseAddr and other addresses aside', async () => {
  await bind(network.createSocket('server', 'udp4'), 53);
  const code = (promise: Promise<unknown>) =>
    promise.then(
      () => 'bound',
      (error: NodeJS.ErrnoException) => error.code,
    );
  expect(await code(bind(network.createSocket('server', 'udp4'), 53))).toBe('EADDRINUSE');
  expect(await code(bind(network.createSocket('server', 'udp4'), 53, '10.0.0.7'))).toBe('EADDRINUSE');
  expect(await code(bind(network.createSocket('client', 'udp4'), 53))).toBe('bound');
  expect(await code(bind(network.createSocket('server', 'udp4'), 54, '10.0.0.1'))).toBe('bound');
  expect(await code(bind(network.createSocket('server', 'udp4'), 54, '10.0.0.7'))).toBe('bound');
  expect(await code(bind(network.createSocket('server', 'udp4'), 54, '10.0.0.99'))).toBe('EADDRNOTAVAIL');
  for (let i = 0; i < 2; i++) {
    expect(await code(bind(network.createSocket('other', { type: 'udp4', reuseAddr: true }), 53))).toBe('bound');
  }
});

test('a connected socket hears its peer alone, and a closed port as ECONNREFUSED', async () => {
  const peer = await bind(network.createSocket('server', 'udp4'), 53, '10.0.0.1');
  const client = await bind(network.createSocket('client', 'udp4'), 1000);
  await connect(client, 53, '10.0.0.1');
  expect([client.address().address, client.remoteAddress().port]).toEqual(['10.0.0.9', 53]);
  const heard = collect(client);
  const { port } = client.address();
  await send(await bind(network.createSocket('other', 'udp4')), 'stranger', port, '10.0.0.9');
  await send(peer, 'peer', port, '10.0.0.9');
  await network.settle();
  expect(heard.map(({ text }) => text)).toEqual(['peer']);
  client.disconnect();
  await send(network.createSocket('other', 'udp4'), 'stranger', client.address().port, '10.0.0.9');
  await network.settle();
  expect(heard.map(({ text }) => text)).toEqual(['peer', 'stranger']);

  const refused = network.createSocket('client', 'udp4');
  await connect(refused, 9, '10.0.0.1');
  refused.send('x');
  const [error] = await once(refused, 'error');
  expect(error.code).toBe('ECONNREFUSED');
  expect(network.stats.refused).toBe(2); // and the stranger
});

test("recvErrors: a closed port is an 'icmp' event of a socket that is not connected", async () => {
  const client = network.createSocket('client', { type: 'udp4', recvErrors: true });
  client.send('x', 9, '10.0.0.7');
  const [error] = await once(client, 'icmp');
  expect(error).toMatchObject({
    code: 'ECONNREFUSED',
    type: 3,
    icmpCode: 3,
    origin: 'icmp',
    remote: { address: '10.0.0.7', port: 9 },
    offender: '10.0.0.7',
  });
  expect(await send(client, 'x', 9, '10.0.0.9')).toBe(1);
});

test('broadcasts need setBroadcast(), reach all on the link, and are answered by one address', async () => {
  for (const host of ['server', 'other'] as const) {
    const listener = network.createSocket(host, 'udp4', (_, rinfo) => listener.reply(host, rinfo));
    await bind(listener, 67);
  }
  const client = await bind(network.createSocket('client', 'udp4'));
  expect(await send(client, 'discover', 67, '255.255.255.255')).toBe('EACCES');
  client.setBroadcast(true);
  const heard = collect(client);
  for (const address of ['255.255.255.255', '10.0.0.255']) expect(await send(client, 'discover', 67, address)).toBe(8);
  await network.settle();
  expect(heard.map(({ text, rinfo }) => `${text} ${rinfo.address}`).sort()).toEqual([
    'other 10.0.0.20',
    'other 10.0.0.20',
    'server 10.0.0.1',
    'server 10.0.0.1',
  ]);
});

test.each([
  ['udp4', '224.0.0.251', '10.0.0.1', '10.0.0.9'],
  ['udp6', 'ff02::fb', '2001:db8::1', '2001:db8::9'],
] as const)('%s groups are heard by those who have joined, until they leave', async (type, group, from, source) => {
  const member = network.createSocket('server', { type, reuseAddr: true }, (msg, rinfo) => member.reply(msg, rinfo));
  await bind(member, 5353);
  const client = await bind(network.createSocket('client', type), 5353);
  const heard = collect(member);
  await send(client, 'before', 5353, group);
  member.addMembership(group);
  client.setMulticastTTL(3);
  await send(client, 'joined', 5353, group);
  expect((await message(client)).rinfo.address).toBe(from);
  member.dropMembership(group);
  await send(client, 'left', 5353, group);
  await network.settle();
  expect(heard.map(({ text, rinfo }) => [text, rinfo.address, rinfo.destination?.address])).toEqual([
    ['joined', source, group],
  ]);
  expect(network.log.filter(({ msg }) => String(msg) === 'joined').map(({ ttl }) => ttl)).toContain(3);
});

test('source-specific groups let one source in, and the own host hears what it sends unless told otherwise', async () => {
  const member = await bind(network.createSocket('server', { type: 'udp4', multicastAll: false }), 5000);
  member.addSourceSpecificMembership('10.0.0.9', '232.1.2.3');
  const heard = collect(member);
  for (const host of ['client', 'other'] as const) {
    await send(network.createSocket(host, 'udp4'), host, 5000, '232.1.2.3');
  }
  await network.settle();
  expect(heard.map(({ text }) => text)).toEqual(['client']);
  member.addMembership('239.0.0.1');
  await send(member, 'self', 5000, '239.0.0.1');
  member.setMulticastLoopback(false);
  await send(member, 'not self', 5000, '239.0.0.1');
  await network.settle();
  expect(heard.map(({ text }) => text)).toEqual(['client', 'self']);
});

test('segmentSize cuts, maxDatagramSize truncates, and what is too large is EMSGSIZE', async () => {
  const server = await bind(network.createSocket('server', { type: 'udp4', maxDatagramSize: 8 }), 53);
  const heard = collect(server);
  const client = await bind(network.createSocket('client', 'udp4'));
  await send(client, 'abcdefg', { port: 53, address: '10.0.0.1', segmentSize: 3 });
  await send(client, 'truncated', 53, '10.0.0.1');
  await network.settle();
  expect(heard.map(({ text }) => text)).toEqual(['abc', 'def', 'g', 'truncate']);
  expect(heard[3].rinfo).toMatchObject({ truncated: true, fullSize: 9 });
  expect(await send(client, Buffer.alloc(65508), 53, '10.0.0.1')).toBe('EMSGSIZE');
  expect(await send(client, Buffer.alloc(65507), 53, '10.0.0.1')).toBe(65507);
});

test('a queue that is full drops, counts, and tells who asks', async () => {
  const server = await bind(
    network.createSocket('server', { type: 'udp4', recvDrops: true, recvBufferSize: 4096 }),
    53,
  );
  server.pause();
  const client = await bind(network.createSocket('client', 'udp4'));
  for (let i = 0; i < 100; i++) await send(client, `${i}`, 53, '10.0.0.1');
  const { dropped, delivered } = network.stats;
  expect([dropped + delivered, dropped > 50]).toEqual([100, true]);
  const heard = collect(server);
  server.resume();
  await network.settle();
  expect(heard).toHaveLength(delivered);
  await send(client, 'last', 53, '10.0.0.1');
  await network.settle();
  expect(heard.at(-1)?.rinfo.drops).toBe(dropped);
});

test('hosts have interfaces and networks: what is sent leaves by the one that is nearest', async () => {
  const routed = createNetwork({
    hosts: {
      gateway: { lan: ['192.168.0.1', '192.168.0.2'], wan: '203.0.113.5/28' },
      inside: '192.168.0.10',
      outside: '203.0.113.6/28',
      far: '198.51.100.1',
    },
  });
  const gateway = await bind(routed.createSocket('gateway', 'udp4'), 53);
  for (const [host, from, ifname] of [
    ['inside', '192.168.0.1', 'lan'],
    ['outside', '203.0.113.5', 'wan'],
    ['far', '192.168.0.1', 'lan'],
  ] as const) {
    const client = await bind(routed.createSocket(host, 'udp4'), 1000);
    expect(await send(gateway, 'x', 1000, routed.hosts[host].addresses[0])).toBe(1);
    const { rinfo } = await message(client);
    expect(rinfo.address).toBe(from);
    client.send('back', 53, from);
    expect((await message(gateway)).rinfo.destination?.interface).toBe(ifname);
  }
  // What asks for another interface's address comes in by its own.
  routed.createSocket('outside', 'udp4').send('other', 53, '192.168.0.1');
  expect((await message(gateway)).rinfo.destination).toMatchObject({ address: '192.168.0.1', interface: 'wan' });
  expect(Object.keys(routed.hosts.gateway.networkInterfaces())).toEqual(['lo', 'lan', 'wan']);
  await routed.close();
});

test('loopback is each host’s own, and sourceFor() asks its routes', async () => {
  const server = await bind(network.createSocket('server', 'udp4'), 53, '127.0.0.1');
  const heard = collect(server);
  await send(network.createSocket('client', 'udp4'), 'stranger', 53, '127.0.0.1');
  await send(network.createSocket('server', 'udp4'), 'own', 53, '127.0.0.1');
  await network.settle();
  expect(heard.map(({ text, rinfo }) => [text, rinfo.destination?.interface])).toEqual([['own', 'lo']]);
  expect(network.createSocket('server', 'udp6').sourceFor('2001:db8::9')).toBe('2001:db8::1');
  expect(network.log).toEqual([]);
});

test('a host stands for the module: its functions can be taken out of it', async () => {
  const { createServer, createSocket } = network.hosts.server;
  const server = createServer((msg, rinfo) => server.reply(msg, rinfo));
  server.listen(53);
  await once(server, 'listening');
  const client = createSocket('udp4');
  client.send('own', 53, '10.0.0.7');
  expect((await message(client)).rinfo.address).toBe('10.0.0.7');
});

test('misuse is named', () => {
  const thrown = (options: object) => {
    try {
      createNetwork(options as never);
    } catch (error) {
      return (error as NodeJS.ErrnoException).code;
    }
    return undefined;
  };
  expect(thrown({})).toBe('ERR_INVALID_ARG_TYPE');
  expect(thrown({ hosts: { a: '10.0.0.300' } })).toBe('ERR_INVALID_ARG_VALUE');
  expect(thrown({ hosts: { a: '10.0.0.1/33' } })).toBe('ERR_INVALID_ARG_VALUE');
  expect(thrown({ hosts: { a: '10.0.0.1', b: ['10.0.0.2', '10.0.0.1'] } })).toBe('ERR_INVALID_ARG_VALUE');
  expect(thrown({ hosts: {}, loss: 2 })).toBe('ERR_OUT_OF_RANGE');
  expect(thrown({ hosts: {}, loss: '10%' })).toBe('ERR_INVALID_ARG_TYPE');
  expect(thrown({ hosts: {}, seed: 0.5 })).toBe('ERR_INVALID_ARG_VALUE');
  expect(thrown({ hosts: {}, clock: 'sundial' })).toBe('ERR_INVALID_ARG_VALUE');
  expect(() => network.createSocket('nobody' as 'server', 'udp4')).toThrow(
    expect.objectContaining({ code: 'ERR_INVALID_ARG_VALUE' }),
  );
});
