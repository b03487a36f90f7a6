import { AsyncLocalStorage, AsyncResource } from 'node:async_hooks';
import type { Socket } from '../../../../src/socket/socket';
import type { SocketOptions } from '../../../../src/types';
import { addressText, arrived4, type Peer, pktinfo6 } from '../../../support/bytes';
import type { Incoming, Sent } from '../../../support/fake-host';
import { FakeNet, settled } from '../../../support/fake-socket';
import { linux64 } from '../../../support/layouts';

/** The process's memory outlives a test: every remote is new. */
let last = 0;
const newRemote = (): Peer => {
  last++;
  return { address: `198.51.100.${last}`, port: 1000 + last };
};

const STICKY = { stickySource: true } as const;

/** The source that a datagram was sent with; undefined where the kernel chooses. */
function sourceOf({ control }: Sent): string | undefined {
  const [message] = control;
  if (message === undefined) return undefined;
  return message.level === 0 ? addressText(message.data.subarray(4, 8)) : addressText(message.data.subarray(0, 16));
}

const to4 = (from: Peer, local: string, payload = local): Incoming => ({
  from,
  payload,
  control: arrived4(linux64, local, local, 1),
});

async function bound(options: Partial<SocketOptions> = STICKY, address?: string) {
  const net = new FakeNet();
  const { socket, fd } = await net.bound(options, address);
  const sources = () => net.host.syscalls.sent.map(sourceOf);
  return { net, socket, fd, sources };
}

/** Outside of every message's context, as a timer started at the beginning would be. */
const outside = new AsyncResource('TEST');
const later = (action: () => void) => outside.runInAsyncScope(action);

describe('the message in whose async context send() runs', () => {
  test('a burst from one port, answered late and out of order, from the addresses that were asked', async () => {
    const { net, socket, fd } = await bound();
    const from = newRemote();
    const answers: (() => void)[] = [];
    socket.on('message', (msg, { port, address }) => {
      const answer = () => socket.send(msg, port, address);
      answers.unshift(AsyncResource.bind(answer));
    });
    net.arrive(fd, [to4(from, '192.0.2.1'), to4(from, '192.0.2.2'), to4(from, '192.0.2.3')]);
    await settled();
    for (const answer of answers) answer();
    await settled();
    const { sent } = net.host.syscalls;
    expect(sent.map((one) => [one.payload, sourceOf(one)])).toEqual([
      ['192.0.2.3', '192.0.2.3'],
      ['192.0.2.2', '192.0.2.2'],
      ['192.0.2.1', '192.0.2.1'],
    ]);
  });

  test('it survives promises and timers', async () => {
    const { net, socket, fd, sources } = await bound();
    const from = newRemote();
    socket.on('message', async (msg, { port, address }) => {
      await null;
      await new Promise((resolve) => setTimeout(resolve, 5));
      socket.send(msg, port, address);
    });
    net.arrive(fd, [to4(from, '192.0.2.1'), to4(from, '192.0.2.2')]);
    while (sources().length < 2) await new Promise((resolve) => setTimeout(resolve, 5));
    expect(sources()).toEqual(['192.0.2.1', '192.0.2.2']);
  });

  test('another remote than that of the message is not its business', async () => {
    const { net, socket, fd, sources } = await bound();
    const from = newRemote();
    const other = newRemote();
    socket.on('message', (msg) => {
      socket.send(msg, other.port, other.address);
      socket.send(msg, from.port + 1, from.address);
    });
    net.arrive(fd, [to4(from, '192.0.2.1')]);
    await settled();
    expect(sources()).toEqual([undefined, undefined]);
  });

  test('a proxy: the answer of a socket made for one request belongs to that request', async () => {
    const { net, socket, fd, sources } = await bound();
    const from = newRemote();
    const upstream = newRemote();
    socket.on('message', (msg, { port, address }) => {
      const client = net.make(STICKY);
      client.on('message', () => socket.send(msg, port, address));
      client.send(msg, upstream.port, upstream.address);
    });
    net.arrive(fd, [to4(from, '192.0.2.1'), to4(from, '192.0.2.2')]);
    await settled();
    const clients = [...net.host.syscalls.sockets.keys()].filter((one) => one !== fd);
    for (const client of clients) net.arrive(client, [to4(upstream, '192.0.2.7')]);
    await settled();
    expect(sources()).toEqual([undefined, undefined, '192.0.2.1', '192.0.2.2']);
  });

  test('what waits for listening, or for a name, is sent as it was asked for', async () => {
    const { net, socket, fd, sources } = await bound();
    const from = newRemote();
    const found: (() => void)[] = [];
    const lookup: SocketOptions['lookup'] = (name, _options, callback) => {
      found.push(() => callback(null, name === 'client' ? from.address : name, 4));
    };
    socket.on('message', (msg) => {
      const transfer = net.make({ ...STICKY, lookup });
      transfer.send(msg, from.port, 'client');
    });
    net.arrive(fd, [to4(from, '192.0.2.1'), to4(from, '192.0.2.2')]);
    for (let turns = 0; turns < 10; turns++) {
      await settled();
      later(() => {
        for (const answer of found.splice(0)) answer();
      });
    }
    expect(sources().sort()).toEqual(['192.0.2.1', '192.0.2.2']);
  });

  test('where the kernel did not say, the kernel chooses, whatever was heard before', async () => {
    const { net, socket, fd, sources } = await bound();
    const from = newRemote();
    socket.on('message', (msg, { port, address }) => socket.send(msg, port, address));
    net.arrive(fd, [to4(from, '192.0.2.1'), { from, payload: 'unknown', control: [] }]);
    await settled();
    expect(sources()).toEqual(['192.0.2.1', undefined]);
  });

  test("the program's own async context is as it would be without", async () => {
    const storage = new AsyncLocalStorage<string>();
    const net = new FakeNet();
    const seen: unknown[] = [];
    const { fd } = await storage.run('made here', async () => {
      const made = await net.bound(STICKY);
      made.socket.on('message', () => seen.push(storage.getStore()));
      return made;
    });
    net.arrive(fd, [to4(newRemote(), '192.0.2.1')]);
    await settled();
    expect(seen).toEqual(['made here']);
  });
});

