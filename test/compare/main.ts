/**
 * `npm run compare -- report.json`: what a machine that nobody here has told about itself (`recvfromto doctor --deep
 * --json`), beside the model of its kernel, and which cells of docs/matrix.md become *run*. With MATRIX_OUT set these are
 * appended there, as the suites do. Exit status: 0 the model agrees, 1 it does not, 2 the report is none.
 */
import { appendFileSync, readFileSync } from 'node:fs';
import type { Facts } from '../../src/cli/doctor/facts';
import { cells } from './cells';
import { compare, lines } from './compare';
import { onModel } from './model';

async function main([file]: readonly string[]): Promise<number> {
  const facts = read(file);
  if (typeof facts === 'string') {
    console.error(`compare: ${facts}`);
    return 2;
  }
  const { platform, arch } = facts.capabilities;
  const name = `${platform}-${arch}`;
  const model = await onModel(name).catch((error: Error) => {
    if (error.message.startsWith('no fixture')) return undefined;
    throw error;
  });
  const compared = model === undefined ? [] : compare(facts.deep ?? [], model);
  for (const line of lines(facts, model === undefined ? undefined : name, compared)) console.log(line);
  const out = process.env.MATRIX_OUT;
  if (out !== undefined) for (const cell of cells(facts)) appendFileSync(out, `${JSON.stringify(cell)}\n`);
  return compared.some(({ agree }) => agree === false) ? 1 : 0;
}

/** A text says what is wrong with it. */
function read(file: string | undefined): Facts | string {
  if (file === undefined) return 'which report? npm run compare -- report.json';
  try {
    const facts = JSON.parse(readFileSync(file, 'utf8')) as Partial<Facts>;
    if (facts.capabilities === undefined || facts.addresses === undefined)
      return `${file} is no report of doctor --json`;
    if (!facts.deep) return `${file} was made without --deep`;
    return facts as Facts;
  } catch (error) {
    return `${file}: ${(error as Error).message}`;
  }
}

main(process.argv.slice(2)).then((code) => {
  process.exitCode = code;
});
