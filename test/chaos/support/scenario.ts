/**
 * The life of a few sockets, from createSocket to close, through every call that the package makes of the system. What
 * goes wrong on the way is written down, and the next step is taken: a program that handles its errors.
 */
import { once } from 'node:events';
import type { Socket } from '../../../src/socket/socket';
import type { RemoteInfo } from '../../../src/types';
import { arrived4 } from '../../support/bytes';
import type { Incoming } from '../../support/fake-host';
import { immediate } from '../../support/fake-socket';
import { linux64 } from '../../support/layouts';
import type { FaultyNet } from './faulty';
import { Ledger } from './ledger';

export interface Lived {
  readonly ledger: Ledger;
  readonly sockets: readonly Socket[];
  /** Codes of what was thrown, and of 'error' events. */
  readonly errors: string[];
  /** By 'message', of all sockets. */
  readonly delivered: number;
  /** Did a bind fail that sends waited for? */
  readonly failedBind: boolean;
  /** What was wrong with whose a descriptor is. */
  readonly ownership: readonly string[];
  /** Did the second life, on the same engine without faults, echo everything? */
  readonly healthy: boolean;
}

const PEER = '192.0.2.9';

function datagram(payload: string): Incoming {
  return {
    from: { address: PEER, port: 4321 },
    payload,
    control: arrived4(linux64, '192.0.2.1', '192.0.2.1', 1),
  };
}

class Life {
  readonly ledger = new Ledger();
  readonly errors: string[] = [];
  readonly sockets: Socket[] = [];
  delivered = 0;
  failedBind = false;
  readonly #net: FaultyNet;

  constructor(net: FaultyNet) {
    this.#net = net;
  }

  make(options = {}): Socket {
    const socket = this.#net.make(options);
    this.sockets.push(socket);
    socket.on('error', (error: NodeJS.ErrnoException) => {
      this.errors.push(String(error.code));
      if (error.syscall === 'bind' || error.syscall === 'getsockname') this.failedBind = true;
    });
    socket.on('message', () => {
      this.delivered++;
    });
    return socket;
  }

  /** @param datagrams that the call hands over */
  try(name: string, call: () => void, datagrams = 0): void {
    try {
      call();
      this.ledger.handed += datagrams;
    } catch (error) {
      this.errors.push(String((error as NodeJS.ErrnoException).code));
      this.ledger.threw(name);
      if (!('code' in (error as object))) throw error;
    }
  }

  send(socket: Socket, how: 'send' | 'reply' | 'sendMany' | 'connected', payload: string): void {
    const callback = this.ledger.callback(how, how === 'send') as () => void;
    const rinfo = { address: PEER, port: 4321, family: 'IPv4', size: 1, localAddress: '192.0.2.1' } as RemoteInfo;
    const calls = {
      send: () => socket.send(payload, 4321, PEER, callback),
      connected: () => socket.send(payload, callback),
      reply: () => socket.reply(payload, rinfo, callback),
      sendMany: () =>
        socket.sendMany(
          [1, 2, 3].map((n) => ({ msg: payload + n, port: 4321, address: PEER })),
          callback,
        ),
    };
    this.try(how, calls[how], how === 'sendMany' ? 3 : 1);
  }

  async turns(count = 4): Promise<void> {
    for (let i = 0; i < count; i++) {
      await immediate();
      this.#net.poll();
    }
    await immediate();
  }

  arrive(payloads: readonly string[]): void {
    for (const socket of this.#net.syscalls.sockets.values()) {
      if (socket.name !== undefined) socket.incoming.push(...payloads.map(datagram));
    }
    this.#net.poll();
  }
}

/** Everything once, with faults as the net's plan says; then a short life without. @param mend ends what else is wrong */
export async function live(net: FaultyNet, mend: () => void = () => {}): Promise<Lived> {
  const life = new Life(net);
  const [unbound, sticky] = [
    life.make(),
    life.make({ stickySource: true, recvBufferSize: 4096, sendBufferSize: 4096 }),
  ];
  life.send(unbound, 'send', 'early');
  life.send(unbound, 'sendMany', 'early');
  life.send(unbound, 'reply', 'early');
  life.try('bind', () => sticky.bind(5300));
  await life.turns();
  life.arrive(['a', 'b', 'c', 'd', 'e']);
  await life.turns();
  for (const socket of [unbound, sticky]) {
    for (const how of ['send', 'reply', 'sendMany'] as const) life.send(socket, how, how);
    life.try('address', () => socket.address());
    life.try('setTTL', () => socket.setTTL(9));
    life.try('setBroadcast', () => socket.setBroadcast(true));
    life.try('getRecvBufferSize', () => socket.getRecvBufferSize());
    life.try('addMembership', () => socket.addMembership('239.1.2.3'));
  }
  await life.turns();
  life.try('connect', () => sticky.connect(4321, PEER, life.ledger.callback('connect', true) as () => void));
  await life.turns();
  life.try('remoteAddress', () => sticky.remoteAddress());
  life.send(sticky, 'connected', 'connected');
  life.arrive(['f', 'g']);
  await life.turns();
  life.try('disconnect', () => sticky.disconnect());
  life.send(sticky, 'send', 'last');
  const ownership = await adopt(net, life);
  for (const socket of [unbound, sticky]) life.try('close', () => socket.close());
  await life.turns(10);
  mend();
  const { ledger, sockets, errors, delivered, failedBind } = life;
  return { ledger, sockets, errors, delivered, failedBind, ownership, healthy: await echoes(net) };
}

/** A handle of libuv's that somebody else has opened and bound: ours to close once bind() has succeeded, and only then. */
async function adopt(net: FaultyNet, life: Life): Promise<string[]> {
  const owner = net.syscalls.open(5301);
  const socket = life.make();
  let closed = 0;
  const handle = {
    fd: owner,
    recvStart() {},
    close() {
      closed++;
      net.syscalls.shut(owner);
    },
  };
  let taken = false;
  socket.on('listening', () => {
    taken = true;
  });
  life.try('bind', () => socket.bind(handle as never));
  await life.turns();
  if (taken) life.send(socket, 'reply', 'adopted');
  await life.turns();
  const wrong = [];
  if (closed > 0 && life.sockets.at(-1) === socket) wrong.push(`closed ${closed} times before its socket was`);
  life.try('close', () => socket.close());
  await life.turns();
  if (closed !== (taken ? 1 : 0)) wrong.push(`${taken ? 'taken over' : 'refused'}, and closed ${closed} times`);
  if (closed === 0) net.syscalls.shut(owner);
  return wrong;
}

/** Is what sockets share as it was? */
async function echoes(net: FaultyNet): Promise<boolean> {
  net.syscalls.plan = () => undefined;
  for (const { incoming } of net.syscalls.sockets.values()) incoming.length = 0;
  const socket = net.make();
  const before = new Set(net.syscalls.sockets.keys());
  socket.bind(0);
  await once(socket, 'listening');
  const [fd] = [...net.syscalls.sockets.keys()].filter((one) => !before.has(one)) as [number];
  const sent = net.syscalls.sent.length;
  let told = 0;
  socket.on('message', (msg, rinfo) => socket.reply(msg, rinfo, () => told++));
  net.syscalls.sockets.get(fd)?.incoming.push(...['1', '2', '3'].map(datagram));
  net.poll([fd]);
  for (let i = 0; i < 6; i++) await immediate();
  const ok = told === 3 && net.syscalls.sent.length - sent === 3;
  socket.close();
  await immediate();
  return ok;
}
