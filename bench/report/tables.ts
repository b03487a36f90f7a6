/** The tables, in Markdown: for docs/speed.md, and for the terminal. */
import { headOf, stepTable } from '../profile';
import { find, heldUpByLoad, type Results } from '../results';
import { ratio, type Summary } from '../statistics';
import type { SubjectId } from '../subjects';
import { type Reached, reached } from './targets';

interface Column {
  readonly metric: string;
  readonly title: string;
  readonly digits?: number;
  /** What one of the figure's units is in the column's. */
  readonly scale?: number;
}

interface Section {
  readonly title: string;
  /** Beginnings of the names of cases. */
  readonly cases: readonly string[];
  readonly columns: readonly Column[];
  /** The figure that is also given as a multiple of node:dgram's. */
  readonly against?: string;
  readonly sends?: boolean;
}

const rate = { metric: 'perSecond', title: 'thousands/s', digits: 1, scale: 1e-3 };
const offered = { ...rate, metric: 'offered', title: 'offered, thousands/s' };
const kept = { ...rate, title: 'kept, thousands/s' };
const cpu = { metric: 'cpuNs', title: 'CPU ns each', digits: 0 };
const user = { metric: 'userNs', title: 'user ns each', digits: 0 };
const lost = { metric: 'lostShare', title: 'lost %', digits: 2, scale: 100 };
const server = { metric: 'serverBusy', title: 'server busy %', digits: 0, scale: 100 };
const loadBusy = { metric: 'loadBusy', title: 'load busy %', digits: 0, scale: 100 };
const p50 = { metric: 'p50Us', title: 'p50 µs', digits: 1 };
const p99 = { metric: 'p99Us', title: 'p99 µs', digits: 1 };
const echoes = [rate, cpu, user, lost, server, loadBusy];

const SECTIONS: readonly Section[] = [
  { title: 'Echo, by datagrams in flight (100 B)', cases: ['echo'], columns: echoes, against: 'perSecond' },
  { title: 'Latency at 1 in flight', cases: ['echo1'], columns: [p50, p99], against: 'p99Us' },
  {
    title: 'Latency at a steady rate',
    cases: ['half-load', 'at-'],
    columns: [offered, p50, p99, lost, cpu],
    against: 'p99Us',
  },
  { title: 'Echo, by size', cases: ['size'], columns: echoes, against: 'perSecond' },
  { title: 'Echo, by family', cases: ['ipv', 'dual'], columns: echoes, against: 'perSecond' },
  { title: 'Echo, by peers and sockets', cases: ['peers', 'sockets'], columns: echoes, against: 'perSecond' },
  { title: 'Reply with source, send without', cases: ['reply-', 'send-without'], columns: echoes },
  {
    title: 'Receive flood (100 B)',
    cases: ['flood'],
    columns: [offered, kept, lost, cpu, user, loadBusy],
    against: 'userNs',
  },
  {
    title: 'Send flood',
    cases: ['send1'],
    columns: [
      rate,
      { metric: 'bytesPerCpuSecond', title: 'MB per CPU s', digits: 0, scale: 1e-6 },
      cpu,
      user,
      loadBusy,
    ],
    against: 'bytesPerCpuSecond',
    sends: true,
  },
  {
    title: 'Start (ms of wall time)',
    cases: ['startup'],
    columns: [
      { metric: 'bareMs', title: 'bare runtime' },
      { metric: 'importMs', title: 'import' },
      { metric: 'importOverBareMs', title: 'import over bare' },
      { metric: 'firstDatagramMs', title: 'first datagram' },
    ],
  },
  {
    title: 'Memory (RSS)',
    cases: ['memory'],
    columns: [
      { metric: 'bareMB', title: 'bare MB' },
      { metric: 'oneSocketMB', title: 'one socket MB' },
      { metric: 'oneOverBareMB', title: 'over bare MB' },
      { metric: 'perFurtherKB', title: 'each further KB' },
      { metric: 'loadedMB', title: 'under load MB' },
    ],
  },
];

/** Median ± median absolute deviation. */
function figure(value: Summary | undefined, { digits = 1, scale = 1 }: Column): string {
  if (value === undefined || Number.isNaN(value.median)) return '–';
  const spread = value.values.length > 1 ? ` ± ${(value.mad * scale).toFixed(digits)}` : '';
  return `${(value.median * scale).toFixed(digits)}${spread}`;
}

function multiple(results: Results, name: string, subject: SubjectId, metric: string): string {
  const own = find(results, name, subject, metric);
  const dgram = find(results, name, 'dgram', metric);
  if (own === undefined || dgram === undefined) return '–';
  const { ratio: median, q1, q3 } = ratio(own, dgram);
  return own.values.length > 1 ? `${median.toFixed(2)} (${q1.toFixed(2)}…${q3.toFixed(2)})` : median.toFixed(2);
}

