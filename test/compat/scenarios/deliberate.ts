/**
 * Where recvfromto differs from dgram on purpose: each with the reason, and with what both must do. docs/compat.md is
 * written from this file.
 */

import { AsyncLocalStorage } from 'node:async_hooks';
import { once } from 'node:events';
import { closeSync, openSync } from 'node:fs';
import { BlockList } from 'node:net';
import { join } from 'node:path';
import { output } from '../child';
import type { LooseSocket, Scenarios, Stage } from '../stage';

export interface Difference {
  readonly reason: string;
  /** What dgram's transcript is; undefined where lines differ. */
  readonly dgram?: readonly string[];
  readonly recvfromto: readonly string[];
}

const call = (socket: LooseSocket, name: string, ...args: unknown[]) =>
  (socket[name] as (...args: unknown[]) => unknown)(...args);
const NOT_RUNNING =
  'Error <Error [ERR_SOCKET_DGRAM_NOT_RUNNING]: Not running> keys code { code: "ERR_SOCKET_DGRAM_NOT_RUNNING", name: "Error" }';
const ALREADY_BOUND =
  'Error <Error [ERR_SOCKET_ALREADY_BOUND]: Socket is already bound> keys code { code: "ERR_SOCKET_ALREADY_BOUND", name: "Error" }';
const NO_UDP =
  'TypeError <TypeError [ERR_INVALID_FD_TYPE]: Unsupported fd type: FILE> keys code { code: "ERR_INVALID_FD_TYPE", name: "TypeError" }';
/** Methods that in dgram read a property of a handle that is gone. */
const OF_THE_HANDLE = [
  ['setBroadcast', true],
  ['setTTL', 64],
  ['setMulticastTTL', 64],
  ['setMulticastLoopback', true],
  ['getSendQueueSize'],
  ['getSendQueueCount'],
  ['getRecvBufferSize'],
  ['setSendBufferSize', 8192],
] as const;
/** What dgram takes for 0, 65535, 9, 40000 and any port. */
const NO_PORTS = [65536, -1, 131072 + 9, 40000.5, Number.NaN];
const badPort = (port: unknown, least = '>=') =>
  `RangeError <RangeError [ERR_SOCKET_BAD_PORT]: Port should be ${least} 0 and < 65536. Received type ${typeof port} (${typeof port === 'string' ? `'${port}'` : port}).> keys code { code: "ERR_SOCKET_BAD_PORT", name: "RangeError" }`;

async function heardOf(t: Stage, peer: LooseSocket): Promise<void> {
  const heard: string[] = [];
  peer.on('message', (msg) => heard.push(String(msg)));
  await t.settle(20);
  t.log('heard', heard);
}

