/** Medians and their spread. Subjects take turns, so the n-th values of two of them were measured side by side. */
import { median, medianAbsoluteDeviation, quantile } from 'simple-statistics';

export interface Summary {
  readonly median: number;
  readonly q1: number;
  readonly q3: number;
  readonly mad: number;
  readonly values: readonly number[];
}

export function summary(values: readonly number[]): Summary {
  const all = [...values];
  return {
    median: median(all),
    q1: quantile(all, 0.25),
    q3: quantile(all, 0.75),
    mad: medianAbsoluteDeviation(all),
    values,
  };
}

export interface Ratio {
  /** Of the medians. */
  readonly ratio: number;
  /** Quartiles of the ratios within each repetition: what is left when both are slow at the same time. */
  readonly q1: number;
  readonly q3: number;
}

export function ratio(a: Summary, b: Summary): Ratio {
  const pairs = a.values.slice(0, b.values.length).map((value, i) => value / b.values[i]!);
  return { ratio: a.median / b.median, q1: quantile(pairs, 0.25), q3: quantile(pairs, 0.75) };
}
