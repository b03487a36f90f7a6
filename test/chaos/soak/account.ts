/**
 * What became of each datagram. A socket is opened through here, and settled when it is closed: what was handed to it must
 * have been sent, refused, or counted; what the kernel gave it must have been delivered, filtered, discarded or counted.
 */
import type { Socket } from '../../../src/socket/socket';
import type { SocketOptions } from '../../../src/types';

const { createSocket } = require('../../..') as { createSocket(options: SocketOptions): Socket };

/** What one socket has been through, as the program sees it. */
export interface Ledger {
  readonly socket: Socket;
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
  readonly truncated: number;
  readonly callbacks: number;
  readonly callbackErrors: number;
  readonly sockets: number;
  readonly unaccounted: number;
  readonly wrong: readonly string[];
}

/** Looks, 10 ms apart, until a closed socket has to be at rest. */
const PATIENCE = 500;

function isAtRest({ socket, delivered, handed, promised, called }: Ledger): boolean {
  const { datagramsIn, datagramsOut, sendErrors, filtered, discarded } = socket.stats();
  const known = delivered + filtered + discarded;
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
    const ledger: Ledger = { socket, handed: 0, delivered: 0, promised: 0, called: 0, failed: 0 };
    socket.on('error', () => {
      this.errors++;
    });
    // Also those who expect nothing hear what comes for whoever had their port before.
    socket.on('message', () => {
      ledger.delivered++;
    });
    this.#open.add(ledger);
    this.#sum.sockets++;
    return ledger;
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
    await new Promise<void>((done) => ledger.socket.close(() => done()));
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
    for (const { socket } of this.#open) {
      const { datagramsIn, datagramsOut } = socket.stats();
      sum += datagramsIn + datagramsOut;
    }
    return sum;
  }

  /** Descriptors of open sockets: how many there are depends on the moment. */
  get descriptors(): number {
    let sum = 0;
    for (const { socket } of this.#open) if (socket.fd >= 0) sum++;
    return sum;
  }

  verdict(): Verdict {
    if (this.#open.size > 0) this.wrong(`${this.#open.size} sockets are open`);
    return { ...this.#sum, wrong: this.#wrong };
  }

  #settle(ledger: Ledger): void {
    if (!this.#open.delete(ledger)) return;
    const { handed, delivered, promised, called, failed } = ledger;
    const stats = ledger.socket.stats();
    const sum = this.#sum;
    sum.handed += handed;
    sum.sent += stats.datagramsOut;
    sum.refused += stats.sendErrors;
    sum.received += stats.datagramsIn;
    sum.delivered += delivered;
    sum.filtered += stats.filtered;
    sum.discarded += stats.discarded;
    sum.truncated += stats.truncated;
    sum.callbacks += called;
    sum.callbackErrors += failed;
    const out = handed - stats.datagramsOut - stats.sendErrors;
    const into = stats.datagramsIn - delivered - stats.filtered - stats.discarded;
    sum.unaccounted += Math.abs(out) + Math.abs(into);
    if (out !== 0) this.wrong(`${handed} handed over, ${stats.datagramsOut} sent, ${stats.sendErrors} refused`);
    if (into !== 0)
      this.wrong(
        `${stats.datagramsIn} received, ${delivered} delivered, ${stats.filtered} filtered, ${stats.discarded} discarded`,
      );
    if (promised !== called) this.wrong(`${promised} callbacks were promised, ${called} came`);
  }
}
