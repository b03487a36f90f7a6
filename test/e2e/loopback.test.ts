/**
 * The built package on this host's loopback addresses, without root: node:dgram clients see from which address they
 * are answered. The same with cables, many addresses and other people's clients is netns/.
 */
import { execFileSync } from 'node:child_process';
import * as dgram from 'node:dgram';
import { once } from 'node:events';
import { join } from 'node:path';
import type { RemoteInfo, Server, Socket } from '../../src/index';

const ROOT = join(__dirname, '../..');
const { createServer, createSocket }: typeof import('../../src/index') = require('../../dist/index.js');

type Closable = { close(callback?: () => void): unknown };
const open: Closable[] = [];

/** Closes it after the test. */
function held<T extends Closable>(socket: T): T {
  open.push(socket);
  return socket;
}

afterEach(async () => {
  await Promise.all(open.splice(0).map((socket) => new Promise<void>((resolve) => socket.close(() => resolve()))));
});

/** Which of these addresses has this host? macOS has only 127.0.0.1; containers may be without IPv6. */
async function present(addresses: readonly string[]): Promise<Set<string>> {
  const found = new Set<string>();
  for (const address of addresses) {
    const socket = dgram.createSocket(address.includes(':') ? 'udp6' : 'udp4');
    socket.bind(0, address);
    const bound = await once(socket, 'listening').then(
      () => true,
      () => false,
    );
    if (bound) found.add(address);
    socket.close();
  }
  return found;
}

const IPV4 = ['127.0.0.1', '127.0.0.2', '127.9.8.7'];
const ALL = [...IPV4, '::1'];
let has: Set<string>;
beforeAll(async () => {
  has = await present(ALL);
});

/** Addresses of the host among these. In CI on Linux all of them must be there, or nothing would be tested. */
function those(addresses: readonly string[]): string[] {
  if (process.env.CI === 'true' && process.platform === 'linux') expect([...has]).toEqual(ALL);
  return addresses.filter((address) => has.has(address));
}

interface Answer {
  readonly text: string;
  readonly from: string;
  /** The client's port. */
  readonly port: number;
}

/** Asks with a socket that hears everybody. */
async function ask(address: string, port: number, text: string): Promise<Answer> {
  const client = held(dgram.createSocket(address.includes(':') ? 'udp6' : 'udp4'));
  client.send(text, port, address);
  const [msg, rinfo] = (await once(client, 'message')) as [Buffer, dgram.RemoteInfo];
  return { text: msg.toString(), from: rinfo.address, port: client.address().port };
}

/** Asks with a connected socket: the kernel drops what comes from another address, and the test would time out. */
async function askConnected(address: string, port: number, text: string): Promise<string> {
  const client = held(dgram.createSocket(address.includes(':') ? 'udp6' : 'udp4'));
  client.connect(port, address);
  await once(client, 'connect');
  client.send(text);
  const [msg] = (await once(client, 'message')) as [Buffer];
  return msg.toString();
}

/** Answers everything; `heard` is what it heard, by text. */
function answering(socket: Socket | Server): Map<string, RemoteInfo> {
  const heard = new Map<string, RemoteInfo>();
  socket.on('message', (msg: Buffer, rinfo: RemoteInfo) => {
    heard.set(msg.toString(), rinfo);
    socket.reply(Buffer.from(`re:${msg}`), rinfo, (error) => {
      if (error) throw error;
    });
  });
  return heard;
}

async function bound(type: 'udp4' | 'udp6', address: string, ipv6Only = false): Promise<Socket> {
  const socket = held(createSocket({ type, ipv6Only }));
  socket.bind(0, address);
  await once(socket, 'listening');
  return socket;
}

async function expectAnswers(port: number, addresses: readonly string[], heard: Map<string, RemoteInfo>, prefix = '') {
  for (const address of those(addresses)) {
    const text = `to ${address}`;
    const answer = await ask(address, port, text);
    expect(answer).toMatchObject({ text: `re:${text}`, from: address });
    const rinfo = heard.get(text);
    expect(rinfo).toMatchObject({
      port: answer.port,
      size: text.length,
      localAddress: prefix + address,
      destination: { address: prefix + address, family: rinfo?.family, port },
    });
    expect(Object.isFrozen(rinfo?.destination)).toBe(true);
    expect(await askConnected(address, port, text)).toBe(`re:${text}`);
  }
}

test('node:dgram answers from the wrong address here, so that these tests can fail', async () => {
  if (!those(['127.9.8.7']).length) return;
  const server = held(dgram.createSocket('udp4'));
  server.on('message', (msg, rinfo) => server.send(msg, rinfo.port, rinfo.address));
  server.bind(0);
  await once(server, 'listening');
  const { from } = await ask('127.9.8.7', server.address().port, 'hello');
  expect(from).not.toBe('127.9.8.7');
});

