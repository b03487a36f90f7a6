/** What `send --count` remembers of its answers, and how it is told. Pure. */
import { milliseconds } from './units';

export class RoundTrips {
  sent = 0;
  /** Of which so many were answered, and by an address that was asked. */
  received = 0;
  /** Answers from other addresses. */
  unexpected = 0;
  #min = Number.POSITIVE_INFINITY;
  #max = 0;
  #sum = 0;
  #answers = 0;

  /** @param time ms */
  add(time: number): void {
    this.#min = Math.min(this.#min, time);
    this.#max = Math.max(this.#max, time);
    this.#sum += time;
    this.#answers++;
  }

  get lost(): number {
    return this.sent - this.received;
  }

  /** ms; null before the first answer */
  get times(): { readonly min: number; readonly avg: number; readonly max: number } | null {
    return this.#answers === 0 ? null : { min: this.#min, avg: this.#sum / this.#answers, max: this.#max };
  }

  /** As ping says it: `3 sent, 2 received, 1 lost, rtt min/avg/max 0.1/0.2/0.3 ms` */
  toString(): string {
    const parts = [`${this.sent} sent`, `${this.received} received`, `${this.lost} lost`];
    if (this.unexpected > 0) parts.push(`${this.unexpected} from an unexpected source`);
    const { times } = this;
    if (times !== null) {
      parts.push(`rtt min/avg/max ${[times.min, times.avg, times.max].map(milliseconds).join('/')} ms`);
    }
    return parts.join(', ');
  }
}