export const scenarios: Scenarios = {
  'a port that is none': async (t) => {
    for (const port of NO_PORTS) {
      const socket = t.socket('udp4');
      socket.on('error', () => {}); // dgram's may be taken
      t.attempt(`bind(${port})`, () => socket.bind(port, '127.0.0.1') === socket);
      await t.settle();
    }
  },

  'the port "0"': async (t) => {
    const socket = await t.bound();
    t.attempt('send', () => socket.send('x', '0', '127.0.0.1'));
    t.attempt('connect', () => socket.connect('0', '127.0.0.1'));
  },

  'a block list of another make': (t) => {
    const list = { check: () => true };
    t.attempt('receiveBlockList', () => t.socket({ type: 'udp4', receiveBlockList: list }).type);
    t.attempt('sendBlockList', () => t.socket({ type: 'udp4', sendBlockList: list }).type);
  },

  'options that only newer lines have': async (t) => {
    const list = new BlockList();
    list.addAddress('127.0.0.1');
    const socket = await t.bound({ type: 'udp4', sendBlockList: list, receiveBlockList: list });
    t.watch(socket);
    const sent = t.awaited('sent');
    socket.send('x', socket.address().port, '127.0.0.1', sent.call);
    await sent.called;
    const peer = await t.peer();
    peer.send('x', socket.address().port, '127.0.0.1');
    await t.settle();
    t.log('bindSync, connectSync', typeof socket.bindSync, typeof socket.connectSync);
  },

  'sockets for child processes': async (t) => {
    const script = `
      const child = require('node:child_process').fork('-e', { execPath: process.execPath, execArgv: ['-e', '0'] });
      const socket = require(${JSON.stringify(t.modulePath)}).createSocket('udp4').bind(0, '127.0.0.1', () => {
        try { child.send('x', socket, () => {}); console.log('sent'); } catch (error) { console.log(error.code, error.message); }
        socket.close();
        child.kill();
      });`;
    const { status, signal, stdout } = await output(process.execPath, ['-e', script]);
    t.log('send', status, signal, stdout);
  },

  'sends made just before close()': async (t) => {
    const peer = await t.peer();
    const socket = await t.bound();
    socket.send('last words', peer.address().port, '127.0.0.1', t.callback('sent'));
    socket.close(t.callback('closed'));
    await heardOf(t, peer);
  },

  'sends made before close() by a socket that is being bound': async (t) => {
    const peer = await t.peer();
    const socket = t.socket('udp4');
    socket.send('last words', peer.address().port, '127.0.0.1', t.callback('sent'));
    socket.close(t.callback('closed'));
    await heardOf(t, peer);
  },

  'a send() after a close() that waits for bind': async (t) => {
    const socket = t.socket('udp4');
    const caught = (error: Error) => t.log('uncaught', error);
    process.on('uncaughtException', caught);
    socket.send('x', 9, 'localhost');
    socket.close(t.callback('closed'));
    socket.send('y', 9, 'localhost', t.callback('sent'));
    await once(socket, 'close');
    await t.settle();
    process.removeListener('uncaughtException', caught);
  },

  'the async context of a send() that waits for bind': async (t) => {
    const context = new AsyncLocalStorage<string>();
    const { port } = (await t.peer()).address();
    const socket = t.socket('udp4');
    for (const name of ['first', 'second']) {
      const sent = () => t.log(`callback of the ${name}`, context.getStore());
      context.run(name, () => socket.send('x', port, '127.0.0.1', sent));
    }
    await t.settle();
  },

  'a second bind() after a descriptor that was refused': (t) => {
    const socket = t.socket('udp4');
    const stream = openSync('/dev/null', 'r');
    t.attempt('bind', () => socket.bind({ fd: stream }));
    t.attempt('bind, again', () => socket.bind({ fd: stream }));
    closeSync(stream);
  },

  'a descriptor of the other family': async (t) => {
    const libc = require(join(__dirname, '../../../dist/libc.js')) as typeof import('../../../src/libc');
    const fd = libc.socket(libc.AF_INET, libc.SOCK_DGRAM);
    const socket = t.socket('udp6');
    socket.bind({ fd });
    const sent = t.awaited('sent');
    socket.send('x', (await t.peer()).address().port, '127.0.0.1', sent.call);
    await sent.called;
  },

  'bytes changed after send()': async (t) => {
    const peer = await t.peer();
    const socket = await t.bound();
    const bytes = Buffer.from('before');
    socket.send(bytes, peer.address().port, '127.0.0.1');
    bytes.write('after!');
    await heardOf(t, peer);
  },

  'methods of a closed socket': async (t) => {
    const socket = await t.bound();
    socket.close();
    for (const [name, ...args] of OF_THE_HANDLE) t.attempt(name, () => call(socket, name, ...args));
  },

  'patched send() and the queue': async (t) => {
    const peer = await t.peer();
    const socket = t.socket('udp4');
    const { send } = socket;
    socket.send = (...args: unknown[]) => {
      t.log('send is called');
      return send.apply(socket, args);
    };
    socket.send('x', peer.address().port, '127.0.0.1');
    await heardOf(t, peer);
  },

  'a look-up that answers nothing': async (t) => {
    for (const answer of ['undefined', 'null', '5']) {
      const script = `
        let first = true;
        const lookup = (_h, _f, answer) => { process.nextTick(answer, null, first ? '127.0.0.1' : ${answer}); first = false; };
        const s = require(${JSON.stringify(t.modulePath)}).createSocket({ type: 'udp4', lookup });
        s.bind(0, () => s.send('x', 9, 'x', (error) => { console.log(error.message); s.close(); }));`;
      const { status, signal, stdout } = await output(process.execPath, ['-e', script]);
      t.log(answer, status, signal, stdout);
    }
  },
};

