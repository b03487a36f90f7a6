/** What else sockets can do, on a network in memory. */
import { once } from 'node:events';
import { createNetwork, type Network } from '../../../src/testing';
import { bind, collect, message, send } from './support';

let network: Network<'server' | 'client'>;

beforeEach(() => {
  network = createNetwork({
    hosts: { server: { eth0: ['10.0.0.1', '10.0.0.7'], eth1: '10.1.0.1' }, client: '10.0.0.9' },
  });
});
afterEach(() => network.close());

test('split() gives a peer a socket of its own, and others go on with the first one', async () => {
  const server = await bind(network.createSocket('server', 'udp4'), 53);
  const [one, other] = [network.createSocket('client', 'udp4'), network.createSocket('client', 'udp4')];
  one.send('first', 53, '10.0.0.7');
  const own = server.split((await message(server)).rinfo);
  one.send('second', 53, '10.0.0.7');
  other.send('third', 53, '10.0.0.7');
  const [second, third] = await Promise.all([message(own), message(server)]);
  expect([second.text, third.text]).toEqual(['second', 'third']);
  own.send('answer');
  expect((await message(one)).rinfo.address).toBe('10.0.0.7');
  own.close();
});

test("sendMany() and 'messages' move batches, sendSync() and connectSync() do not wait", async () => {
  const server = network.createSocket('server', 'udp4');
  const batches: string[][] = [];
  server.on('messages', (batch) => batches.push(batch.map(({ msg }) => String(msg))));
  await bind(server, 53);
  const client = network.createSocket('client', 'udp4');
  const many = Array.from({ length: 100 }, (_, i) => ({ msg: `${i % 10}`, port: 53, address: '10.0.0.1' }));
  expect(await new Promise((done) => client.sendMany(many, (error, sent) => done([error, sent])))).toEqual([null, 100]);
  await network.settle();
  expect(batches.flat()).toEqual(many.map(({ msg }) => msg));
  expect(batches.length).toBeLessThan(10);
  const sync = network.createSocket('client', 'udp4');
  sync.connectSync(53, '10.0.0.7');
  expect(sync.sendSync('now')).toBe(3);
  expect(network.log.at(-1)).toMatchObject({ fate: 'delivered', destination: { address: '10.0.0.7', port: 53 } });
});

test('for await reads messages until the socket is closed', async () => {
  const server = await bind(network.createSocket('server', 'udp4'), 53);
  const client = await bind(network.createSocket('client', 'udp4'));
  for (const text of ['one', 'two']) client.send(text, 53, '10.0.0.1');
  const heard: string[] = [];
  for await (const [msg] of server) {
    heard.push(String(msg));
    if (heard.length === 2) break;
  }
  expect(heard).toEqual(['one', 'two']);
  expect(server.fd).toBe(-1);
});

test('freebind, bindToDevice, block lists of sources and timestamps do what they do on Linux', async () => {
  const early = await bind(network.createSocket('server', { type: 'udp4', freebind: true }), 53, '10.0.0.50');
  const heard = collect(early);
  network.hosts.server.addAddress('10.0.0.50');
  const client = await bind(network.createSocket('client', 'udp4'));
  await send(client, 'early bird', 53, '10.0.0.50');
  const eth1 = await bind(network.createSocket('server', { type: 'udp4', bindToDevice: 'eth1' }), 54);
  await send(client, 'by eth0', 54, '10.0.0.1');
  const member = await bind(network.createSocket('server', { type: 'udp4', recvTimestamp: true }), 55);
  member.addMembership('239.1.1.1');
  member.blockSource('10.0.0.9', '239.1.1.1');
  await send(client, 'blocked', 55, '239.1.1.1');
  member.unblockSource('10.0.0.9', '239.1.1.1');
  await send(client, 'heard', 55, '239.1.1.1');
  const { text, rinfo } = await message(member);
  expect([text, heard.map((one) => one.text)]).toEqual(['heard', ['early bird']]);
  expect(Math.abs(Number(rinfo.timestamp) / 1e6 - Date.now())).toBeLessThan(10_000);
  expect(eth1.stats().datagramsIn).toBe(0);
});

test('reusePort spreads senders over sockets, and each sender stays with one', async () => {
  const servers = await Promise.all(
    [1, 2].map(() => bind(network.createSocket('server', { type: 'udp4', reusePort: true }), 53)),
  );
  const heard = servers.map(collect);
  for (let i = 0; i < 8; i++) {
    const client = await bind(network.createSocket('client', 'udp4'));
    for (let j = 0; j < 3; j++) await send(client, `${i}`, 53, '10.0.0.1');
  }
  await network.settle();
  const [first, second] = heard.map((all) => new Set(all.map(({ text }) => text)));
  expect([first.size > 0, second.size > 0, first.size + second.size]).toEqual([true, true, 8]);
});

test('close() closes what is open, and nothing can be opened any more', async () => {
  const socket = network.createSocket('client', 'udp4');
  await bind(socket);
  const closed = once(socket, 'close');
  await network.close();
  await closed;
  await network.close();
  expect(() => network.createSocket('client', 'udp4')).toThrow(
    expect.objectContaining({ code: 'ERR_SOCKET_DGRAM_NOT_RUNNING' }),
  );
});