describe('memories', () => {
  /** Hears `from` on `local`, and sends to it from elsewhere. */
  async function remembered(options: Partial<SocketOptions>, from = newRemote(), local = '192.0.2.1') {
    const one = await bound(options);
    net(one, [to4(from, local)]);
    await settled();
    return { ...one, from, send: () => sending(one.socket, from) };
  }
  const net = ({ net, fd }: Awaited<ReturnType<typeof bound>>, incoming: Incoming[]) => net.arrive(fd, incoming);
  async function sending(socket: Socket, { port, address }: Peer) {
    later(() => socket.send('x', port, address));
    await settled();
  }

  test('without a context the socket knows where the remote was heard last', async () => {
    const { send, sources } = await remembered(STICKY);
    await send();
    expect(sources()).toEqual(['192.0.2.1']);
  });

  test('what this socket has heard counts more than what others have', async () => {
    const one = await remembered(STICKY);
    await remembered(STICKY, one.from, '192.0.2.2');
    await one.send();
    expect(one.sources()).toEqual(['192.0.2.1']);
  });

  test('a socket that has heard nothing asks the memory of the process', async () => {
    const { from } = await remembered(STICKY, newRemote(), '192.0.2.5');
    const { socket, sources } = await bound();
    await sending(socket, from);
    expect(sources()).toEqual(['192.0.2.5']);
  });

  test('sockets that are not sticky neither remember nor ask', async () => {
    const { from, send, sources } = await remembered({});
    await send();
    const { socket, sources: others } = await bound();
    await sending(socket, from);
    const known = await remembered(STICKY);
    const { socket: plain, sources: plains } = await bound({});
    await sending(plain, known.from);
    expect([sources(), others(), plains()]).toEqual([[undefined], [undefined], [undefined]]);
  });

  test('ttl counts from the last time that the remote was heard', async () => {
    const one = await remembered({ stickySource: { ttl: 1000 } });
    one.net.now = 900;
    net(one, [to4(one.from, '192.0.2.1')]);
    await settled();
    one.net.now = 1900;
    await one.send();
    one.net.now = 1901;
    await one.send();
    expect(one.sources()).toEqual(['192.0.2.1', undefined]);
  });

  test("'messages' are remembered too, all of them before the batch is handed over", async () => {
    const one = await bound();
    const from = newRemote();
    one.socket.on('messages', (batch) => {
      for (const { msg, rinfo } of batch) one.socket.send(msg, rinfo.port, rinfo.address);
    });
    net(one, [to4(from, '192.0.2.1'), to4(from, '192.0.2.2')]);
    await settled();
    expect(one.sources()).toEqual(['192.0.2.2', '192.0.2.2']);
  });

  test('a remote heard as mapped is the same one for a udp4 socket, and the other way round', async () => {
    const from = newRemote();
    const dual = await bound({ type: 'udp6', ...STICKY });
    const mapped = { address: `::ffff:${from.address}`, port: from.port };
    net(dual, [{ ...to4(from, '192.0.2.1'), from: mapped }]);
    await settled();
    const { socket, sources } = await bound();
    await sending(socket, from);
    expect(sources()).toEqual(['192.0.2.1']);

    const other = await remembered(STICKY, newRemote(), '192.0.2.2');
    await sending(dual.socket, { address: `::FFFF:${other.from.address}`, port: other.from.port });
    // IPv4 on the wire: the plain address, in IP_PKTINFO
    expect(dual.sources()).toEqual(['192.0.2.2']);
  });

  test('however an IPv6 address is spelt, it is the same remote; a zone belongs to it', async () => {
    const v6 = await bound({ type: 'udp6', ipv6Only: true, ...STICKY });
    const at = (address: string, scope: number, local: string): Incoming => ({
      from: { address, port: 7, scope },
      payload: 'x',
      control: [pktinfo6(linux64, local, 1)],
    });
    net(v6, [at('2001:db8::9', 0, '2001:db8::1'), at('fe80::9', 1, 'fe80::1')]);
    await settled();
    await sending(v6.socket, { address: '2001:DB8:0:0::9', port: 7 });
    await sending(v6.socket, { address: 'fe80::9%lo', port: 7 });
    await sending(v6.socket, { address: 'fe80::9%1', port: 7 });
    await sending(v6.socket, { address: 'fe80::8%lo', port: 7 });
    expect(v6.sources().map((source) => source?.replaceAll(/(^|:)0(:0)*(:|$)/g, '::'))).toEqual(
      ['2001:db8::1', 'fe80::1', 'fe80::1', undefined].map((source) => source ?? undefined),
    );
  });
});

