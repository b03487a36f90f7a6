/**
 * A few sockets on a kernel that fails, and what is known of each: which callbacks it owes, how many datagrams it was
 * given, whether it has been closed. The commands of commands.ts act on it; verdict() says what is wrong in the end.
 */
import type { Socket } from '../../../src/socket/socket';
import type { RemoteInfo, SocketOptions } from '../../../src/types';
import { arrived4 } from '../../support/bytes';
import type { Incoming } from '../../support/fake-host';
import { immediate } from '../../support/fake-socket';
import { linux64 } from '../../support/layouts';
import { type CallName, type Fault, FaultyNet } from '../support/faulty';
import { Ledger } from '../support/ledger';
import { Boom, type Victim } from './hostile';

export const PEER = '192.0.2.9';
export const ANSWER = { address: PEER, port: 4321, family: 'IPv4', size: 1, localAddress: '192.0.2.1' } as RemoteInfo;

/** Raw errors of the engine that dgram lets through as well. */
const RAW = /proxy that has been revoked|detached ArrayBuffer/;

/** What a listener does the next time that it is called. */
export type Deed = 'close' | 'throw' | 'send' | 'reply' | 'connect' | 'deafen' | 'bind';

export interface Slot {
  readonly socket: Socket;
  readonly ledger: Ledger;
  /** What its listener does, first one first. */
  readonly deeds: Deed[];
  delivered: number;
  closes: number;
  closed: boolean;
  /** A bind has failed, or a close() came before it: dgram's send() forgets what waited. */
  forgets: boolean;
}

export class World {
  readonly net = new FaultyNet();
  readonly slots: Slot[] = [];
  /** What was thrown, and by whom, where it is no error that a program may expect. */
  readonly faults: string[] = [];
  readonly #planned = new Map<CallName, Fault[]>();
  commands = 0;
  /** Descriptors whose owner may be somebody else. */
  readonly lent = new Set<number>();

  constructor() {
    this.net.syscalls.plan = (name) => this.#planned.get(name)?.shift();
  }

  plan(name: CallName, faults: readonly Fault[]): void {
    this.#planned.set(name, [...faults]);
  }

  slot(index: number): Slot {
    if (this.slots.length === 0) return this.create({});
    return this.slots[index % this.slots.length] as Slot;
  }

  create(options: Partial<SocketOptions>): Slot {
    const socket = this.net.make(options);
    const slot: Slot = {
      socket,
      ledger: new Ledger(),
      deeds: [],
      delivered: 0,
      closes: 0,
      closed: false,
      forgets: false,
    };
    socket.on('error', () => {
      slot.forgets = true;
    });
    socket.on('close', () => {
      slot.closes++;
    });
    socket.on('message', (msg, rinfo) => {
      slot.delivered++;
      if (slot.closes > 0) this.faults.push("a message after 'close'");
      if (!Buffer.isBuffer(msg) || msg.length !== rinfo.size) this.faults.push('size is not that of the message');
      const deed = slot.deeds.shift();
      if (deed !== undefined) this.do(slot, deed);
    });
    this.slots.push(slot);
    return slot;
  }

  do(slot: Slot, deed: Deed): void {
    const { socket } = slot;
    switch (deed) {
      case 'throw':
        throw new Boom('a listener');
      case 'close':
        this.close(slot);
        return;
      case 'send':
        this.call(slot, 'send', (callback) => socket.send('deed', 4321, PEER, callback as () => void), 1, true);
        return;
      case 'reply':
        this.call(slot, 'reply', (callback) => socket.reply('deed', ANSWER, callback as () => void), 1);
        return;
      case 'connect':
        this.call(slot, 'connect', (callback) => socket.connect(4321, PEER, callback as () => void), 0, true);
        return;
      case 'deafen':
        socket.removeAllListeners('message');
        return;
      case 'bind':
        this.call(slot, 'bind', () => socket.bind(0), 0, true);
        return;
    }
  }

  close(slot: Slot): void {
    try {
      slot.socket.close();
      slot.closed = true;
      slot.forgets = true; // where it waits for a bind
    } catch (error) {
      this.expectable('close', error);
    }
  }

