/**
 * What became of each datagram. A socket is opened through here, and settled when it is closed: what was handed to it must
 * have been sent, refused, or counted; what the kernel gave it must have been delivered, filtered, discarded or counted.
 */
import type { Socket } from '../../../src/socket/socket';
import { sumOf } from '../../../src/socket/stats';
import type { RemoteInfo, SocketOptions, SocketStats } from '../../../src/types';

const { createSocket } = require('../../..') as { createSocket(options: SocketOptions): Socket };

/** What one socket has been through, as the program sees it. */
export interface Ledger {
  readonly socket: Socket;
  /** Those that were split off it: what was received by one may be delivered by the other. */
  readonly children: Socket[];
  handed: number;
  delivered: number;
  promised: number;
  called: number;
  failed: number;
}

export interface Verdict {
  readonly handed: number;
  readonly sent: number;
  readonly refused: number;
  readonly received: number;
  readonly delivered: number;
  readonly filtered: number;
  readonly discarded: number;
  readonly stale: number;
  readonly unread: number;
  readonly truncated: number;
  readonly callbacks: number;
  readonly callbackErrors: number;
  readonly sockets: number;
  readonly unaccounted: number;
  readonly wrong: readonly string[];
}

/** Looks, 10 ms apart, until a closed socket has to be at rest. */
const PATIENCE = 500;

function statsOf({ socket, children }: Ledger): SocketStats {
  return children.reduce((sum, child) => sumOf(sum, child.stats()), socket.stats());
}

function isAtRest(ledger: Ledger): boolean {
  const { delivered, handed, promised, called } = ledger;
  const { datagramsIn, datagramsOut, sendErrors, filtered, discarded, stale } = statsOf(ledger);
  const known = delivered + filtered + discarded + stale;
  return datagramsIn === known && handed === datagramsOut + sendErrors && promised === called;
}

const zero = () => ({
  handed: 0,
  sent: 0,
  refused: 0,
  received: 0,
  delivered: 0,
  filtered: 0,
  discarded: 0,
  stale: 0,
  unread: 0,
  truncated: 0,
  callbacks: 0,
  callbackErrors: 0,
  sockets: 0,
  unaccounted: 0,
});

export class Account {
  readonly #open = new Set<Ledger>();
  readonly #sum = zero();
  readonly #wrong: string[] = [];
  errors = 0;

  wrong(text: string): void {
    if (this.#wrong.length < 20) this.#wrong.push(text);
    if (this.#wrong.length === 1) console.error(text);
  }

  /** An error that a program has to expect. @throws what has no code */
  note(error: unknown): void {
    if (typeof (error as NodeJS.ErrnoException).code !== 'string') throw error;
    this.errors++;
  }

  open(options: SocketOptions): Ledger {
    const socket = createSocket(options);
    const ledger: Ledger = { socket, children: [], handed: 0, delivered: 0, promised: 0, called: 0, failed: 0 };
    // Also those who expect nothing hear what comes for whoever had their port before.
    this.#hear(socket, ledger);
    this.#open.add(ledger);
    this.#sum.sockets++;
    return ledger;
  }

  /** A socket of its own for one peer; closed with the other one. */
  split(ledger: Ledger, rinfo: RemoteInfo): Socket {
    const child = ledger.socket.split(rinfo);
    this.#hear(child, ledger);
    ledger.children.push(child);
    this.#sum.sockets++;
    return child;
  }

  #hear(socket: Socket, ledger: Ledger): void {
    socket.on('error', () => {
      this.errors++;
    });
    socket.on('message', () => {
      ledger.delivered++;
    });
  }

  /** A callback that must come once. */
  promise(ledger: Ledger): (error: Error | null) => void {
    let calls = 0;
    ledger.promised++;
    return (error) => {
      if (++calls > 1) this.wrong(`a callback came ${calls} times`);
      ledger.called++;
      if (error) ledger.failed++;
    };
  }

  /** Closes it; when all has come to rest, settles it. */
  async close(ledger: Ledger): Promise<void> {
    for (const socket of [...ledger.children, ledger.socket]) await new Promise<void>((done) => socket.close(done));
    // What was taken from the kernel before waits for its turn behind what other sockets have; callbacks come on a tick.
    for (let i = 0; i < PATIENCE && !isAtRest(ledger); i++) await new Promise((done) => setTimeout(done, 10));
    this.#settle(ledger);
  }

  async closeAll(): Promise<void> {
    await Promise.all([...this.#open].map((ledger) => this.close(ledger)));
  }

  /** Datagrams, of closed and of open sockets, in and out. */
  get datagrams(): number {
    let sum = this.#sum.sent + this.#sum.received;
    for (const ledger of this.#open) {
      const { datagramsIn, datagramsOut } = statsOf(ledger);
      sum += datagramsIn + datagramsOut;
    }
    return sum;
  }

  /** Descriptors of open sockets: how many there are depends on the moment. */
  get descriptors(): number {
    let sum = 0;
    for (const { socket, children } of this.#open) for (const { fd } of [socket, ...children]) if (fd >= 0) sum++;
    return sum;
  }

  verdict(): Verdict {
    if (this.#open.size > 0) this.wrong(`${this.#open.size} sockets are open`);
    return { ...this.#sum, wrong: this.#wrong };
  }

  #settle(ledger: Ledger): void {
    if (!this.#open.delete(ledger)) return;
    const { handed, delivered, promised, called, failed } = ledger;
    const stats = statsOf(ledger);
    const sum = this.#sum;
    sum.handed += handed;
    sum.sent += stats.datagramsOut;
    sum.refused += stats.sendErrors;
    sum.received += stats.datagramsIn;
    sum.delivered += delivered;
    sum.filtered += stats.filtered;
    sum.discarded += stats.discarded;
    sum.stale += stats.stale;
    sum.unread += stats.unread;
    sum.truncated += stats.truncated;
    sum.callbacks += called;
    sum.callbackErrors += failed;
    const out = handed - stats.datagramsOut - stats.sendErrors;
    const into = stats.datagramsIn - delivered - stats.filtered - stats.discarded - stats.stale;
    sum.unaccounted += Math.abs(out) + Math.abs(into);
    if (out !== 0) this.wrong(`${handed} handed over, ${stats.datagramsOut} sent, ${stats.sendErrors} refused`);
    if (into !== 0)
      this.wrong(
        `${stats.datagramsIn} received, ${delivered} delivered, ${stats.filtered} filtered, ${stats.discarded} discarded, ${stats.stale} stale`,
      );
    if (promised !== called) this.wrong(`${promised} callbacks were promised, ${called} came`);
  }
}