describe('what is not attached', () => {
  test('nothing to a remote that was never heard: programs may be clients', async () => {
    const { socket, sources } = await bound();
    const servers = [newRemote(), newRemote(), newRemote()];
    for (const { port, address } of servers) socket.send('x', port, address);
    await settled();
    expect(sources()).toEqual([undefined, undefined, undefined]);
  });

  test('nothing on a socket that is bound to an address', async () => {
    const from = newRemote();
    const { net, fd } = await bound();
    net.arrive(fd, [to4(from, '192.0.2.1')]);
    await settled();
    const { socket, sources } = await bound(STICKY, '192.0.2.8');
    socket.send('x', from.port, from.address);
    await settled();
    expect(sources()).toEqual([undefined]);
  });

  test('nothing where send() names a source itself', async () => {
    const from = newRemote();
    const { net, socket, fd, sources } = await bound();
    net.arrive(fd, [to4(from, '192.0.2.1')]);
    await settled();
    socket.send('x', { ...from, localAddress: '192.0.2.6' });
    socket.send('x', { ...from, ttl: 3 });
    await settled();
    expect(sources()).toEqual(['192.0.2.6', '192.0.2.1']);
  });
});

describe('a source that has vanished', () => {
  const ENETUNREACH = 101;

  test('the datagram leaves without it, once, and the address is forgotten', async () => {
    const { net, socket, fd, sources } = await bound();
    const from = newRemote();
    net.arrive(fd, [to4(from, '192.0.2.1')]);
    await settled();
    const { syscalls } = net.host;
    syscalls.bindResult = () => -99; // EADDRNOTAVAIL, when it is asked whether the address is still there
    const results = [-ENETUNREACH];
    syscalls.sendResult = (count) => results.shift() ?? count;
    const outcome = await new Promise((resolve) => socket.send('x', from.port, from.address, resolve));
    expect(outcome).toBeNull();
    expect(sources()).toEqual([undefined]);
    syscalls.sent.length = 0;
    syscalls.calls.length = 0;
    socket.send('y', from.port, from.address);
    await settled();
    expect(sources()).toEqual([undefined]);
    expect(syscalls.calls.filter((call) => call === 'sendmmsg')).toHaveLength(1);
  });

  test('what else the datagram asks for stays, and the others of its batch keep their source', async () => {
    const { net, socket, fd } = await bound();
    const from = newRemote();
    const other = newRemote();
    net.arrive(fd, [to4(from, '192.0.2.1'), to4(other, '192.0.2.2')]);
    await settled();
    const { syscalls } = net.host;
    syscalls.bindResult = () => -99;
    const results = [1, -ENETUNREACH];
    syscalls.sendResult = (count) => Math.min(results.shift() ?? count, count);
    socket.send('a', other.port, other.address);
    socket.send('b', { ...from, ttl: 9 });
    socket.send('c', other.port, other.address);
    await settled();
    const ttl = (sent: Sent) => sent.control.find(({ type }) => type === 2)?.data.readInt32LE();
    expect(syscalls.sent.map((sent) => [sent.payload, sent.control.length, ttl(sent)])).toEqual([
      ['a', 1, undefined],
      ['b', 1, 9],
      ['c', 1, undefined],
    ]);
  });

  test('an error that has nothing to do with the source is the error of the datagram', async () => {
    const { net, socket, fd } = await bound();
    const from = newRemote();
    net.arrive(fd, [to4(from, '192.0.2.1')]);
    await settled();
    net.host.syscalls.sendResult = () => -ENETUNREACH; // also without the source
    const error = await new Promise<NodeJS.ErrnoException | null>((resolve) =>
      socket.send('x', from.port, from.address, resolve),
    );
    expect(error).toMatchObject({ code: 'ENETUNREACH', address: from.address });
    expect(socket.stats().sendErrors).toBe(1);
  });
});

