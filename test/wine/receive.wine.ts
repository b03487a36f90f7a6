/** What a socket on Windows learns of each datagram, by WSARecvMsg as Wine has it: Linux' own control messages behind it. */
import { networkInterfaces } from 'node:os';
import { bound, dgramSocket, held, interfaceOf, NETWORK, next, recvfromto, send } from './windows';

const LOOPBACK = ['127.0.0.1', '127.0.0.2', '127.9.8.7'];

test('this is Windows, as far as Node can tell, and it is Wine', () => {
  expect(process.platform).toBe('win32');
  const koffi = require('koffi');
  const version = koffi.load('ntdll.dll').func('const char *wine_get_version()')();
  expect(version).toMatch(/^\d+\.\d+/);
});

describe('destination, local address and interface', () => {
  test.each([...LOOPBACK, ...NETWORK.ipv4])('udp4: %s', async (address) => {
    const socket = await bound('udp4');
    const { port } = socket.address();
    const client = await dgramSocket('udp4');
    const heard = next(socket);
    await send(client, 'hello', port, address);
    const { msg, rinfo } = await heard;
    const name = interfaceOf(address.startsWith('127.') ? '127.0.0.1' : address);
    expect(name).toBeDefined();
    expect(msg.toString()).toBe('hello');
    expect(rinfo).toMatchObject({ family: 'IPv4', port: client.address().port, size: 5, localAddress: address });
    expect(rinfo.destination).toEqual({ address, family: 'IPv4', port, ifindex: expect.any(Number), interface: name });
    expect(rinfo.destination?.ifindex).toBeGreaterThan(0);
  });

  test.each(['::1', ...NETWORK.ipv6])('udp6: %s', async (address) => {
    const socket = await bound({ type: 'udp6', ipv6Only: true });
    const { port } = socket.address();
    const client = await dgramSocket('udp6');
    const heard = next(socket);
    await send(client, 'six', port, address);
    const { rinfo } = await heard;
    expect(rinfo.localAddress).toBe(address);
    expect(rinfo.destination).toMatchObject({ address, family: 'IPv6', port, interface: interfaceOf(address) });
  });

  test.each(LOOPBACK)('dual-stack: %s', async (address) => {
    const socket = await bound('udp6');
    const { port } = socket.address();
    const client = await dgramSocket('udp4');
    const heard = next(socket);
    await send(client, 'four', port, address);
    const { rinfo } = await heard;
    expect(rinfo).toMatchObject({ family: 'IPv6', address: '::ffff:127.0.0.1', localAddress: `::ffff:${address}` });
    expect(rinfo.destination).toMatchObject({ address: `::ffff:${address}`, family: 'IPv6', port });
  });

  test('dual-stack: ::1', async () => {
    const socket = await bound('udp6');
    const client = await dgramSocket('udp6');
    const heard = next(socket);
    await send(client, 'six', socket.address().port, '::1');
    const { rinfo } = await heard;
    expect(rinfo).toMatchObject({ address: '::1', localAddress: '::1', destination: { address: '::1' } });
  });

  test('a link-local address has the number of its interface as the zone, as in dgram', async () => {
    const name = interfaceOf(NETWORK.ipv4[0]!)!;
    const own = networkInterfaces()[name]!.find(({ address }) => address.startsWith('fe80:'))!;
    const { scopeid } = own as { scopeid?: number };
    const zoned = `${own.address}%${scopeid}`;
    const [socket, theirs] = [await bound('udp6'), await dgramSocket('udp6')];
    const client = await dgramSocket('udp6');
    const heard = next(socket);
    const asDgram = new Promise((resolve) => theirs.once('message', (_, { address }) => resolve(address)));
    await send(client, 'link', socket.address().port, zoned);
    await send(client, 'link', theirs.address().port, zoned);
    const { rinfo } = await heard;
    expect(rinfo.address).toBe(await asDgram);
    expect(rinfo).toMatchObject({ address: zoned, localAddress: zoned });
    expect(rinfo.destination).toMatchObject({ address: zoned, ifindex: scopeid, interface: name });
  });

  test.each([NETWORK.broadcast, '255.255.255.255'])('broadcast: %s is answered from its interface', async (address) => {
    const socket = await bound('udp4');
    const client = await dgramSocket('udp4', NETWORK.ipv4[1]);
    client.setBroadcast(true);
    const heard = next(socket);
    await send(client, 'all', socket.address().port, address);
    const { rinfo } = await heard;
    expect(rinfo.destination).toMatchObject({ address, interface: interfaceOf(NETWORK.ipv4[0]!) });
    expect(NETWORK.ipv4).toContain(rinfo.localAddress);
  });

  test('a group is the destination and never the local address', async () => {
    const socket = await bound('udp4');
    socket.addMembership('239.1.2.3', NETWORK.ipv4[0]);
    const client = await dgramSocket('udp4');
    client.setMulticastInterface(NETWORK.ipv4[0]!);
    const heard = next(socket);
    await send(client, 'group', socket.address().port, '239.1.2.3');
    const { rinfo } = await heard;
    expect(rinfo.destination).toMatchObject({ address: '239.1.2.3', interface: interfaceOf(NETWORK.ipv4[0]!) });
    expect(rinfo.localAddress).toBeUndefined();
    socket.dropMembership('239.1.2.3', NETWORK.ipv4[0]);
  });

  test('createServer hears both families on one port', async () => {
    const server = held(recvfromto.createServer());
    server.listen(0);
    await new Promise((listening) => server.once('listening', listening as () => void));
    const { port, ipv4, ipv6 } = server.address();
    expect([ipv4?.port, ipv6?.port]).toEqual([port, port]);
    for (const address of ['127.0.0.2', '::1']) {
      const client = await dgramSocket(address === '::1' ? 'udp6' : 'udp4');
      const heard = next(server);
      await send(client, address, port, address);
      expect((await heard).rinfo.destination?.address).toBe(address);
    }
  });
});

