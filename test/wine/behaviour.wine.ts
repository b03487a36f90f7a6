/** A socket's life on Windows: what is refused and how, what is ignored, and that nothing stays behind. */
import { execFile } from 'node:child_process';
import * as dgram from 'node:dgram';
import { once } from 'node:events';
import { join } from 'node:path';
import { promisify, types } from 'node:util';
import { Worker } from 'node:worker_threads';
import { bound, dgramSocket, held, next, recvfromto, send } from './windows';

const PACKAGE = JSON.stringify(join(__dirname, '../../dist/index.js'));

/** What a program can act on. */
function shape(error: unknown): Record<string, unknown> | undefined {
  if (error === undefined || error === null) return undefined;
  if (!types.isNativeError(error)) return { notAnError: error }; // instanceof: node:dgram's come from outside of Jest
  const { code, errno, syscall, address, message } = error as NodeJS.ErrnoException & { address?: string };
  return { code, errno, syscall, address, message };
}

type Module = Pick<typeof dgram, 'createSocket'>;
type Action = (socket: dgram.Socket, other: dgram.Socket, module: Module) => unknown;

/** How `action` ends: thrown, rejected, as 'error', or well. */
async function outcome(module: Module, type: 'udp4' | 'udp6', bind: boolean, action: Action): Promise<unknown> {
  const other = await dgramSocket('udp4', '127.0.0.1');
  const socket = held(module.createSocket(type));
  const failed = new Promise((resolve) => socket.on('error', (error) => resolve({ emitted: shape(error) })));
  if (bind) {
    socket.bind(0);
    await once(socket, 'listening');
  }
  const plain = (value: unknown) =>
    JSON.parse(JSON.stringify(value ?? null).replaceAll(String(other.address().port), 'PORT'));
  try {
    return plain({ result: await Promise.race([action(socket, other, module), failed]) });
  } catch (error) {
    return plain({ thrown: shape(error) });
  }
}

const sent = (socket: dgram.Socket, ...args: unknown[]) =>
  new Promise((resolve) =>
    (socket.send as (...all: unknown[]) => void)(...args, (error: Error | null) => resolve(shape(error))),
  );
const listening = (socket: dgram.Socket) =>
  new Promise((resolve) => socket.once('listening', () => resolve('listening')));

const unbound: Record<string, Action> = {
  'bind() to a port that is taken': (socket, other) => {
    socket.bind(other.address().port, '127.0.0.1');
    return listening(socket);
  },
  'bind() to an address that is not of this host': (socket) => {
    socket.bind(0, '203.0.113.7');
    return listening(socket);
  },
  'bind() to an address of the other family': (socket) => {
    socket.bind(0, '::1');
    return listening(socket);
  },
  'address() before bind()': (socket) => socket.address(),
  'getRecvBufferSize() before bind()': (socket) => socket.getRecvBufferSize(),
  'setTTL() before bind()': (socket) => socket.setTTL(5),
  'setBroadcast() before bind()': (socket) => socket.setBroadcast(true),
  'setMulticastInterface() before bind()': (socket) => socket.setMulticastInterface('127.0.0.1'),
};