describe('createSocket', () => {
  test('udp4 on 0.0.0.0 answers from the address that was asked', async () => {
    const socket = await bound('udp4', '0.0.0.0');
    await expectAnswers(socket.address().port, IPV4, answering(socket));
  });

  test('udp6 on :: (IPV6_V6ONLY) answers from the address that was asked', async () => {
    if (!those(['::1']).length) return;
    const socket = await bound('udp6', '::', true);
    await expectAnswers(socket.address().port, ['::1'], answering(socket));
  });

  test('a dual-stack socket answers IPv4 and IPv6 from the address that was asked', async () => {
    if (!those(['::1']).length) return;
    const socket = await bound('udp6', '::');
    const heard = answering(socket);
    await expectAnswers(socket.address().port, IPV4, heard, '::ffff:');
    await expectAnswers(socket.address().port, ['::1'], heard);
  });

  test('a socket bound to one address answers from it and reports it', async () => {
    for (const address of those(['127.0.0.2', '::1'])) {
      const socket = await bound(address.includes(':') ? 'udp6' : 'udp4', address);
      await expectAnswers(socket.address().port, [address], answering(socket));
    }
  });

  test('late answers, in another order than the requests, each leave from their own address', async () => {
    const socket = await bound('udp4', '0.0.0.0');
    const waiting: [Buffer, RemoteInfo][] = [];
    const addresses = those(IPV4);
    socket.on('message', (msg, rinfo) => {
      waiting.push([msg, rinfo]);
      if (waiting.length < addresses.length) return;
      setImmediate(() => {
        for (const [text, to] of waiting.reverse()) socket.reply(text, to);
      });
    });
    const answers = await Promise.all(addresses.map((address) => ask(address, socket.address().port, address)));
    expect(answers.map(({ text, from }) => [text, from])).toEqual(addresses.map((address) => [address, address]));
  });

  test('a flood of requests to several addresses: every answer leaves from its own', async () => {
    const socket = await bound('udp4', '0.0.0.0');
    answering(socket);
    const addresses = those(IPV4);
    // 60 at once, far from filling a receive buffer: nothing may be lost, and batches have mixed destinations.
    const asked = Array.from({ length: 60 }, (_, at) => addresses[at % addresses.length] as string);
    const answers = await Promise.all(asked.map((address, at) => ask(address, socket.address().port, String(at))));
    expect(answers.map(({ text, from }) => [text, from])).toEqual(asked.map((address, at) => [`re:${at}`, address]));
  });

  test('send() leaves from localAddress', async () => {
    const socket = await bound('udp4', '0.0.0.0');
    const client = held(dgram.createSocket('udp4'));
    client.bind(0, '127.0.0.1');
    await once(client, 'listening');
    for (const localAddress of those(IPV4)) {
      socket.send('from', { port: client.address().port, address: '127.0.0.1', localAddress });
      const [, rinfo] = (await once(client, 'message')) as [Buffer, dgram.RemoteInfo];
      expect(rinfo.address).toBe(localAddress);
      expect(rinfo.port).toBe(socket.address().port);
    }
  });

  test('a source that is not of this host is EADDRNOTAVAIL, and the socket goes on', async () => {
    const socket = await bound('udp4', '0.0.0.0');
    const heard = answering(socket);
    // 203.0.113.0/24 is TEST-NET-3 (RFC 5737): nobody has it.
    const target = { port: 9, address: '127.0.0.1', localAddress: '203.0.113.7' };
    const error = await new Promise((resolve) => socket.send('x', target, resolve));
    expect(error).toMatchObject({ code: 'EADDRNOTAVAIL', localAddress: '203.0.113.7', address: '127.0.0.1', port: 9 });
    await expectAnswers(socket.address().port, ['127.0.0.1'], heard);
  });
});

describe('createServer', () => {
  test('answers on all addresses of both families, on one port', async () => {
    const server = held(createServer());
    const heard = answering(server);
    server.listen(0);
    await once(server, 'listening');
    const { port, ipv4, ipv6 } = server.address();
    expect(ipv4).toEqual({ address: '0.0.0.0', family: 'IPv4', port });
    if (has.has('::1')) expect(ipv6).toEqual({ address: '::', family: 'IPv6', port });
    await expectAnswers(port, ALL, heard);
  });
});

describe('the package, imported by name', () => {
  const program = (load: string) => `${load}
    const server = createServer((msg, rinfo) => server.reply(msg, rinfo));
    server.listen(0, () => {
      const { port } = server.address();
      const client = createSocket('udp4', (msg, rinfo) => {
        console.log(String(msg), rinfo.address);
        client.close();
        server.close();
      });
      client.send('hello', port, '127.0.0.1');
    });`;
  // The process ends by itself, so nothing that was closed keeps it alive.
  const run = (type: string, source: string) =>
    execFileSync(process.execPath, [`--input-type=${type}`, '--eval', source], {
      cwd: ROOT,
      encoding: 'utf8',
      timeout: 20_000,
    });

  test('by require()', () => {
    const load = "const { createServer, createSocket } = require('recvfromto');";
    expect(run('commonjs', program(load))).toBe('hello 127.0.0.1\n');
  });

  test('by named import', () => {
    const load = "import { createServer, createSocket } from 'recvfromto';";
    expect(run('module', program(load))).toBe('hello 127.0.0.1\n');
  });

  test('by namespace import, as the drop-in for node:dgram', () => {
    const load = "import * as dgram from 'recvfromto'; const { createServer, createSocket } = dgram;";
    expect(run('module', program(load))).toBe('hello 127.0.0.1\n');
  });
});
