/** What every kind of trouble has to hand. */
import type { Account, Ledger } from './account';
import type { Network } from './network';
import type { Sampler } from './sampler';

export interface Setting {
  readonly network: Network;
  readonly account: Account;
  readonly sampler: Sampler;
  readonly seed: number;
  /** By Date.now(). */
  readonly until: number;
}

export const turn = () => new Promise<void>((done) => setImmediate(done));
export const sleep = (ms: number) => new Promise<void>((done) => setTimeout(done, ms));

export class Random {
  #state: number;

  constructor(seed: number) {
    this.#state = seed >>> 0;
  }

  below(limit: number): number {
    this.#state = (Math.imul(this.#state, 1664525) + 1013904223) >>> 0;
    return Math.floor((this.#state / 2 ** 32) * limit);
  }
}

export async function bound(ledger: Ledger, port: number, address: string): Promise<number> {
  ledger.socket.bind(port, address);
  await new Promise<void>((done) => ledger.socket.once('listening', done));
  return ledger.socket.address().port;
}

/** A datagram that is sent, with a callback now and then. */
export function send(account: Account, ledger: Ledger, args: unknown[], callback: boolean): void {
  const { socket } = ledger;
  const all = callback ? [...args, account.promise(ledger)] : args;
  ledger.handed++;
  (socket.send as (...args: unknown[]) => void).apply(socket, all);
}