describe('datagrams', () => {
  test('TTL and TOS', async () => {
    const socket = await bound({ type: 'udp4', recvTTL: true, recvTOS: true });
    const client = await dgramSocket('udp4');
    client.setTTL(33);
    const heard = next(socket);
    await send(client, 'ttl', socket.address().port, '127.0.0.1');
    expect((await heard).rinfo).toMatchObject({ ttl: 33, tos: 0, ecn: 0 });
  });

  test('a flood arrives whole and in order, in more than one batch', async () => {
    const socket = await bound({ type: 'udp4', batch: 16 });
    const texts: string[] = [];
    const done = new Promise<void>((resolve) => {
      socket.on('message', (msg, rinfo) => {
        texts.push(`${msg} ${rinfo.destination?.address}`);
        if (texts.length === 200) resolve();
      });
    });
    const client = await dgramSocket('udp4');
    const expected: string[] = [];
    for (let i = 0; i < 200; i++) {
      const address = LOOPBACK[i % 3]!;
      expected.push(`${i} ${address}`);
      await send(client, `${i}`, socket.address().port, address);
    }
    await done;
    expect(texts).toEqual(expected);
    expect(socket.stats()).toMatchObject({ datagramsIn: 200, destinationUnknown: 0, truncated: 0 });
  });

  test('one without bytes, and one of the largest size', async () => {
    const socket = await bound('udp4');
    const client = await dgramSocket('udp4');
    for (const size of [0, 1, 65_507]) {
      const sent = Buffer.alloc(size, 0xa5);
      const heard = next(socket);
      await send(client, sent, socket.address().port, '127.0.0.2');
      const { msg, rinfo } = await heard;
      expect(msg.equals(sent)).toBe(true);
      expect(rinfo).toMatchObject({ size, localAddress: '127.0.0.2' });
      expect(rinfo).not.toHaveProperty('truncated');
    }
  });

  test('one that is longer than maxDatagramSize is cut, says so, and spoils nothing after it', async () => {
    const socket = await bound({ type: 'udp4', maxDatagramSize: 8 });
    const client = await dgramSocket('udp4');
    for (const [sent, got, truncated] of [
      ['0123456789abcdef', '01234567', true],
      ['01234567', '01234567', undefined],
      ['x', 'x', undefined],
    ] as const) {
      const heard = next(socket);
      await send(client, sent, socket.address().port, '127.0.0.2');
      const { msg, rinfo } = await heard;
      expect([msg.toString(), rinfo.truncated]).toEqual([got, truncated]);
      expect(rinfo).toMatchObject({ size: got.length, destination: { address: '127.0.0.2' } });
    }
    expect(socket.stats().truncated).toBe(1);
  });
});
