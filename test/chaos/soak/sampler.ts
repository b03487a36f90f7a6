/**
 * What the process uses while it runs, and whether that grows with the datagrams.
 *
 * RSS is the sum of three: what V8 has taken for its heap, which wanders with the load by some 15 MB while what is used of it
 * stays the same; what malloc holds; and the rest (code, stacks, what malloc has free). The first is shown, what is used of it
 * is judged; so is all that is not V8's.
 */
import { readdirSync } from 'node:fs';
import { getHeapStatistics } from 'node:v8';
import koffi from 'koffi';
import type { Account } from './account';
import { grows, type Trend, trendOf } from './trend';

const MB = 2 ** 20;

/** By how much each may grow per million datagrams, surely, before it counts; undefined: shown, not judged. 1 MB is a byte each. */
const METRICS = {
  rssMB: undefined,
  v8CommittedMB: undefined,
  beyondV8MB: 0.05,
  /** In use, in all arenas; glibc only. */
  mallocMB: 0.02,
  heapMB: 0.02,
  arrayBuffersMB: 0.02,
  /** Beside those of sockets that are open. */
  descriptors: 0.01,
  koffiCallbacks: 0.01,
  globalHandlesKB: 0.1,
} as const;

type Metric = keyof typeof METRICS;
type Column = Metric | 'millions';

/** The share of the samples at the start that is left out: caches fill, code is compiled, heaps find their shape. */
const WARM_UP = 0.3;
/** Millions of datagrams from which on growth is judged: a short run is all warm-up. */
const JUDGED = 10;

/** Bytes that malloc has handed out and not got back; undefined where libc does not say (mallinfo2(3): glibc 2.33). */
function mallocCounter(): (() => number) | undefined {
  try {
    const fields = 'arena ordblks smblks hblks hblkhd usmblks fsmblks uordblks fordblks keepcost'.split(' ');
    const type = koffi.struct(Object.fromEntries(fields.map((field) => [field, 'size_t'])));
    const mallinfo2 = koffi.load(null as never).func('mallinfo2', type, []);
    return () => {
      const { uordblks, hblkhd } = mallinfo2() as Record<'uordblks' | 'hblkhd', number | bigint>;
      return Number(uordblks) + Number(hblkhd);
    };
  } catch {
    return undefined;
  }
}

const malloced = mallocCounter();

/** Memory of C's that is lost. */
function lose(bytes: number): void {
  const libc = koffi.load(null as never);
  const lost = libc.func('malloc', 'uintptr_t', ['size_t'])(bytes);
  libc.func('memset', 'uintptr_t', ['uintptr_t', 'int', 'size_t'])(lost, 1, bytes); // or it would be no memory yet
}

export interface Growth {
  readonly samples: number;
  readonly millions: number;
  readonly slopes: Record<string, Trend>;
  readonly grows: readonly string[];
}

export class Sampler {
  readonly #account: Account;
  /** Samples by column, as plain doubles: what is measured must not grow by being measured. */
  readonly series = Object.fromEntries(
    ['millions', ...Object.keys(METRICS)].map((column) => [column, [] as number[]]),
  ) as Record<Column, number[]>;
  readonly #leak: number;

  /** @param leak bytes that are lost for each datagram: is that found? */
  constructor(account: Account, leak = 0) {
    this.#account = account;
    this.#leak = leak;
  }

  /** Call it where nothing is under way that holds memory. */
  sample(): void {
    const millions = this.#account.datagrams / 1e6;
    const lost = Math.round((millions - (this.series.millions.at(-1) ?? 0)) * this.#leak * 1e6);
    if (lost > 0) lose(lost);
    (globalThis as { gc?: () => void }).gc?.();
    const { rss, heapUsed, arrayBuffers } = process.memoryUsage();
    const { total_heap_size: committed, used_global_handles_size: handles } = getHeapStatistics() as unknown as Record<
      'total_heap_size' | 'used_global_handles_size',
      number
    >;
    const { callbacks } = (koffi as unknown as { stats(): { callbacks: number } }).stats();
    const sample: Record<Column, number> = {
      millions,
      rssMB: rss / MB,
      v8CommittedMB: committed / MB,
      beyondV8MB: (rss - committed) / MB,
      mallocMB: (malloced?.() ?? 0) / MB,
      heapMB: heapUsed / MB,
      arrayBuffersMB: arrayBuffers / MB,
      descriptors: readdirSync('/proc/self/fd').length - this.#account.descriptors,
      koffiCallbacks: callbacks,
      globalHandlesKB: handles / 1024,
    };
    for (const column of Object.keys(sample) as Column[]) this.series[column].push(sample[column]);
  }

  verdict(): Growth {
    const { millions: at } = this.series;
    const first = Math.floor(at.length * WARM_UP);
    const millions = at.at(-1) ?? 0;
    const slopes: Record<string, Trend> = {};
    const growing: string[] = [];
    for (const [metric, allowed] of Object.entries(METRICS) as [Metric, number | undefined][]) {
      const trend = trendOf(at.slice(first).map((x, i) => [x, this.series[metric][first + i]]));
      slopes[metric] = trend;
      if (allowed !== undefined && millions >= JUDGED && grows(trend, allowed))
        growing.push(`${metric}: ${trend.slope} ± ${trend.standardError} per million datagrams`);
    }
    return { samples: at.length, millions, slopes, grows: growing };
  }
}