export const differences: Readonly<Record<keyof typeof scenarios, Difference>> = {
  'a port that is none': {
    reason:
      'dgram binds to the port modulo 65536, without its fraction, or to any port: a typing error becomes another service. `bind` throws where a number is no port.',
    dgram: NO_PORTS.map((port) => `bind(${port}) → true`),
    recvfromto: NO_PORTS.map((port) => `bind(${port}) throws ${badPort(port)}`),
  },
  'the port "0"': {
    reason: 'Up to Node 22 the string "0" passes for a port (and 0 does not). Here it is refused on every line.',
    recvfromto: ['send', 'connect'].map((name) => `${name} throws ${badPort('0', '>')}`),
  },
  'a block list of another make': {
    reason: 'dgram takes instances of net.BlockList only; here whatever has its `check()`.',
    recvfromto: ['receiveBlockList → "udp4"', 'sendBlockList → "udp4"'],
  },
  'options that only newer lines have': {
    reason:
      'receiveBlockList, sendBlockList, reusePort, bindSync() and connectSync() are there on every line: Node 20 ignores the first three, and has not the others.',
    recvfromto: [
      'sent called with Error <Error [ERR_IP_BLOCKED]: IP(127.0.0.1) is blocked by net.BlockList> keys code { code: "ERR_IP_BLOCKED", name: "Error" }',
      'bindSync, connectSync "function" "function"',
    ],
  },
  'sockets for child processes': {
    reason:
      'child.send() takes no socket of recvfromto: Node wants a handle of libuv inside. Send a descriptor (`stdio`), or let the child bind; what a child is sent it can `bind()`.',
    dgram: ['send 0 null "sent\\n"'],
    recvfromto: [
      'send 0 null "ERR_INVALID_HANDLE_TYPE This handle type cannot be sent: a socket of recvfromto has no handle of libuv. Hand its descriptor over by stdio, or let the child bind\\n"',
    ],
  },
  'sends made just before close()': {
    reason:
      'dgram looks every address up first, literals too, finds the socket closed, and forgets datagram and callback.',
    dgram: ['closed called with', 'heard []'],
    recvfromto: ['sent called with null 10', 'closed called with', 'heard ["last words"]'],
  },
  'sends made before close() by a socket that is being bound': {
    reason: 'As before.',
    dgram: ['closed called with', 'heard []'],
    recvfromto: ['sent called with null 10', 'closed called with', 'heard ["last words"]'],
  },
  'a send() after a close() that waits for bind': {
    reason: 'dgram throws where nobody can catch it. Whoever calls back hears of it here.',
    dgram: [`uncaught ${NOT_RUNNING}`, 'closed called with'],
    recvfromto: ['closed called with', `sent called with ${NOT_RUNNING}`],
  },
  'the async context of a send() that waits for bind': {
    reason:
      "dgram calls back in the context of whichever send() came first. Here each callback runs in its own send()'s context.",
    dgram: ['callback of the first "first"', 'callback of the second "first"'],
    recvfromto: ['callback of the first "first"', 'callback of the second "second"'],
  },
  'a second bind() after a descriptor that was refused': {
    reason:
      'dgram takes the socket for bound from then on. Here it is as it was, and may be bound to something better.',
    dgram: [`bind throws ${NO_UDP}`, `bind, again throws ${ALREADY_BOUND}`],
    recvfromto: [`bind throws ${NO_UDP}`, `bind, again throws ${NO_UDP}`],
  },
  'a descriptor of the other family': {
    reason: "dgram goes by the socket's `type`, and no address fits. Here the descriptor is asked what it is.",
    dgram: [
      'sent called with Error <Error: send EINVAL 127.0.0.1:PEER2> keys errno,code,syscall,address,port { code: "EINVAL", errno: -22, syscall: "send", address: "127.0.0.1", port: PEER2, name: "Error" }',
    ],
    recvfromto: ['sent called with null 1'],
  },
  'bytes changed after send()': {
    reason:
      'dgram reads the bytes a tick later. Here they are copied when `send()` is called, so a buffer can be reused at once.',
    dgram: ['heard ["after!"]'],
    recvfromto: ['heard ["before"]'],
  },
  'methods of a closed socket': {
    reason: 'dgram throws a TypeError about a property of null. Here it is the error that its other methods throw.',
    recvfromto: OF_THE_HANDLE.map(([name]) => `${name} throws ${NOT_RUNNING}`),
  },
  'patched send() and the queue': {
    reason:
      'dgram calls a replaced `send()` a second time, with other arguments, for what has waited for bind. That is of no use to whoever replaced it.',
    dgram: ['send is called', 'send is called', 'heard ["x"]'],
    recvfromto: ['send is called', 'heard ["x"]'],
  },
  'a look-up that answers nothing': {
    reason:
      'A `lookup` option that answers no string aborts the process in dgram (an assertion in C++). Here the send fails.',
    dgram: ['undefined', 'null', '5'].map((answer) => `${answer} null "SIGABRT" ""`),
    recvfromto: ['undefined', 'null', '5'].map((answer) => `${answer} 0 null "send EINVAL x:9\\n"`),
  },
};
