/**
 * `npm run bench`: measures recvfromto beside node:dgram, Bun, Deno and C, all in one run on one machine, taking turns,
 * and writes the figures, plots and tables. options.ts says what it can be told.
 */
import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { endAll } from './children';
import { disturbance, observe, warningsAbout } from './machine';
import { measureCase, plannedMs, WHOLE_SECONDS } from './measure';
import { type Options, optionsFrom, USAGE, UsageError } from './options';
import { printed } from './report/tables';
import { writeDocs } from './report/write';
import { merged, type Profile, type Results, rowsOf, type Sample } from './results';
import { SCENARIOS } from './scenarios';
import type { Case, Context } from './scenarios/case';
import { PROFILED, profileOf } from './scenarios/profiled';
import { type Subject, subjectsOf } from './subjects';
import { prepare, type Toolchain } from './toolchain';

const root = join(__dirname, '..');
const PROFILE = 'profile';
const ONE_SECONDS = 15;

const say = (text: string) => process.stderr.write(`${text}\n`);

/** @throws UsageError for a name that is none */
function casesFor({ only, quick }: Options): Case[] {
  const known = new Set([PROFILE]);
  for (const { name, cases } of SCENARIOS) for (const one of [name, ...cases.map((each) => each.name)]) known.add(one);
  const unknown = only.filter((name) => !known.has(name));
  if (unknown.length > 0) throw new UsageError(`--only: no ${unknown.join(', ')}. There are ${[...known].join(', ')}`);
  return SCENARIOS.flatMap(({ name, cases }) =>
    cases.filter((one) => {
      if (only.length > 0) return only.includes(name) || only.includes(one.name);
      return !quick || one.quick === true;
    }),
  );
}

/** The last commit that changed what is measured, and the day. */
function provenance(): string {
  const git = (...args: string[]) => execFileSync('git', args, { cwd: root, encoding: 'utf8' }).trim();
  const day = new Date().toISOString().slice(0, 10);
  if (process.env.RECVFROMTO_DIST !== undefined) return `${process.env.RECVFROMTO_DIST}, ${day}`;
  try {
    const changed = git('status', '--porcelain', '--', 'src') === '' ? '' : ', changed';
    return `${git('log', '-1', '--format=%h', '--', 'src')}${changed}, ${day}`;
  } catch {
    return day;
  }
}

async function profileAll(
  subjects: readonly Subject[],
  context: Context,
  options: Options,
  measured: string,
): Promise<Profile[]> {
  const { only } = options;
  if (only.length > 0 && !only.includes(PROFILE)) return [];
  const profiles = [];
  for (const subject of subjects.filter(({ id }) => (context.quick ? PROFILED.slice(0, 1) : PROFILED).includes(id))) {
    profiles.push(await profileOf(subject, context, measured));
  }
  return profiles;
}

async function measureCases(cases: readonly Case[], subjects: readonly Subject[], context: Context, options: Options) {
  const samples: Sample[] = [];
  const failures: string[] = [];
  const seconds = options.limitSeconds || (options.only.length > 0 ? cases.length * ONE_SECONDS : WHOLE_SECONDS);
  // By what was planned, so that a case that takes longer takes nothing from those behind it.
  const possible = cases.filter(({ needs }) => needs === undefined || context.tools[needs] !== undefined);
  const share = (seconds * 1000) / possible.reduce((all, one) => all + plannedMs(one, context.quick), 0);
  for (const one of possible) {
    const began = performance.now();
    const run = await measureCase(one, subjects, context, share * plannedMs(one, context.quick));
    samples.push(...run.samples);
    failures.push(...run.failures);
    for (const failure of run.failures) say(`  ${failure}`);
    say(`${one.name}: ${((performance.now() - began) / 1000).toFixed(1)} s`);
  }
  return { samples, failures };
}

async function measureAll(options: Options, tools: Toolchain): Promise<Results> {
  const dist = pathToFileURL(resolve(process.env.RECVFROMTO_DIST ?? join(root, 'dist/index.js'))).href;
  const asked = options.subjects;
  const subjects = subjectsOf(tools, dist).filter(({ id }) => asked.length === 0 || asked.includes(id));
  const context: Context = { tools, dist, quick: options.quick };
  const measured = provenance();
  const machine = observe(tools.versions);
  for (const note of tools.skipped) say(`without ${note}`);
  const { samples, failures } = await measureCases(casesFor(options), subjects, context, options);
  const profiles = await profileAll(subjects, context, options, measured);
  const seen = machine();
  const given = process.argv.slice(2);
  return {
    machine: seen,
    command: ['npm run bench', ...(given.length === 0 ? [] : ['--', ...given])].join(' '),
    subjects: subjects.map(({ id, label }) => ({ id, label })),
    skipped: tools.skipped,
    warnings: [...warningsAbout(seen), ...failures],
    rows: rowsOf(samples, `${measured}${disturbance(seen)}`),
    profiles,
  };
}

async function resultsFor(options: Options): Promise<Results> {
  const read = (file: string) => JSON.parse(readFileSync(file, 'utf8')) as Results;
  if (options.report !== undefined) return read(options.report);
  casesFor(options);
  const tools = await prepare(!options.quick, options.realtime);
  try {
    const results = await measureAll(options, tools);
    console.log(printed(results));
    return options.update ? merged(read(resolve(root, options.docs, 'bench/results.json')), results) : results;
  } finally {
    tools.network?.close();
  }
}

async function main(): Promise<number> {
  const options = optionsFrom(process.argv.slice(2));
  if (options === undefined || options.list) {
    const seconds = (one: Case) => (plannedMs(one, options?.quick ?? false) / 1000).toFixed(0);
    const named = (one: Case) => `${one.name} (${seconds(one)} s)`;
    const cases = SCENARIOS.map(({ name, cases: own }) => `${name}: ${own.map(named).join(', ')}`);
    console.log(options === undefined ? USAGE : [...cases, PROFILE].join('\n'));
    return 0;
  }
  const results = await resultsFor(options);
  if (options.json !== undefined) {
    mkdirSync(dirname(resolve(options.json)), { recursive: true });
    writeFileSync(options.json, `${JSON.stringify(results, null, 1)}\n`);
  }
  if (options.writeDocs) writeDocs(results, resolve(root, options.docs));
  // A run that is there to show that everything works has failed when something did not.
  return options.quick && results.warnings.some((warning) => warning.includes('failed')) ? 1 : 0;
}

for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.once(signal, () => process.exit(130));
process.once('exit', endAll);
main().then(
  (code) => process.exit(code),
  (error: NodeJS.ErrnoException) => {
    const misused = error instanceof UsageError || error.code?.startsWith('ERR_PARSE_ARGS') === true;
    say(misused ? `${error.message}\n${USAGE}` : (error.stack ?? String(error)));
    process.exit(misused ? 64 : 1);
  },
);
