/** Writes what a run has shown into docs/compat.md, between its markers. Only whole runs, with nothing unequal. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Difference, differences } from './scenarios/deliberate';

const PAGE = join(__dirname, '../../docs/compat.md');

/** How one Node line did. */
export interface Result {
  readonly version: string;
  readonly scenarios: number;
  readonly lines: number;
}

/** @param played the names of all scenarios that were played, by file */
export function writePage(results: readonly Result[], played: ReadonlyMap<string, ReadonlySet<string>>): void {
  let page = readFileSync(PAGE, 'utf8');
  page = between(page, 'run', table(results));
  const files = [...played].filter(([file]) => file !== 'deliberate');
  page = between(page, 'compared', files.map(compared).join('\n'));
  page = between(page, 'differs', Object.entries(differences).map(differs).join('\n'));
  writeFileSync(PAGE, page);
}

function between(page: string, name: string, text: string): string {
  const [begin, end] = [`<!-- ${name}: written by npm run test:compat -- --write -->`, `<!-- /${name} -->`];
  const [from, to] = [page.indexOf(begin), page.indexOf(end)];
  if (from < 0 || to < from) throw new Error(`docs/compat.md lacks the markers of ${name}`);
  return `${page.slice(0, from + begin.length)}\n${text}\n${page.slice(to)}`;
}

function table(results: readonly Result[]): string {
  const rows = results.map(({ version, scenarios, lines }) => `| ${version} | ${scenarios} | ${lines} |`);
  return ['| Node.js | scenarios | lines of transcript |', '|---|---|---|', ...rows].join('\n');
}

/** The head of a file says what its scenarios are about. */
function compared([file, names]: [string, ReadonlySet<string>]): string {
  const path = join(__dirname, 'scenarios', `${file}.ts`);
  const head = /\/\*\*(.*?)\*\//s.exec(readFileSync(path, 'utf8'))?.[1] ?? '';
  const text = head.replace(/\s*\n \* ?/g, ' ').trim();
  return `- ${text} *${[...names].join('; ')}.*`;
}

function differs([name, { reason, dgram, recvfromto }]: [string, Difference]): string {
  const show = (whose: string, lines: readonly string[]) => lines.map((line) => `${whose} ${line}`);
  const transcript = [...show('dgram     ', dgram ?? []), ...show('recvfromto', recvfromto)];
  return [`### ${name[0].toUpperCase()}${name.slice(1)}`, '', reason, '', '```', ...transcript, '```', ''].join('\n');
}
