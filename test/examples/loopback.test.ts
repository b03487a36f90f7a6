/** The examples that loopback addresses are enough for, asked by node:dgram. The others are networks.test.ts. */
import * as dgram from 'node:dgram';
import { once } from 'node:events';
import { start, stopAll } from './example';

const packet = require('dns-packet');
const coap = require('coap-packet');

/** Other loopback addresses than 127.0.0.1 are Linux's. */
const onLinux = process.platform === 'linux' ? describe : describe.skip;
const ASKED = ['127.0.0.1', '127.0.0.2', '127.7.7.7'];

afterEach(stopAll);

/** A port that nobody uses. */
async function freePort(): Promise<number> {
  const socket = dgram.createSocket('udp4');
  socket.bind(0);
  await once(socket, 'listening');
  const { port } = socket.address();
  socket.close();
  return port;
}

/** Asks by a connected socket, which hears nobody but the address that it asks. */
async function ask(port: number, address: string, request: Buffer | string): Promise<Buffer> {
  const client = dgram.createSocket(address.includes(':') ? 'udp6' : 'udp4');
  try {
    client.connect(port, address);
    await once(client, 'connect');
    client.send(request);
    const [answer] = await once(client, 'message', { signal: AbortSignal.timeout(3000) });
    return answer;
  } finally {
    client.close();
  }
}

onLinux('examples', () => {
  test('dns-server.js says which address it was asked on, and answers from there', async () => {
    const port = await freePort();
    await start(['examples/dns-server.js', String(port)]);
    for (const [id, address] of ASKED.entries()) {
      const questions = [{ type: 'A', name: 'whatever.test' }];
      const answer = packet.decode(await ask(port, address, packet.encode({ type: 'query', id, questions })));
      expect(answer).toMatchObject({ id, answers: [{ name: 'whatever.test', type: 'A', data: address }] });
    }
  });

  test('dns-server.js says nothing to what is no query', async () => {
    const port = await freePort();
    await start(['examples/dns-server.js', String(port)]);
    const response = packet.encode({ type: 'response', id: 1, questions: [] });
    const client = dgram.createSocket('udp4').bind(0, '127.0.0.1');
    await once(client, 'listening');
    const heard: number[] = [];
    client.on('message', (msg) => heard.push(packet.decode(msg).id));
    for (const msg of [Buffer.from('x'), response]) client.send(msg, port, '127.0.0.1');
    client.send(packet.encode({ type: 'query', id: 2, questions: [] }), port, '127.0.0.1');
    await once(client, 'message');
    client.close();
    expect(heard).toEqual([2]); // in order: had the others been answered, it would have been before
  });

  test('coap-server.js answers every address under register, and one without', async () => {
    const port = await freePort();
    const options = [{ name: 'Uri-Path', value: Buffer.from('there') }];
    const get = coap.generate({ code: 'GET', confirmable: true, messageId: 7, token: Buffer.from('t'), options });
    await start(['examples/coap-server.js', String(port)]);
    await expect(ask(port, '127.0.0.2', get)).rejects.toThrow(/abort/i);
    await stopAll();
    await start(['--import', 'recvfromto/register', 'examples/coap-server.js', String(port)]);
    for (const address of ASKED) {
      expect(String(coap.parse(await ask(port, address, get)).payload)).toBe('hello from /there\n');
    }
  });

  test('multi-core.js answers from the asked address, each client by one worker', async () => {
    const port = await freePort();
    await start(['examples/multi-core.js', String(port), '3']);
    const workers = new Set<string>();
    for (let client = 0; client < 60; client++) {
      workers.add(String(await ask(port, ASKED[client % ASKED.length] as string, 'who?')));
    }
    expect([...workers].sort()).toEqual(['worker 1', 'worker 2', 'worker 3']);
  });

  test('virtual-address.js serves the virtual addresses only', async () => {
    const port = await freePort();
    await start(['examples/virtual-address.js', String(port), '127.0.0.2', '127.0.0.3']);
    expect(String(await ask(port, '127.0.0.2', 'a'))).toBe('127.0.0.2: a');
    expect(String(await ask(port, '127.0.0.3', 'b'))).toBe('127.0.0.3: b');
    await expect(ask(port, '127.0.0.1', 'c')).rejects.toThrow(/abort/i);
  });

  test('anycast.js answers from whichever address was asked, IPv6 too', async () => {
    const port = await freePort();
    await start(['examples/anycast.js', String(port), 'host-a']);
    for (const address of [...ASKED, '::1']) {
      expect(String(await ask(port, address, 'who?'))).toBe(`host-a as ${address}`);
    }
  });
});
