/** What is measured and kept: docs/bench/results.json is one {@link Results}. */
import type { Machine } from './machine';
import type { Step } from './profile';
import { type Summary, summary } from './statistics';

/** In the order of every table. */
export const SUBJECTS = [
  'dgram',
  'message',
  'shared',
  'messages',
  'gro',
  'runs',
  'register',
  'register-gso',
  'bun',
  'deno',
  'deno-dgram',
  'c',
  'c-gso',
  'c-gro',
  'nsd',
  'knot',
] as const;

export type SubjectId = (typeof SUBJECTS)[number];

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
  /** The commit and the day it was measured at, and how busy others were: parts of the results may be measured anew. */
  readonly measured: string;
}

/** Where the time and the memory of one echo go. */
export interface Profile {
  readonly subject: SubjectId;
  readonly label: string;
  readonly inflight: number;
  /** Own time per datagram, in ns; system calls are in the function that makes them. */
  readonly cpu: readonly Step[];
  /** Allocated on V8's heap per datagram, in bytes. */
  readonly heap: readonly Step[];
  readonly measured: string;
}

export interface Results {
  readonly machine: Machine;
  readonly command: string;
  readonly subjects: readonly { id: SubjectId; label: string }[];
  readonly skipped: readonly string[];
  readonly warnings: readonly string[];
  readonly rows: readonly Row[];
  readonly profiles: readonly Profile[];
}

/** One row for each case and subject, in the order in which they first came. */
export function rowsOf(samples: readonly Sample[], measured: string): Row[] {
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
    measured,
  }));
}

/** Earlier results with those cases replaced that were measured anew; the machine is that of the new ones. */
export function merged(earlier: Results, later: Results): Results {
  const anew = new Set(later.rows.map(({ case: name }) => name));
  const known = new Map([...earlier.subjects, ...later.subjects].map((one) => [one.id, one]));
  return {
    ...later,
    subjects: SUBJECTS.flatMap((id) => known.get(id) ?? []),
    rows: [...earlier.rows.filter(({ case: name }) => !anew.has(name)), ...later.rows],
    profiles: later.profiles.length > 0 ? later.profiles : earlier.profiles,
  };
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
