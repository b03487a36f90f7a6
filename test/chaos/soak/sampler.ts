/** What the process costs while it runs, and whether that grows with the datagrams: a slope and its standard error. */
import { readdirSync } from 'node:fs';
import { getHeapStatistics } from 'node:v8';
import koffi from 'koffi';
import { linearRegression, mean, sampleCorrelation, sampleStandardDeviation } from 'simple-statistics';
import type { Account } from './account';

/** What is looked at, and by how much it may grow per million datagrams before it counts: noise is never nothing. */
const METRICS = {
  rssMB: 0.5,
  heapMB: 0.2,
  arrayBuffersMB: 0.2,
  descriptors: 0.05,
  koffiCallbacks: 0.05,
  globalHandlesKB: 0.5,
} as const;

type Metric = keyof typeof METRICS;
type Sample = Record<Metric, number> & { readonly millions: number };

export interface Slope {
  readonly mean: number;
  /** Per million datagrams. */
  readonly slope: number;
  readonly standardError: number;
}

/**
 * The share of the samples at the start that is left out: caches fill, code is compiled, and glibc's heap takes some 50,000
 * sockets to find its shape (docs/reliability.md).
 */
const WARM_UP = 0.5;
/** Millions of datagrams from which on growth is judged: a short run is all warm-up. */
const JUDGED = 10;
const MB = 2 ** 20;

export class Sampler {
  readonly #account: Account;
  readonly #samples: Sample[] = [];

  constructor(account: Account) {
    this.#account = account;
  }

  /** Call it where nothing is under way that holds memory. */
  sample(): void {
    (globalThis as { gc?: () => void }).gc?.();
    const { rss, heapUsed, arrayBuffers } = process.memoryUsage();
    const { callbacks } = (koffi as unknown as { stats(): { callbacks: number } }).stats();
    this.#samples.push({
      millions: this.#account.datagrams / 1e6,
      rssMB: rss / MB,
      heapMB: heapUsed / MB,
      arrayBuffersMB: arrayBuffers / MB,
      descriptors: readdirSync('/proc/self/fd').length,
      koffiCallbacks: callbacks,
      globalHandlesKB:
        (getHeapStatistics() as unknown as { used_global_handles_size: number }).used_global_handles_size / 1024,
    });
  }

  verdict(): { samples: number; millions: number; slopes: Record<string, Slope>; grows: string[] } {
    const kept = this.#samples.slice(Math.floor(this.#samples.length * WARM_UP));
    const millions = this.#samples.at(-1)?.millions ?? 0;
    const slopes: Record<string, Slope> = {};
    const grows: string[] = [];
    for (const [metric, allowed] of Object.entries(METRICS) as [Metric, number][]) {
      const one = slopeOf(kept.map((sample) => [sample.millions, sample[metric]]));
      slopes[metric] = one;
      if (millions >= JUDGED && one.slope - 2 * one.standardError > allowed)
        grows.push(`${metric}: ${one.slope} per million datagrams`);
    }
    return { samples: this.#samples.length, millions, slopes, grows };
  }
}

function slopeOf(points: [number, number][]): Slope {
  const [x, y] = [points.map(([one]) => one), points.map(([, other]) => other)];
  if (points.length < 4) return { mean: y.length > 0 ? mean(y) : 0, slope: 0, standardError: Number.POSITIVE_INFINITY };
  const { m } = linearRegression(points);
  const spread = sampleStandardDeviation(y);
  const r = spread === 0 ? 0 : sampleCorrelation(x, y);
  const standardError = Math.sqrt((1 - r * r) / (points.length - 2)) * (spread / sampleStandardDeviation(x));
  return { mean: mean(y), slope: m, standardError };
}
