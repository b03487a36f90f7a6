/**
 * One script, equal transcripts: every scenario is played with node:dgram, with the built package, and with node:dgram after
 * its register, on each Node line, and the transcripts are compared. `npm run test:compat [-- [--node PATH] [--only FILE] [--write]]`;
 * --write puts the result into docs/compat.md.
 * Where the two differ on purpose, scenarios/deliberate.ts says why and what each must do.
 */
import { execFile } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { basename, join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { type Node, nodes } from './nodes';
import { type Result, writePage } from './report';
import type { Difference } from './scenarios/deliberate';
import { REGISTERED } from './stage';

const HOOK = join(__dirname, '../e2e/netns/typescript.cjs');
const WORKER = join(__dirname, 'worker.ts');
const SUBJECT = resolve(process.env.RECVFROMTO_COMPAT_SUBJECT ?? join(__dirname, '../../dist/index.js'));
const PATIENCE = 120_000;

type Transcripts = Record<string, string[]>;

interface Job {
  readonly node: Node;
  readonly file: string;
}

interface Outcome {
  readonly job: Job;
  readonly names: readonly string[];
  readonly lines: number;
  readonly failures: readonly string[];
}

function play(node: Node, modulePath: string, file: string): Promise<Transcripts> {
  // What dgram deprecates it says on stderr, once; the scenarios about that listen to 'warning'.
  const args = ['--no-warnings', '-r', HOOK, WORKER, modulePath, file];
  return new Promise((done, failed) => {
    const options = { timeout: PATIENCE, killSignal: 'SIGKILL', maxBuffer: 1 << 26 } as const;
    execFile(node.path, args, options, (error, stdout, stderr) => {
      try {
        done(JSON.parse(stdout));
      } catch {
        failed(new Error(`${file} with ${modulePath} ended badly: ${error?.signal ?? error?.code}\n${stderr}`));
      }
    });
  });
}

/** Other processes of this host take ports and join groups, too: a difference has to show each time. */
async function compareAgain(job: Job): Promise<Outcome> {
  let outcome = await compare(job);
  for (let tries = 1; tries < 3 && outcome.failures.length > 0; tries++) outcome = await compare(job);
  return outcome;
}

async function compare(job: Job): Promise<Outcome> {
  const { node, file } = job;
  try {
    const theirs = await play(node, 'node:dgram', file);
    const { differences = {} } = require(join(__dirname, 'scenarios', file)) as {
      differences?: Record<string, Difference>;
    };
    const names = Object.keys(theirs);
    const failures = names.flatMap((name) => {
      const expected = differences[name]?.dgram;
      return expected ? unequal(name, expected, theirs[name], 'expected of dgram', 'dgram') : [];
    });
    for (const [subject, path] of Object.entries({ recvfromto: SUBJECT, 'recvfromto/register': REGISTERED })) {
      const ours = await play(node, path, file);
      for (const name of names) {
        const expected = differences[name]?.recvfromto;
        const whose = expected === undefined ? 'node:dgram' : `expected of ${subject}`;
        failures.push(...unequal(name, expected ?? theirs[name], ours[name] ?? [], whose, subject));
      }
    }
    const lines = Object.values(theirs).reduce((sum, transcript) => sum + transcript.length, 0);
    return { job, names, lines, failures };
  } catch (error) {
    return { job, names: [], lines: 0, failures: [String(error)] };
  }
}

function unequal(name: string, left: readonly string[], right: readonly string[], a: string, b: string): string[] {
  const at = left.findIndex((line, i) => line !== right[i]);
  if (at < 0 && left.length === right.length) return [];
  const first = at < 0 ? left.length : at;
  const context = left.slice(Math.max(0, first - 2), first).map((line) => `      ${line}`);
  const rows = [...Array(4).keys()].flatMap((i) => {
    const [theirs, ours] = [left[first + i], right[first + i]];
    return theirs === ours ? [] : [`    - ${theirs ?? '(nothing)'}`, `    + ${ours ?? '(nothing)'}`];
  });
  return [[`  ${name}: (-) ${a}, (+) ${b}, from line ${first + 1}`, ...context, ...rows].join('\n')];
}

function playedOf(outcomes: readonly Outcome[], files: readonly string[]): Map<string, Set<string>> {
  const of = (file: string) => outcomes.filter(({ job }) => job.file === file).flatMap(({ names }) => names);
  return new Map(files.map((file) => [file, new Set(of(file))]));
}

async function main(): Promise<number> {
  const { values } = parseArgs({
    options: {
      node: { type: 'string' },
      only: { type: 'string' },
      here: { type: 'boolean' },
      write: { type: 'boolean' },
    },
  });
  const say = (line: string) => console.log(line);
  const found = values.here ? [{ path: process.execPath, version: process.version }] : nodes(values.node, say);
  const files = readdirSync(join(__dirname, 'scenarios'))
    .map((file) => basename(file, '.ts'))
    .filter((file) => values.only === undefined || file === values.only);
  const jobs = found.flatMap((node) => files.map((file) => ({ node, file })));
  const outcomes: Outcome[] = [];
  const runner = async () => {
    for (let job = jobs.shift(); job !== undefined; job = jobs.shift()) outcomes.push(await compareAgain(job));
  };
  await Promise.all(Array.from({ length: Math.min(2, availableParallelism()) }, runner));
  let failed = 0;
  const results: Result[] = [];
  for (const { version } of found) {
    const mine = outcomes.filter(({ job }) => job.node.version === version);
    const sum = (of: (outcome: Outcome) => number) => mine.reduce((total, each) => total + of(each), 0);
    for (const { job, failures } of mine) {
      for (const failure of failures) say(`\n${version} ${job.file}\n${failure}`);
    }
    const bad = sum(({ failures }) => failures.length);
    failed += bad;
    const scenarios = sum(({ names }) => names.length);
    const lines = sum((outcome) => outcome.lines);
    results.push({ version, scenarios, lines });
    say(`${version}: ${scenarios - bad} of ${scenarios} scenarios as they should be, ${lines} lines`);
  }
  if (values.write && failed === 0 && values.only === undefined) writePage(results, playedOf(outcomes, files));
  return failed === 0 ? 0 : 1;
}

void main().then((code) => {
  process.exitCode = code;
});