const onBound: Record<string, Action> = {
  'a datagram that is too long': (socket, other) =>
    sent(socket, Buffer.alloc(65_508), other.address().port, '127.0.0.1'),
  'a datagram to the other family': (socket, other) => sent(socket, 'x', other.address().port, '::1'),
  'a datagram to a broadcast address without setBroadcast()': (socket) => sent(socket, 'x', 9, '255.255.255.255'),
  'setTTL(0)': (socket) => socket.setTTL(0),
  'setTTL(256)': (socket) => socket.setTTL(256),
  'setTTL(255)': (socket) => socket.setTTL(255),
  'setMulticastTTL(256)': (socket) => socket.setMulticastTTL(256),
  'setMulticastLoopback(false)': (socket) => socket.setMulticastLoopback(false),
  'setMulticastInterface() of what is no address': (socket) => socket.setMulticastInterface('here'),
  'setMulticastInterface() of the other family': (socket) => socket.setMulticastInterface('::1'),
  'addMembership() of what is no group': (socket) => socket.addMembership('10.1.2.3'),
  'addMembership() of what is no address': (socket) => socket.addMembership('here'),
  'addMembership() twice': (socket) => {
    socket.addMembership('239.9.9.9', '10.77.0.1');
    return socket.addMembership('239.9.9.9', '10.77.0.1');
  },
  'dropMembership() without addMembership()': (socket) => socket.dropMembership('239.9.9.8', '10.77.0.1'),
  'addSourceSpecificMembership()': (socket) =>
    socket.addSourceSpecificMembership('10.77.0.9', '232.1.1.1', '10.77.0.1'),
  'bind() twice': (socket) => socket.bind(0),
  'disconnect() without connect()': (socket) => socket.disconnect(),
  'remoteAddress() without connect()': (socket) => socket.remoteAddress(),
  'send() with an address after connect()': async (socket, other) => {
    socket.connect(other.address().port, '127.0.0.1');
    await once(socket, 'connect');
    return sent(socket, 'x', other.address().port, '127.0.0.1');
  },
  'connect(), send(), disconnect(), send()': async (socket, other) => {
    socket.connect(other.address().port, '127.0.0.1');
    await once(socket, 'connect');
    const first = await sent(socket, 'x');
    const { address, family } = socket.remoteAddress();
    socket.disconnect();
    return [first, address, family, await sent(socket, 'x', other.address().port, '127.0.0.1')];
  },
};

describe.each([
  ['unbound', false, unbound],
  ['bound', true, onBound],
] as const)('as node:dgram under the same Wine, %s', (_, bind, actions) => {
  test.each(Object.keys(actions))('%s', async (name) => {
    const action = actions[name]!;
    const theirs = await outcome(dgram, 'udp4', bind, action);
    expect(await outcome(recvfromto as unknown as Module, 'udp4', bind, action)).toEqual(theirs);
  });
});

test('reuseAddr lets two sockets have one port, as in dgram', async () => {
  const first = await bound({ type: 'udp4', reuseAddr: true });
  const second = held(recvfromto.createSocket({ type: 'udp4', reuseAddr: true }));
  second.bind(first.address().port);
  await once(second, 'listening');
  expect(second.address().port).toBe(first.address().port);
});

test('what was refused by a peer is no error of the socket', async () => {
  const socket = await bound('udp4');
  const gone = await dgramSocket('udp4', '127.0.0.1');
  const { port } = gone.address();
  await new Promise<void>((closed) => gone.close(closed));
  const errors: unknown[] = [];
  socket.on('error', (error) => errors.push(error));
  for (let i = 0; i < 3; i++) await sent(socket as unknown as dgram.Socket, 'x', port, '127.0.0.1');
  const client = await dgramSocket('udp4');
  const heard = next(socket);
  await send(client, 'still here', socket.address().port, '127.0.0.1');
  expect((await heard).msg.toString()).toBe('still here');
  expect(errors).toEqual([]);
});

test('a socket is no handle that children inherit', async () => {
  const koffi = require('koffi');
  // BOOL GetHandleInformation(HANDLE hObject, LPDWORD lpdwFlags);
  const GetHandleInformation = koffi.load('kernel32.dll').func('int __stdcall GetHandleInformation(intptr_t, void *)');
  const { openHost } = require('../../src/ffi/index') as typeof import('../../src/ffi/index');
  const { platform, syscalls } = openHost();
  const fd = syscalls.socket(platform.constants.AF_INET);
  const flags = Buffer.alloc(4, 0xff);
  expect(GetHandleInformation(fd, flags)).not.toBe(0);
  expect(flags.readUInt32LE() & 1).toBe(0); // HANDLE_FLAG_INHERIT
  syscalls.close(fd);
});