describe('connect()', () => {
  async function heardOn(local: string) {
    const from = newRemote();
    const { net, fd } = await bound();
    net.arrive(fd, [to4(from, local)]);
    await settled();
    return { net, from };
  }
  const connected = (socket: Socket, { port, address }: Peer) =>
    new Promise<void>((resolve, reject) => {
      socket.connect(port, address, ((error?: Error) => (error ? reject(error) : resolve())) as () => void);
    });
  const names = (net: FakeNet) => [...net.host.syscalls.sockets.values()].map(({ name, peer }) => ({ name, peer }));

  test('to a remote that was heard binds to the asked address, on the same port', async () => {
    const { net, from } = await heardOn('192.0.2.4');
    const { socket } = await net.bound(STICKY);
    const { port } = socket.address();
    await connected(socket, from);
    expect(socket.address()).toEqual({ address: '192.0.2.4', family: 'IPv4', port });
    expect(names(net)).toHaveLength(2); // no descriptor was left behind
    socket.disconnect();
    expect(socket.address()).toEqual({ address: '0.0.0.0', family: 'IPv4', port });
    expect(names(net)).toHaveLength(2);
  });

  test('what the program has set goes on to hold, and what had come is delivered', async () => {
    const { net, from } = await heardOn('192.0.2.4');
    const { socket, fd } = await net.bound(STICKY);
    socket.setBroadcast(true);
    socket.setTTL(7);
    socket.setTypeOfService(0x20);
    socket.setMulticastInterface('192.0.2.200');
    socket.send('timed', { port: 9, address: '192.0.2.9', txTime: 1n });
    const seen: string[] = [];
    socket.on('message', (msg) => seen.push(String(msg)));
    net.host.syscalls.sockets.get(fd)?.incoming.push(to4(newRemote(), '192.0.2.4', 'queued'));
    const before = net.host.syscalls.sockets.get(fd)?.options;
    await connected(socket, from);
    await settled();
    const [after] = [...net.host.syscalls.sockets.values()].slice(-1).map(({ options }) => options);
    for (const option of ['1/6', '0/2', '0/1', '0/32', '1/61']) {
      expect(before?.has(option)).toBe(true);
      expect(after?.get(option)).toEqual(before?.get(option));
    }
    expect(seen).toEqual(['queued']);
  });

  test.each([1, 64])('all that had come is delivered, errors between it or not; batch %d', async (batch) => {
    const { net, from } = await heardOn('192.0.2.4');
    const { socket, fd } = await net.bound({ ...STICKY, batch });
    const seen: string[] = [];
    socket.on('message', (msg) => seen.push(String(msg)));
    const errors: string[] = [];
    socket.on('error', (error) => errors.push((error as NodeJS.ErrnoException).code ?? ''));
    const texts = Array.from({ length: 600 }, (_, i) => String(i));
    const queue: (Incoming | number)[] = texts.map((text) => to4(from, '192.0.2.4', text));
    queue.splice(300, 0, -111);
    net.host.syscalls.sockets.get(fd)?.incoming.push(...queue);
    await connected(socket, from);
    await settled();
    expect(seen).toEqual(texts);
    expect(errors).toEqual(['ECONNREFUSED']);
  });

  test('from inside a filter: nothing of the batch that it is asked about is lost or mixed up', async () => {
    const { net, from } = await heardOn('192.0.2.4');
    const { socket: other, fd: otherFd } = await net.bound(STICKY);
    const seen: string[] = [];
    other.on('message', (msg, { address }) => seen.push(`other ${msg} ${address}`));
    net.host.syscalls.sockets.get(otherFd)?.incoming.push(to4({ address: '203.0.113.1', port: 1 }, '192.0.2.4', 'x'));
    let asked = 0;
    const accept = () => {
      if (++asked === 1) other.connectSync(from.port, from.address);
      return true;
    };
    const { socket, fd } = await net.bound({ accept });
    socket.on('message', (msg, { address }) => seen.push(`${msg} ${address}`));
    const sent = [1, 2, 3].map((i) => to4({ address: `203.0.113.${i + 1}`, port: 1 }, '192.0.2.4', String(i)));
    net.arrive(fd, sent);
    await settled();
    expect(seen.sort()).toEqual(['1 203.0.113.2', '2 203.0.113.3', '3 203.0.113.4', 'other x 203.0.113.1']);
  });

  test('a socket bound to ::ffff:0.0.0.0 is bound to all addresses of IPv4, also after disconnect()', async () => {
    const { net, from } = await heardOn('192.0.2.4');
    const { socket } = await net.bound({ ...STICKY, type: 'udp6' }, '::ffff:0.0.0.0');
    await connected(socket, { ...from, address: `::ffff:${from.address}` });
    expect(socket.address().address).toBe('::ffff:192.0.2.4');
    socket.disconnect();
    expect(socket.address().address).toBe('::ffff:0.0.0.0');
    later(() => socket.send('x', from.port, `::ffff:${from.address}`));
    await settled();
    expect(net.host.syscalls.sent.map(sourceOf)).toEqual(['192.0.2.4']);
  });

  test('to one that was never heard, and from a socket bound to an address, is as it always was', async () => {
    const { net, from } = await heardOn('192.0.2.4');
    const { socket } = await net.bound(STICKY);
    await connected(socket, newRemote());
    expect(socket.address().address).toBe('0.0.0.0');
    const { socket: specific } = await net.bound(STICKY, '192.0.2.8');
    await connected(specific, from);
    expect(specific.address().address).toBe('192.0.2.8');
  });

  test('where the address has vanished it connects as the kernel thinks best', async () => {
    const { net, from } = await heardOn('192.0.2.4');
    const { socket } = await net.bound(STICKY);
    net.host.syscalls.bindResult = ({ address }) => (address === '192.0.2.4' ? -99 : 0);
    await connected(socket, from);
    expect(socket.address().address).toBe('0.0.0.0');
    expect(names(net)).toHaveLength(2);
  });

  test('where it cannot connect from that address it is bound to all again', async () => {
    const { net, from } = await heardOn('192.0.2.4');
    const { socket } = await net.bound(STICKY);
    net.host.syscalls.connectResult = -22;
    await expect(connected(socket, from)).rejects.toMatchObject({ code: 'EINVAL', syscall: 'connect' });
    expect(socket.address().address).toBe('0.0.0.0');
    expect(names(net)).toHaveLength(2);
  });
});

