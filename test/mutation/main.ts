/** The parent: hands systems to child processes, one per CPU, and counts. The child: makes mutants and has them killed. */
import { type ChildProcess, fork } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { platformFor } from '../../src/platform';
import { target } from '../abi/facts';
import { models } from '../models/world';
import { equivalent } from './equivalent';
import { load, run, type Test } from './harness';
import { mutants } from './mutants';

interface Verdict {
  readonly system: string;
  readonly killed: number;
  /** Of these, by the ABI tests and by the models. */
  readonly byAbi: number;
  readonly survivors: readonly string[];
  /** Killed though the list of equivalents names them. */
  readonly stale: readonly string[];
  readonly seconds: number;
}

const { values: options } = parseArgs({
  options: {
    only: { type: 'string' },
    match: { type: 'string', default: '' },
    models: { type: 'boolean', default: false },
    verbose: { type: 'boolean', default: false },
    child: { type: 'boolean', default: false },
  },
});

if (options.child) child().catch(fail);
else parent();

function parent(): void {
  const start = performance.now();
  const waiting = options.only?.split(',') ?? [...models];
  const verdicts: Verdict[] = [];
  const script = join(__dirname, 'run.js');
  const give = (worker: ChildProcess) => {
    const next = waiting.shift();
    if (next === undefined) worker.disconnect();
    else worker.send(next);
  };
  let running = Math.min(waiting.length, availableParallelism());
  for (let i = running; i > 0; i--) {
    const worker = fork(script, [...process.argv.slice(2), '--child']);
    give(worker);
    worker.on('message', (verdict: Verdict) => {
      verdicts.push(verdict);
      report(verdict);
      give(worker);
    });
    worker.on('exit', (code) => {
      if (code !== 0) process.exitCode = 1;
      if (--running === 0) finish(verdicts, performance.now() - start);
    });
  }
}

function report({ system, killed, byAbi, survivors, seconds }: Verdict): void {
  const unexplained = survivors.filter((name) => equivalent(system, name) === undefined);
  const total = killed + survivors.length;
  console.log(
    `${system.padEnd(14)} ${total} mutants, ${killed} killed (${byAbi} by the ABI tests, ${killed - byAbi} by the model), ` +
      `${survivors.length - unexplained.length} equivalent, ${unexplained.length} survived  ${seconds.toFixed(1)} s`,
  );
}

function finish(verdicts: readonly Verdict[], ms: number): void {
  const sum = (pick: (verdict: Verdict) => number) => verdicts.reduce((all, verdict) => all + pick(verdict), 0);
  const survivors = verdicts.flatMap(({ system, survivors: names }) =>
    names.map((name) => ({ system, name, why: equivalent(system, name) })),
  );
  const bad = survivors.filter(({ why }) => why === undefined);
  for (const { system, name, why } of survivors) {
    if (why !== undefined && options.verbose) console.log(`equivalent  ${system}  ${name}: ${why}`);
  }
  const reasons = new Map<string, number>();
  for (const { why } of survivors) if (why !== undefined) reasons.set(why, (reasons.get(why) ?? 0) + 1);
  for (const [why, count] of reasons) console.log(`equivalent ×${count}: ${why}`);
  for (const { system, name } of bad) console.log(`SURVIVED  ${system}  ${name}`);
  const stale = verdicts.flatMap(({ system, stale: names }) => names.map((name) => `${system}  ${name}`));
  for (const name of stale) console.log(`NOT EQUIVALENT, it was killed  ${name}`);
  const total = sum(({ killed }) => killed) + survivors.length;
  console.log(
    `${total} mutants: ${sum(({ killed }) => killed)} killed, ${survivors.length - bad.length} equivalent, ` +
      `${bad.length} survived. ${(ms / 1000).toFixed(0)} s`,
  );
  if (bad.length + stale.length > 0) process.exitCode = 1;
}

function fail(error: unknown): void {
  console.error(error);
  process.exit(1);
}

async function child(): Promise<void> {
  const files = (folder: string, not: RegExp) =>
    readdirSync(join(__dirname, '..', folder))
      .filter((name) => name.endsWith('.test.ts') && !not.test(name))
      .map((name) => join(__dirname, '..', folder, name));
  // kernel.test.ts and truth.test.ts are about the models themselves and see no platform.
  const all = load([...(options.models ? [] : files('abi', /^$/)), ...files('models', /^(kernel|truth)/)]);
  process.on('message', (system: string) => {
    judge(system, all).then((verdict) => process.send?.(verdict), fail);
  });
}

async function judge(system: string, all: readonly Test[]): Promise<Verdict> {
  const start = performance.now();
  const facts = target(system);
  const platform = platformFor(facts.os, facts.arch, facts.libc);
  const tests = all.filter(({ group }) => group === system || group.endsWith(` ${system}`));
  await mustPass(system, tests);
  const survivors: string[] = [];
  const stale: string[] = [];
  let killed = 0;
  let byAbi = 0;
  const wanted = new RegExp(options.match);
  for (const mutant of mutants(platform)) {
    if (!wanted.test(mutant.name)) continue;
    const undo = mutant.apply();
    const killer = await firstFailure(tests);
    undo();
    if (killer === undefined) survivors.push(mutant.name);
    else {
      killed++;
      if (killer.file.includes('abi')) byAbi++;
      if (equivalent(system, mutant.name) !== undefined && !options.models) stale.push(mutant.name);
      if (options.verbose) console.log(`killed  ${system}  ${mutant.name}: ${killer.title}`);
    }
  }
  await mustPass(system, tests); // nothing of a mutant is left
  return { system, killed, byAbi, survivors, stale, seconds: (performance.now() - start) / 1000 };
}

async function mustPass(system: string, tests: readonly Test[]): Promise<void> {
  for (const test of tests) {
    const failure = await run(test);
    if (failure !== undefined) throw new Error(`${system}, unmutated: ${test.title}`, { cause: failure });
  }
}

/** Tests that killed before, the last one first: neighbours in the data die of the same. */
let killers: Test[] = [];

async function firstFailure(tests: readonly Test[]): Promise<Test | undefined> {
  const likely = killers.filter((test) => tests.includes(test));
  for (const test of [...likely, ...tests.filter((each) => !likely.includes(each))]) {
    if ((await run(test)) === undefined) continue;
    killers = [test, ...killers.filter((each) => each !== test)].slice(0, 6);
    return test;
  }
  return undefined;
}
