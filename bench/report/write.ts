/** Writes docs/bench/ (results and pictures), and what stands between the markers of docs/speed.md and README.md. */
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Results } from '../results';
import { SCENARIOS } from '../scenarios';
import { dns } from '../scenarios/dns';
import { aheadTable } from './ahead';
import { between } from './markers';
import { pictures } from './plots';
import { readmeTable } from './readme';
import { machineText, profileTables, resultTables, section, targetTable } from './tables';

export function writeDocs(results: Results, docs: string): void {
  const folder = join(docs, 'bench');
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, 'results.json'), `${JSON.stringify(results, null, 1)}\n`);
  for (const old of readdirSync(folder)) if (old.endsWith('.svg')) rmSync(join(folder, old));
  const drawn = pictures(results);
  for (const { file, svg } of drawn) writeFileSync(join(folder, file), `${svg}\n`);
  const pictureOf = (name: string) =>
    drawn
      .filter(({ file }) => file === name)
      .map(({ file, title }) => `![${title}](bench/${file})`)
      .join('');
  const written = {
    dns: [...section(results, dns), pictureOf('dns.svg')].join('\n\n'),
    tables: resultTables(
      results,
      SCENARIOS.filter((scenario) => scenario !== dns),
    ),
    ahead: aheadTable(results),
    targets: targetTable(results),
    machine: machineText(results),
    plots: drawn
      .map(({ file }) => pictureOf(file))
      .filter((text) => !text.includes('dns.svg'))
      .join('\n\n'),
    profile: profileTables(results),
  };
  replaceIn(join(docs, 'speed.md'), written);
  const readme = join(docs, '../README.md');
  if (existsSync(readme)) replaceIn(readme, { readme: readmeTable(results) });
}

function replaceIn(page: string, parts: Readonly<Record<string, string>>): void {
  let text = readFileSync(page, 'utf8');
  for (const [name, content] of Object.entries(parts)) text = between(text, name, content);
  writeFileSync(page, text);
}
