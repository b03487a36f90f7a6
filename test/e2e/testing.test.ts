/**
 * The network in memory beside the kernel: one script on the loopback addresses of both, and the same transcript. The
 * network is Linux's, so the kernel has to be one.
 */
import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import type { RemoteInfo, Socket } from '../../src/index';

type Library = Pick<typeof import('../../src/index'), 'createSocket' | 'createServer'>;

const ROOT = join(__dirname, '../..');
const real: Library = require('../../dist/index.js');
const { createNetwork }: typeof import('../../src/testing') = require('../../dist/testing.js');
const { platform } = (require('../../dist/index.js') as typeof import('../../src/index')).capabilities();

/** What a script sees. Ports become letters, in the order in which they are named. */
class Transcript {
  readonly lines: string[] = [];
  readonly #ports = new Map<number, string>();
  readonly #open: { close(): unknown }[] = [];
  readonly library: Library;

  constructor(library: Library) {
    this.library = library;
  }

  say(...words: unknown[]): void {
    this.lines.push(words.map((word) => (typeof word === 'string' ? word : JSON.stringify(word))).join(' '));
  }

  port(number: number): string {
    if (!this.#ports.has(number)) this.#ports.set(number, `port ${this.#ports.size}`);
    return this.#ports.get(number) as string;
  }

  socket(options: Parameters<Library['createSocket']>[0]): Socket {
    const socket = this.library.createSocket(options);
    this.#open.push(socket);
    return socket;
  }

  async bound(options: Parameters<Library['createSocket']>[0], address?: string, port = 0): Promise<Socket> {
    const socket = this.socket(options);
    socket.bind(port, address);
    const error = await once(socket, 'listening').then(
      () => undefined,
      (reason) => reason,
    );
    if (error) this.failed('bind', error);
    return socket;
  }

  failed(what: string, { code, errno, syscall, message }: NodeJS.ErrnoException): void {
    this.say(what, code, errno, syscall, message.replace(/:\d{4,5}\b/, ':port'));
  }

  async sent(socket: Socket, ...args: unknown[]): Promise<void> {
    const [error, bytes] = await new Promise<[NodeJS.ErrnoException | null, number]>((done) => {
      (socket.send as (...args: unknown[]) => void)(...args, (...told: [null, number]) => done(told));
    });
    if (error) this.failed('send', error);
    else this.say('sent', bytes);
  }

  async heard(socket: Socket): Promise<RemoteInfo> {
    const [msg, rinfo] = (await once(socket, 'message')) as [Buffer, RemoteInfo];
    const { destination, port, ...rest } = rinfo;
    const to = destination && { ...destination, port: this.port(destination.port) };
    this.say('heard', String(msg.length > 40 ? msg.length : msg), { ...rest, port: this.port(port), to });
    return rinfo;
  }

  end(): void {
    for (const each of this.#open) {
      try {
        each.close();
      } catch {
        // the script has closed it
      }
    }
  }
}

const scripts: Record<string, (t: Transcript) => Promise<void>> = {
  async 'a server on all IPv4 addresses answers'(t) {
    const server = await t.bound({ type: 'udp4', recvTTL: true, recvTOS: true });
    for (const address of ['127.0.0.1', '127.0.0.2', '127.9.8.7']) {
      const client = t.socket('udp4');
      await t.sent(client, 'query', server.address().port, address);
      server.reply('answer', await t.heard(server));
      await t.heard(client);
    }
  },
  async 'a dual-stack server answers both families'(t) {
    const server = await t.bound('udp6');
    for (const [type, address] of [
      ['udp4', '127.0.0.2'],
      ['udp6', '::1'],
    ] as const) {
      const client = t.socket(type);
      await t.sent(client, 'query', server.address().port, address);
      server.reply('answer', await t.heard(server));
      await t.heard(client);
    }
  },
  async 'a source is named, or is not of this host'(t) {
    const server = await t.bound('udp4', '127.0.0.1');
    const client = await t.bound('udp4');
    const { port } = server.address();
    await t.sent(client, 'x', { port, address: '127.0.0.1', localAddress: '127.0.0.5' });
    await t.heard(server);
    await t.sent(client, 'x', { port, address: '127.0.0.1', localAddress: '203.0.113.1' });
    await t.sent(client, 'x', { port, address: '127.0.0.1', ttl: 9, tos: 16 });
    await t.heard(server);
  },
  async 'ports are taken, shared and freed'(t) {
    const first = await t.bound('udp4', '127.0.0.1');
    const { port } = first.address();
    await t.bound('udp4', '127.0.0.1', port);
    await t.bound('udp4', '0.0.0.0', port);
    t.say((await t.bound('udp4', '127.0.0.2', port)).address().address);
    await t.bound('udp4', '203.0.113.1');
    await t.bound({ type: 'udp6', ipv6Only: true }, '::', port);
    first.close();
    await once(first, 'close');
    await t.bound('udp4', '127.0.0.1', port);
    const shared = await t.bound({ type: 'udp4', reuseAddr: true }, '127.0.0.3');
    await t.bound({ type: 'udp4', reuseAddr: true }, '127.0.0.3', shared.address().port);
    await t.bound('udp4', '127.0.0.3', shared.address().port);
  },
  async 'a connection filters, and is dissolved'(t) {
    const peer = await t.bound('udp4', '127.0.0.1');
    const stranger = await t.bound('udp4', '127.0.0.1');
    const client = t.socket('udp4');
    client.connect(peer.address().port, '127.0.0.1');
    await once(client, 'connect');
    t.say(client.address().address, client.remoteAddress().address);
    const { port } = client.address();
    t.port(port);
    await t.sent(stranger, 'stranger', port, '127.0.0.1');
    await t.sent(peer, 'peer', port, '127.0.0.1');
    await t.heard(client);
    await t.sent(client, 'to the peer');
    await t.heard(peer);
    client.disconnect();
    t.say(client.address()); // the kernel takes back a port that it has chosen
    const bound = await t.bound('udp4', '127.0.0.1', port);
    bound.connect(peer.address().port, '127.0.0.1');
    await once(bound, 'connect');
    bound.disconnect();
    t.say(bound.address().address);
    await t.sent(stranger, 'stranger', bound.address().port, '127.0.0.1');
    await t.heard(bound);
  },
  async 'a closed port refuses'(t) {
    const gone = await t.bound('udp4', '127.0.0.1');
    const { port } = gone.address();
    gone.close();
    await once(gone, 'close');
    const client = t.socket('udp4');
    client.connect(port, '127.0.0.1');
    await once(client, 'connect');
    await t.sent(client, 'x');
    const [error] = await once(client, 'error');
    t.failed('error', error);
    const told = t.socket({ type: 'udp4', recvErrors: true });
    await t.sent(told, 'x', port, '127.0.0.1');
    const [{ code, type, icmpCode, origin, offender, localAddress, remote }] = await once(told, 'icmp');
    t.say(code, type, icmpCode, origin, offender, localAddress ?? 'no localAddress', remote.address);
  },
  async 'datagrams are empty, cut, truncated, and too large'(t) {
    const server = await t.bound({ type: 'udp4', maxDatagramSize: 64, batch: 4 }, '127.0.0.1');
    const client = await t.bound('udp4', '127.0.0.1');
    const { port } = server.address();
    await t.sent(client, '', port, '127.0.0.1');
    await t.heard(server);
    await t.sent(client, 'x'.repeat(100), port, '127.0.0.1');
    await t.heard(server);
    await t.sent(client, Buffer.alloc(65508), port, '127.0.0.1');
    const heard: string[] = [];
    const all = new Promise<void>((done) => {
      server.on('message', (msg) => {
        heard.push(String(msg));
        if (heard.length === 3) done();
      });
    });
    await t.sent(client, 'aaabbbc', { port, address: '127.0.0.1', segmentSize: 3 });
    await all;
    t.say(heard);
  },
  async 'what cannot be sent to'(t) {
    const socket = await t.bound('udp4');
    await t.sent(socket, 'x', 9, '255.255.255.255');
    await t.sent(socket, 'x', 9, '::1');
    const v6 = await t.bound({ type: 'udp6', ipv6Only: true });
    await t.sent(v6, 'x', 9, '::ffff:127.0.0.1');
    const bound = await t.bound('udp4', '127.0.0.1');
    await t.sent(bound, 'x', 9, '127.0.0.1');
  },
  async 'options are set, and told'(t) {
    const socket = await t.bound('udp4', '127.0.0.1');
    const calls: [string, () => unknown][] = [
      ['setTTL', () => socket.setTTL(5)],
      ['setTTL', () => socket.setTTL(256)],
      ['setMulticastTTL', () => socket.setMulticastTTL(0)],
      ['setBroadcast', () => socket.setBroadcast(true)],
      ['setTypeOfService', () => socket.setTypeOfService(32)],
      ['getTypeOfService', () => socket.getTypeOfService()],
      ['setRecvBufferSize', () => socket.setRecvBufferSize(10_000)],
      ['getRecvBufferSize', () => socket.getRecvBufferSize()],
      ['setSendBufferSize', () => socket.setSendBufferSize(1)],
      ['setMulticastInterface', () => socket.setMulticastInterface('203.0.113.1')],
      ['setMulticastInterface', () => socket.setMulticastInterface('127.0.0.1')],
      ['addMembership', () => socket.addMembership('127.0.0.1', '127.0.0.1')],
      ['addMembership', () => socket.addMembership('239.1.2.3', '127.0.0.1')],
      ['addMembership', () => socket.addMembership('239.1.2.3', '127.0.0.1')],
      ['dropMembership', () => socket.dropMembership('239.1.2.3', '127.0.0.1')],
      ['dropMembership', () => socket.dropMembership('239.1.2.3', '127.0.0.1')],
      ['sourceFor', () => socket.sourceFor('127.0.0.2')],
    ];
    for (const [name, call] of calls) {
      try {
        t.say(name, call() ?? 'done');
      } catch (error) {
        t.failed(name, error as Error);
      }
    }
  },
  async 'groups on the loopback interface'(t) {
    const member = await t.bound({ type: 'udp4', recvTTL: true });
    member.addMembership('239.1.2.3', '127.0.0.1');
    const sender = await t.bound('udp4');
    sender.setMulticastInterface('127.0.0.1');
    sender.setMulticastTTL(3);
    await t.sent(sender, 'to the group', member.address().port, '239.1.2.3');
    member.reply('answer', await t.heard(member));
    await t.heard(sender);
  },
  async 'sends without waiting, and counts'(t) {
    const server = await t.bound('udp4', '127.0.0.1');
    const client = t.socket('udp4');
    client.bindSync({ address: '127.0.0.1' });
    const { port } = server.address();
    t.say(client.sendSync('now', { port, address: '127.0.0.1' }));
    await t.heard(server);
    const many = Array.from({ length: 20 }, (_, i) => ({ msg: `${i}`, port, address: '127.0.0.1' }));
    t.say(await new Promise((done) => client.sendMany(many, (error, sent) => done([error, sent]))));
    let last = '';
    while (last !== '19') last = String((await once(server, 'message'))[0]);
    const { datagramsIn, bytesIn, truncated, destinationUnknown } = server.stats();
    t.say({ datagramsIn, bytesIn, truncated, destinationUnknown });
  },
};

/** A script that waits for what does not come ends as well. */
async function transcript(library: Library, script: (t: Transcript) => Promise<void>): Promise<string[]> {
  const t = new Transcript(library);
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<void>((done) => {
    timer = setTimeout(() => {
      t.say('waits for ever');
      done();
    }, 2000);
  });
  const failed = (error: Error) => t.say('threw', error.message);
  await Promise.race([script(t).catch(failed), late]);
  clearTimeout(timer);
  t.end();
  return t.lines;
}

const onLinux = platform === 'linux' ? test : test.skip;

onLinux.each(Object.entries(scripts))('%s, in memory as by the kernel', async (_, script) => {
  await using network = createNetwork({ hosts: { host: [] } });
  const expected = await transcript(real, script);
  expect(expected.join('\n')).not.toMatch(/waits for ever|threw/);
  expect(await transcript(network.hosts.host, script)).toEqual(expected);
});

test('the built package loads koffi for a socket of the kernel, and not for one in memory', () => {
  const program = `
    const { createNetwork } = require('./dist/testing.js');
    const native = () => Object.keys(require.cache).some((name) => /koffi/.test(name));
    const network = createNetwork({ hosts: { a: '10.0.0.1' } });
    network.createSocket('a', 'udp4').bindSync();
    network.close();
    console.log(native());
    require('./dist/index.js').createSocket('udp4').close();
    console.log(native());`;
  const output = execFileSync(process.execPath, ['-e', program], { cwd: ROOT, encoding: 'utf8' });
  expect(output).toBe('false\ntrue\n');
});
