/** What is measured and kept: docs/bench/results.json is one {@link Results}. */
import type { Machine } from './machine';
import type { Profile } from './scenarios/profiled';
import { type Summary, summary } from './statistics';
import type { SubjectId } from './subjects';

/** Names of figures carry their unit: perSecond, cpuNs (per datagram), p99Us, rssMB. */
export type Metrics = Readonly<Record<string, number>>;

export interface Sample {
  readonly case: string;
  readonly subject: SubjectId;
  readonly metrics: Metrics;
}

export interface Row {
  readonly case: string;
  readonly subject: SubjectId;
  readonly metrics: Readonly<Record<string, Summary>>;
}

export interface Results {
  readonly machine: Machine;
  readonly command: string;
  readonly repetitions: number;
  readonly subjects: readonly { id: SubjectId; label: string; sends: string; source: boolean }[];
  readonly skipped: readonly string[];
  readonly warnings: readonly string[];
  readonly rows: readonly Row[];
  readonly profiles: readonly Profile[];
}

/** One row for each case and subject, in the order in which they first came. */
export function rowsOf(samples: readonly Sample[]): Row[] {
  const rows = new Map<string, { case: string; subject: SubjectId; values: Map<string, number[]> }>();
  for (const { case: name, subject, metrics } of samples) {
    const key = `${name} ${subject}`;
    const row = rows.get(key) ?? { case: name, subject, values: new Map() };
    rows.set(key, row);
    for (const [metric, value] of Object.entries(metrics)) {
      const values = row.values.get(metric);
      if (values === undefined) row.values.set(metric, [value]);
      else values.push(value);
    }
  }
  return [...rows.values()].map(({ case: name, subject, values }) => ({
    case: name,
    subject,
    metrics: Object.fromEntries([...values].map(([metric, list]) => [metric, summary(list)])),
  }));
}

/**
 * Where the load, not the server, set the pace: such a figure says how fast the server is at least. At a given rate
 * neither does; there the rate that was reached is a figure (`offered`).
 */
export function heldUpByLoad({ rows, subjects }: Results): string[] {
  const labels = new Map(subjects.map(({ id, label }) => [id, label]));
  return rows
    .filter(({ metrics: { offered, loadBusy, serverBusy } }) => {
      return offered === undefined && (loadBusy?.median ?? 0) > 0.9 && (serverBusy?.median ?? 1) < 0.9;
    })
    .map(({ case: name, subject }) => `${name}: the load held up ${labels.get(subject)}`);
}

export function find(results: Results, name: string, subject: SubjectId, metric: string): Summary | undefined {
  return results.rows.find((row) => row.case === name && row.subject === subject)?.metrics[metric];
}