  /** @param call gets a callback that must come once. @param forgetful dgram's, where a bind fails */
  call(
    slot: Slot,
    name: string,
    call: (callback: (...results: unknown[]) => void) => void,
    datagrams: number,
    forgetful = false,
  ): void {
    const callback = slot.ledger.callback(name, forgetful);
    try {
      call(callback);
      slot.ledger.handed += datagrams;
      if (name === 'bind') slot.ledger.threw(name); // its callback is a listener
    } catch (error) {
      slot.ledger.threw(name);
      // sendSync() throws what the kernel says: that is an answer as well.
      if (name === 'sync' && (error as NodeJS.ErrnoException).syscall === 'send') slot.ledger.handed += datagrams;
      this.expectable(name, error);
    }
  }

  /** Errors that have a code, and what getters of the program's throw. */
  expectable(name: string, error: unknown): void {
    const { code } = (error ?? {}) as NodeJS.ErrnoException;
    if (typeof code === 'string' || RAW.test((error as Error)?.message ?? '')) return;
    this.faults.push(`${name}: ${(error as Error)?.stack ?? error}`);
  }

  victim(slot: Slot): Victim {
    return {
      close: () => this.close(slot),
      send: () => this.do(slot, 'send'),
      bind: () => this.do(slot, 'bind'),
    };
  }

  arrive(count: number): void {
    for (const one of this.net.syscalls.sockets.values()) {
      if (one.name === undefined) continue;
      for (let i = 0; i < count; i++) one.incoming.push(datagram(i));
    }
    this.net.poll();
  }

  async turn(): Promise<void> {
    this.net.poll();
    await immediate();
  }

  /** Closes what is open, lets everything come to rest. → what is wrong, in words */
  async verdict(): Promise<string[]> {
    this.#planned.clear();
    for (let i = 0; i < 4; i++) await this.turn();
    // A close() that waited for a bind is forgotten when that fails, by dgram as well.
    for (const slot of this.slots) if (slot.closes === 0) this.close(slot);
    for (let i = 0; i < 6; i++) await this.turn();
    const wrong = [...this.faults];
    for (const [index, slot] of this.slots.entries())
      wrong.push(...judge(slot).map((text) => `socket ${index}: ${text}`));
    const { syscalls, host } = this.net;
    for (const fd of this.lent) syscalls.shut(fd);
    if (syscalls.sockets.size > 0) wrong.push(`${syscalls.sockets.size} descriptors are left open`);
    if (host.readiness.watchers.size > 0) wrong.push(`${host.readiness.watchers.size} watchers are left`);
    const taken = this.slots.reduce((sum, { socket }) => sum + socket.stats().datagramsOut, 0);
    if (taken !== syscalls.taken) wrong.push(`the kernel took ${syscalls.taken}, ${taken} are counted`);
    const given = this.slots.reduce((sum, { socket }) => sum + socket.stats().datagramsIn, 0);
    if (given !== syscalls.given) wrong.push(`the kernel gave ${syscalls.given}, ${given} are counted`);
    return wrong;
  }
}

function judge({ socket, ledger, delivered, closes, forgets }: Slot): string[] {
  const wrong = ledger.wrong(forgets);
  const stats = socket.stats();
  if (closes !== 1) wrong.push(`${closes} times 'close'`);
  const out = stats.datagramsOut + stats.sendErrors;
  if (out > ledger.handed || (out < ledger.handed && !forgets))
    wrong.push(`${ledger.handed} handed over, ${out} counted`);
  const listened = socket.listenerCount('message') > 0;
  const known = delivered + stats.filtered + stats.discarded;
  if (stats.datagramsIn < known || (stats.datagramsIn > known && listened)) {
    wrong.push(`${stats.datagramsIn} received, ${known} accounted for`);
  }
  return wrong;
}

function datagram(i: number): Incoming {
  return {
    from: { address: PEER, port: 4000 + (i % 3) },
    payload: Buffer.alloc((i * 37) % 2000, i),
    control: arrived4(linux64, '192.0.2.1', '192.0.2.1', 1),
  };
}