describe('options', () => {
  const make = (stickySource: unknown) => () => new FakeNet().make({ stickySource } as Partial<SocketOptions>);

  test('true, false, nothing, and limits', () => {
    for (const good of [
      true,
      false,
      undefined,
      {},
      { max: 1 },
      { ttl: 1 },
      { max: 8192, ttl: 60_000 },
      { follow: 'route' },
    ]) {
      expect(make(good)).not.toThrow();
    }
  });

  test.each([
    ['yes', 'ERR_INVALID_ARG_TYPE'],
    [1, 'ERR_INVALID_ARG_TYPE'],
    [{ max: 0 }, 'ERR_OUT_OF_RANGE'],
    [{ max: 1.5 }, 'ERR_OUT_OF_RANGE'],
    [{ max: '8' }, 'ERR_INVALID_ARG_TYPE'],
    [{ ttl: 0 }, 'ERR_OUT_OF_RANGE'],
    [{ follow: 'interface' }, 'ERR_INVALID_ARG_VALUE'],
    [{ follow: true }, 'ERR_INVALID_ARG_VALUE'],
    [{ ttl: Number.POSITIVE_INFINITY }, 'ERR_OUT_OF_RANGE'],
  ])('%p is refused', (bad, code) => {
    expect(make(bad)).toThrow(expect.objectContaining({ code }));
  });
});
