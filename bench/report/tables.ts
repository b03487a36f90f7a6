/** The tables, in Markdown: for docs/speed.md, and for the terminal. */
import { headOf, stepTable } from '../profile';
import { find, heldUpByLoad, type Results, type Row, type SubjectId } from '../results';
import { SCENARIOS } from '../scenarios';
import type { Figure, Scenario } from '../scenarios/case';
import { ratio } from '../statistics';
import { type Reached, reached } from './targets';

const BASE: SubjectId = 'dgram';

function grouped(value: number, digits: number): string {
  return value.toLocaleString('en', { minimumFractionDigits: digits, maximumFractionDigits: digits });
}

/** The median, and how it compares with node:dgram's. */
function cell(results: Results, name: string, subject: SubjectId, figure: Figure): string {
  const { metric, digits = 0, scale = 1, ratios = true } = figure;
  const own = find(results, name, subject, metric);
  if (own === undefined || Number.isNaN(own.median)) return '–';
  const value = grouped(own.median * scale, digits);
  const base = subject === BASE || !ratios ? undefined : find(results, name, BASE, metric);
  return base === undefined || base.median === 0 ? value : `${value} (${ratio(own, base).ratio.toFixed(2)})`;
}

export function table(header: readonly string[], rows: readonly (readonly string[])[], left: number): string {
  const rule = header.map((_, i) => (i < left ? '---' : '--:'));
  return [header, rule, ...rows].map((cells) => `| ${cells.join(' | ')} |`).join('\n');
}

const rowsFor = ({ rows }: Results, { cases }: Scenario): Row[] =>
  rows.filter((row) => cases.some(({ name }) => name === row.case));

/** One row for each figure and case, one column for each subject. */
function scenarioTable(results: Results, scenario: Scenario): string {
  const rows = rowsFor(results, scenario);
  const subjects = results.subjects.filter(({ id }) => rows.some(({ subject }) => subject === id));
  const measured = (name: string, metric: string) =>
    rows.some((row) => row.case === name && row.metrics[metric] !== undefined);
  const body = scenario.figures.flatMap((figure) =>
    scenario.cases
      .filter(({ name }) => measured(name, figure.metric))
      .map(({ name, what }) => [figure.title, what, ...subjects.map(({ id }) => cell(results, name, id, figure))]),
  );
  return table(['', '', ...subjects.map(({ label }) => label)], body, 2);
}

/** When and on what its figures were measured. */
function provenance(rows: readonly Row[]): string {
  return `Measured at ${[...new Set(rows.map(({ measured }) => measured))].join('; ')}.`;
}

/** What a scenario has to say; nothing where it was not measured. */
export function section(results: Results, scenario: Scenario): string[] {
  const rows = rowsFor(results, scenario);
  if (rows.length === 0) return [];
  const text = [scenario.text, provenance(rows)].filter((part) => part !== undefined).join(' ');
  return [`${text}\n\n${scenarioTable(results, scenario)}`];
}

export function resultTables(results: Results, scenarios = SCENARIOS): string {
  return scenarios
    .flatMap((scenario) => section(results, scenario).map((text) => `### ${scenario.title}\n\n${text}`))
    .join('\n\n');
}

function targetRow({ what, least, most, unit = '×', got, met }: Reached): string[] {
  const bound = least === undefined ? `≤ ${Number((most ?? 0).toPrecision(3))} ${unit}` : `≥ ${least} ${unit}`;
  const digits = unit === '×' ? 2 : 1;
  const [median, q1, q3] = [got.ratio, got.q1, got.q3].map((value) => value.toFixed(digits));
  return [what, bound, `${median} (${q1}…${q3})`, met ? 'yes' : '**no**'];
}

export function targetTable(results: Results): string {
  const rows = reached(results).map(targetRow);
  return rows.length === 0 ? '' : table(['what', 'wanted', 'measured (quartiles)', 'reached'], rows, 1);
}

export function machineText(results: Results): string {
  const { machine, skipped, warnings, command } = results;
  const { cpu: name, cores, virtual, memoryMB, kernel, versions, date, loadBefore, loadAfter, others } = machine;
  const load = `${loadBefore.toFixed(2)} before, ${loadAfter.toFixed(2)} after`;
  const named = Object.entries(versions).map(([what, version]) => `${what} ${version}`);
  return [
    `- ${name}, ${cores} cores${virtual ? ' of a virtual machine' : ''}, ${memoryMB} MB, ${kernel}; ${date}`,
    `- ${named.join(', ')}`,
    `- \`${command}\``,
    `- load average ${load}${others === null ? '' : `; other programs had ${(others * 100).toFixed(1)} % of the cores' time`}`,
    ...skipped.map((what) => `- left out: ${what}`),
    ...[...warnings, ...heldUpByLoad(results)].map((what) => `- **note:** ${what}`),
  ].join('\n');
}

export function profileTables({ profiles }: Results): string {
  return profiles
    .map(({ label, inflight, cpu: time, heap, measured }) => {
      const [ns, bytes] = [time, heap].map((steps) => steps.reduce((all, { amount }) => all + amount, 0));
      return [
        `### ${label}, ${inflight} in flight`,
        `${ns!.toFixed(0)} ns and ${bytes!.toFixed(0)} bytes of V8's heap for each echo, under the profiler (${measured}).`,
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
