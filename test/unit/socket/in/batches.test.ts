/** Whether anybody listens for whole batches is looked up where EventEmitter keeps its listeners: whatever a program does with them. */
import { EventEmitter } from 'node:events';
import { Socket } from '../../../../src/socket/socket';
import type { ReceivedMessage } from '../../../../src/types';
import { datagrams, FakeNet, settled } from '../../../support/fake-socket';

type Batch = readonly ReceivedMessage[];

async function log(
  listen: (socket: Socket, log: string[]) => void,
  make?: (net: FakeNet) => Socket,
): Promise<string[]> {
  const net = new FakeNet();
  const socket = make?.(net) ?? net.make();
  const heard: string[] = [];
  listen(socket, heard);
  await new Promise<void>((done) => socket.bind(0, done));
  const fd = net.host.syscalls.only;
  net.arrive(fd, datagrams('a', 'b'));
  await settled();
  net.arrive(fd, datagrams('c', 'd'));
  await settled();
  socket.close();
  return heard;
}

const batch = (heard: string[]) => (all: Batch) => void heard.push(all.map(({ msg }) => `${msg}`).join('+'));
const single = (heard: string[]) => (msg: Buffer) => void heard.push(`${msg}`);

const singles = ['a', 'b', 'c', 'd'];

test.each<[string, (socket: Socket, heard: string[]) => void, string[]]>([
  ['nobody', (socket, heard) => void socket.on('message', single(heard)), singles],
  [
    'once',
    (socket, heard) => void socket.on('message', single(heard)).once('messages', batch(heard)),
    ['a+b', 'c', 'd'],
  ],
  [
    'prepended',
    (socket, heard) => void socket.on('message', single(heard)).prependListener('messages', batch(heard)),
    ['a+b', 'c+d'],
  ],
  [
    'removed by removeAllListeners()',
    (socket, heard) => void socket.on('messages', batch(heard)).removeAllListeners().on('message', single(heard)),
    singles,
  ],
  [
    'removed by name, while others stay',
    (socket, heard) =>
      void socket.on('message', single(heard)).on('messages', batch(heard)).removeAllListeners('messages'),
    singles,
  ],
  [
    'twice, and one goes',
    (socket, heard) => {
      const one = () => heard.push('one');
      socket.on('messages', one).on('messages', batch(heard)).off('messages', one);
    },
    ['a+b', 'c+d'],
  ],
  [
    'on the emitter of a program, which counts them itself',
    (socket, heard) => {
      socket.on('message', single(heard));
      EventEmitter.prototype.on.call(socket, 'messages', batch(heard));
    },
    ['a+b', 'c+d'],
  ],
])('%s', async (_, listen, expected) => {
  expect(await log(listen)).toEqual(expected);
});

test('a socket that was made without new, by a constructor of old', async () => {
  const Made = function (this: Socket, net: FakeNet) {
    (Socket as unknown as (...args: unknown[]) => void).call(this, { type: 'udp4' }, undefined, net.engine);
  } as unknown as new (
    net: FakeNet,
  ) => Socket;
  Object.setPrototypeOf(Made.prototype, Socket.prototype);
  const make = (net: FakeNet) => new Made(net);
  expect(await log((socket, heard) => void socket.on('messages', batch(heard)), make)).toEqual(['a+b', 'c+d']);
  expect(await log((socket, heard) => void socket.on('message', single(heard)), make)).toEqual(singles);
});

test('a subclass that keeps its listeners elsewhere, and says how many there are', async () => {
  class Elsewhere extends Socket {
    readonly others = new EventEmitter();
    override on(name: string, listener: (...args: unknown[]) => void): this {
      if (this.others === undefined || name === 'listening') super.on(name as 'listening', listener as () => void);
      else this.others.on(name, listener);
      return this;
    }
    override emit(name: string, ...args: unknown[]): boolean {
      return this.others.emit(name, ...args) || super.emit(name as 'listening', ...(args as []));
    }
  }
  const make = (net: FakeNet) =>
    Reflect.construct(Elsewhere, [{ type: 'udp4' }, undefined, net.engine]) as unknown as Socket;
  expect(await log((socket, heard) => void socket.on('message', single(heard)), make)).toEqual(singles);
});