describe('close()', () => {
  test('inside a listener: nothing comes after it but "close"', async () => {
    const socket = await bound('udp4');
    const events: string[] = [];
    socket.on('message', () => {
      events.push('message');
      socket.close();
    });
    const closed = once(socket, 'close').then(() => events.push('close'));
    const client = await dgramSocket('udp4');
    for (let i = 0; i < 5; i++) await send(client, 'x', socket.address().port, '127.0.0.1');
    await closed;
    await new Promise((settled) => setTimeout(settled, 50));
    expect(events).toEqual(['message', 'close']);
  });

  test('two hundred times in turn, with a port that can be had again', async () => {
    const first = await bound('udp4', '127.0.0.1');
    const { port } = first.address();
    await new Promise<void>((closed) => first.close(closed));
    for (let i = 0; i < 200; i++) {
      const socket = recvfromto.createSocket('udp4');
      socket.bind(port, '127.0.0.1');
      await once(socket, 'listening');
      await new Promise<void>((closed) => socket.close(closed));
    }
  });

  test('what was sent just before leaves', async () => {
    const server = await bound('udp4', '127.0.0.1');
    const client = await bound('udp4', '127.0.0.1');
    const heard = next(server);
    client.send('last words', server.address().port, '127.0.0.1');
    client.close();
    expect((await heard).msg.toString()).toBe('last words');
  });
});

const run = promisify(execFile);
const program = (source: string) => run(process.execPath, ['-e', source], { timeout: 20_000 });

describe('a process', () => {
  test('ends by itself when its sockets are closed, and when they are unref()d', async () => {
    const { stdout } = await program(`
      const { createSocket } = require(${PACKAGE});
      const closed = createSocket('udp4').bind(0, () => closed.close(() => require('fs').writeSync(1, 'closed ')));
      const idle = createSocket('udp4').bind(0, () => idle.unref());
      process.on('exit', () => require('fs').writeSync(1, 'exit'));`);
    expect(stdout).toBe('closed exit');
  });

  test('ends while datagrams arrive', async () => {
    const { stdout } = await program(`
      const { createSocket } = require(${PACKAGE});
      const socket = createSocket('udp4', () => { if (++heard === 100) { require('fs').writeSync(1, 'heard'); process.exit(0); } });
      let heard = 0;
      const flood = () => { for (let i = 0; i < 20; i++) socket.send('x', socket.address().port, '127.0.0.1'); setImmediate(flood); };
      socket.bind(0, '127.0.0.1', flood);`);
    expect(stdout).toBe('heard');
  });
});

describe('a worker', () => {
  const source = `
    const { parentPort } = require('node:worker_threads');
    const { createSocket } = require(${PACKAGE});
    const socket = createSocket('udp4', (msg) => parentPort.postMessage(String(msg)));
    socket.bind(0, '127.0.0.1', () => parentPort.postMessage(socket.address().port));
    parentPort.on('message', () => socket.close(() => parentPort.close()));`;

  async function start(): Promise<{ worker: Worker; port: number }> {
    const worker = new Worker(source, { eval: true });
    const [port] = (await once(worker, 'message')) as [number];
    return { worker, port };
  }

  test('has sockets of its own, and ends by itself when they are closed', async () => {
    const { worker, port } = await start();
    const client = await dgramSocket('udp4');
    const heard = once(worker, 'message');
    await send(client, 'to the worker', port, '127.0.0.1');
    expect(await heard).toEqual(['to the worker']);
    worker.postMessage('close');
    expect(await once(worker, 'exit')).toEqual([0]);
  });

  // Not on ia32: there closesocket cannot be called by Node's hooks (src/ffi/wait/uv-calls.ts).
  (process.arch === 'ia32' ? test.skip : test)('that is terminated leaves no socket behind', async () => {
    const { worker, port } = await start();
    await worker.terminate();
    const again = held(recvfromto.createSocket('udp4'));
    again.bind(port, '127.0.0.1');
    await once(again, 'listening');
    expect(again.address().port).toBe(port);
  });

  test('that is terminated while datagrams arrive takes nobody with it', async () => {
    const client = await dgramSocket('udp4');
    for (let i = 0; i < 3; i++) {
      const { worker, port } = await start();
      const flood = setInterval(() => {
        for (let n = 0; n < 50; n++) client.send('x', port, '127.0.0.1');
      }, 1);
      await once(worker, 'message');
      await worker.terminate();
      clearInterval(flood);
    }
  });
});
