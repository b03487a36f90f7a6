/** Writes docs/bench/ (results and pictures) and what stands between the markers of docs/speed.md. */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Results } from '../results';
import { between } from './markers';
import { pictures } from './plots';
import { machineText, profileTables, resultTables, targetTable } from './tables';

export function writeDocs(results: Results, docs: string): void {
  const folder = join(docs, 'bench');
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, 'results.json'), `${JSON.stringify(results, null, 1)}\n`);
  const drawn = pictures(results);
  for (const { file, svg } of drawn) writeFileSync(join(folder, file), `${svg}\n`);
  const parts = {
    machine: machineText(results),
    targets: targetTable(results),
    plots: drawn.map(({ file, title }) => `![${title}](bench/${file})`).join('\n\n'),
    tables: resultTables(results),
    profile: profileTables(results),
  };
  const page = join(docs, 'speed.md');
  let text = readFileSync(page, 'utf8');
  for (const [name, content] of Object.entries(parts)) text = between(text, name, content);
  writeFileSync(page, text);
}
