/**
 * `npm run matrix`: runs the suites that know what works where, and writes docs/matrix.md from what they found. No cell is
 * filled by hand: each comes from a line that a suite wrote to MATRIX_OUT after it had tried.
 * `npm run matrix -- --reuse` takes the newest results of a suite where there are any, and runs the others;
 * `-- --reuse models wine` runs all but these. `-- --only kernels` runs that suite alone, and leaves the rows of others as the page
 * has them.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { type Finding, findingsOf, page } from './page';
import { wineFindings } from './wine';

const root = resolve(__dirname, '../..');
const results = join(root, '.runtimes/matrix');

interface Suite {
  readonly name: string;
  readonly command: readonly string[];
}

const suites: readonly Suite[] = [
  { name: 'runtimes', command: ['npm', 'run', 'test:runtimes'] },
  { name: 'qemu', command: ['npm', 'run', 'test:qemu'] },
  { name: 'wine', command: ['npm', 'run', 'test:wine'] },
  { name: 'models', command: ['npx', 'jest', '--silent', 'test/models'] },
];

/** A part of test:qemu, which has it anyway. */
const kernels: Suite = { name: 'kernels', command: ['npm', 'run', 'test:qemu', '--', 'kernels'] };

/** Runs a suite and keeps what it wrote, if it passed: half a result would look like a whole one. → has it passed? */
function run({ name, command }: Suite, file: string): boolean {
  console.log(`\n== ${name}: ${command.join(' ')}`);
  const unfinished = `${file}.unfinished`;
  rmSync(unfinished, { force: true });
  const [program, ...args] = command;
  const env = { ...process.env, MATRIX_OUT: unfinished };
  const { status } = spawnSync(program!, args, { cwd: root, stdio: 'inherit', env });
  if (status !== 0) {
    console.error(`${name} has failed; its results are not taken`);
    return false;
  }
  if (existsSync(unfinished)) renameSync(unfinished, file);
  return true;
}

function read(file: string): Finding[] {
  if (!existsSync(file)) return [];
  const lines = readFileSync(file, 'utf8').trim().split('\n');
  return lines.filter(Boolean).map((line) => JSON.parse(line) as Finding);
}

/** Wine's results lie where its suite leaves them, a file for each of its runs; what is missing or failed has no `run`. */
function findings({ name }: Suite, file: string): Finding[] {
  return name === 'wine' ? wineFindings(join(root, '.wine')) : read(file);
}

function main(): void {
  const [flag, ...names] = process.argv.slice(2);
  const reused = (name: string) => flag === '--reuse' && (names.length === 0 || names.includes(name));
  mkdirSync(results, { recursive: true });
  let passed = true;
  const wanted = flag === '--only' ? [...suites, kernels].filter(({ name }) => names.includes(name)) : suites;
  const all = wanted.flatMap((suite): Finding[] => {
    const file = join(results, `${suite.name}.jsonl`);
    if (!(reused(suite.name) && findings(suite, file).length > 0)) passed = run(suite, file) && passed;
    const found = findings(suite, file);
    console.log(`${suite.name}: ${found.length} results`);
    return found;
  });
  const target = join(root, 'docs/matrix.md');
  mkdirSync(join(root, 'docs'), { recursive: true });
  writeFileSync(target, page(all, flag === '--only' ? findingsOf(readFileSync(target, 'utf8')) : []));
  console.log(`\nwrote docs/matrix.md: ${all.length} results`);
  if (!passed || all.length === 0 || all.some(({ result }) => result === 'failed')) process.exitCode = 1;
}

main();