function table(header: readonly string[], rows: readonly (readonly string[])[], left: number): string {
  const rule = header.map((_, i) => (i < left ? '---' : '--:'));
  return [header, rule, ...rows].map((cells) => `| ${cells.join(' | ')} |`).join('\n');
}

function sectionTable(results: Results, { cases, columns, against, sends }: Section): string {
  const exact = cases.length === 1 && cases[0] === 'echo1';
  const belongs = (name: string) => cases.some((start) => (exact ? name === start : name.startsWith(start)));
  const rows = results.rows.filter((row) => belongs(row.case));
  if (rows.length === 0) return '';
  const used = columns.filter(({ metric }) => rows.some(({ metrics }) => metrics[metric] !== undefined));
  const header = ['case', 'server', ...used.map(({ title }) => title)];
  const names = new Map(results.subjects.map((one) => [one.id, sends ? one.sends : one.label]));
  const order = [...new Set(rows.map((row) => row.case))].sort((a, b) => a.localeCompare(b, 'en', { numeric: true }));
  const sorted = order.flatMap((name) => rows.filter((row) => row.case === name));
  const body = sorted.map((row) => [
    row.case,
    names.get(row.subject) ?? row.subject,
    ...used.map((column) => figure(row.metrics[column.metric], column)),
    ...(against === undefined ? [] : [multiple(results, row.case, row.subject, against)]),
  ]);
  const title = against === undefined ? [] : [`× node:dgram (${columns.find((c) => c.metric === against)?.title})`];
  return table([...header, ...title], body, 2);
}

function targetRow({ what, least, most, unit = '×', got, met }: Reached): string[] {
  const bound = least === undefined ? `≤ ${Number((most ?? 0).toPrecision(3))} ${unit}` : `≥ ${least} ${unit}`;
  const digits = unit === '×' ? 3 : 1;
  const [median, q1, q3] = [got.ratio, got.q1, got.q3].map((value) => value.toFixed(digits));
  return [what, bound, `${median} (${q1}…${q3})`, met ? 'yes' : '**no**'];
}

export function targetTable(results: Results): string {
  const rows = reached(results).map(targetRow);
  return rows.length === 0 ? '' : table(['what', 'wanted', 'measured (quartiles)', 'reached'], rows, 1);
}

export function machineText(results: Results): string {
  const { machine, subjects, skipped, warnings, command, repetitions } = results;
  const { cpu: name, cores, virtual, memoryMB, kernel, versions, date, loadBefore, loadAfter, others } = machine;
  const load = `${loadBefore.toFixed(2)} before, ${loadAfter.toFixed(2)} after`;
  return [
    `- ${name}, ${cores} cores${virtual ? ' of a virtual machine' : ''}, ${memoryMB} MB, ${kernel}; ${date}`,
    `- ${Object.entries(versions)
      .map(([what, version]) => `${what} ${version}`)
      .join(', ')}`,
    `- \`${command}\`: up to ${repetitions} repetitions, ${subjects.length} servers taking turns`,
    `- load average ${load}${others === null ? '' : `; other programs had ${(others * 100).toFixed(1)} % of the cores' time`}`,
    ...skipped.map((what) => `- left out: ${what}`),
    ...[...warnings, ...heldUpByLoad(results)].map((what) => `- **note:** ${what}`),
  ].join('\n');
}

export function resultTables(results: Results): string {
  return SECTIONS.map((section) => ({ title: section.title, text: sectionTable(results, section) }))
    .filter(({ text }) => text !== '')
    .map(({ title, text }) => `### ${title}\n\n${text}`)
    .join('\n\n');
}

export function profileTables({ profiles }: Results): string {
  return profiles
    .map(({ label, inflight, cpu: time, heap }) => {
      const [ns, bytes] = [time, heap].map((steps) => steps.reduce((all, { amount }) => all + amount, 0));
      return [
        `### ${label}, ${inflight} in flight`,
        `${ns!.toFixed(0)} ns and ${bytes!.toFixed(0)} bytes of V8's heap for each echo, under the profiler.`,
        stepTable(time, 'ns'),
        stepTable(headOf(heap, 12), 'bytes'),
      ].join('\n\n');
    })
    .join('\n\n');
}

/** Everything, for the terminal. */
export function printed(results: Results): string {
  return [machineText(results), resultTables(results), profileTables(results), targetTable(results)]
    .filter((part) => part !== '')
    .join('\n\n');
}
