/**
 * `npm run bench`: measures recvfromto beside node:dgram, Bun, Deno and C, all in one run on one machine, taking turns
 * (A B C A B C …), and writes the figures, plots and tables. options.ts says what it can be told.
 */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { endAll } from './children';
import { observe, warningsAbout } from './machine';
import { type Options, optionsFrom, USAGE, UsageError } from './options';
import { printed } from './report/tables';
import { writeDocs } from './report/write';
import { type Results, rowsOf, type Sample } from './results';
import { echoScenarios } from './scenarios/echo';
import { flood } from './scenarios/flood';
import { latency } from './scenarios/latency';
import { memory } from './scenarios/memory';
import { PROFILED, type Profile, profileOf } from './scenarios/profiled';
import { type Case, type Context, type Scenario, takesPart } from './scenarios/scenario';
import { send } from './scenarios/send';
import { startup } from './scenarios/startup';
import { type Subject, subjectsOf } from './subjects';
import { prepare } from './toolchain';

const root = join(__dirname, '..');
const [echo, ...echoOtherwise] = echoScenarios;
/** Those with a figure to reach first: should the time run out, the others go short. */
const SCENARIOS: readonly Scenario[] = [echo!, send, flood, latency, startup, memory, ...echoOtherwise];

const PROFILE = 'profile';

const say = (text: string) => process.stderr.write(`${text}\n`);

interface Plan {
  readonly scenario: Scenario;
  readonly cases: readonly Case[];
  readonly repetitions: number;
}

/** @throws UsageError for a name that is none */
function planFor({ only, quick, repetitions }: Options): Plan[] {
  const known = new Set([PROFILE]);
  for (const { name, cases } of SCENARIOS) for (const one of [name, ...cases.map((each) => each.name)]) known.add(one);
  const unknown = only.filter((name) => !known.has(name));
  if (unknown.length > 0) throw new UsageError(`--only: no ${unknown.join(', ')}. There are ${[...known].join(', ')}`);
  const wanted = (scenario: Scenario, one: Case) =>
    only.length > 0 ? only.includes(scenario.name) || only.includes(one.name) : !quick || one.quick === true;
  return SCENARIOS.map((scenario) => ({
    scenario,
    cases: scenario.cases.filter((one) => wanted(scenario, one)),
    repetitions: repetitions ?? (quick ? 1 : scenario.repetitions),
  })).filter(({ cases }) => cases.length > 0);
}

interface Run {
  readonly samples: Sample[];
  readonly failures: string[];
}

/** All repetitions of one scenario, each subject once in each. A subject that fails sits out the rest. */
async function measure(plan: Plan, subjects: readonly Subject[], context: Context, until: number): Promise<Run> {
  const { scenario, cases, repetitions } = plan;
  const samples: Sample[] = [];
  const failures: string[] = [];
  const out = new Set<Subject>();
  for (let repetition = 0; repetition < repetitions; repetition++) {
    if (performance.now() > until) {
      failures.push(`${scenario.name}: ${repetition} of ${repetitions} repetitions, then the time was up`);
      break;
    }
    for (const subject of subjects) {
      const own = cases.filter((one) => takesPart(subject, one));
      if (own.length === 0 || out.has(subject)) continue;
      try {
        samples.push(...(await scenario.run(subject, own, context)));
      } catch (error) {
        out.add(subject);
        failures.push(`${scenario.name}: ${subject.label} failed: ${(error as Error).message.split('\n')[0]}`);
        say(`  ${failures.at(-1)}`);
      }
    }
  }
  return { samples, failures };
}

async function profileAll(subjects: readonly Subject[], context: Context, { only }: Options): Promise<Profile[]> {
  const profiles = [];
  if (only.length > 0 && !only.includes(PROFILE)) return [];
  for (const subject of subjects.filter(({ id }) => (context.quick ? PROFILED.slice(0, 1) : PROFILED).includes(id))) {
    profiles.push(await profileOf(subject, context));
  }
  say(`${PROFILE}: ${profiles.map(({ label }) => label).join(', ')}`);
  return profiles;
}

async function measureAll(options: Options): Promise<Results> {
  const plans = planFor(options);
  const tools = prepare(!options.quick);
  const subjects = subjectsOf(tools);
  const dist = pathToFileURL(resolve(process.env.RECVFROMTO_DIST ?? join(root, 'dist/index.js'))).href;
  const context: Context = { tools, dist, quick: options.quick };
  const machine = observe(tools.versions);
  const until = performance.now() + options.limitMinutes * 60_000;
  const samples: Sample[] = [];
  const warnings: string[] = [];
  for (const note of tools.skipped) say(`without ${note}`);
  for (const plan of plans) {
    const began = performance.now();
    const run = await measure(plan, subjects, context, until);
    samples.push(...run.samples);
    warnings.push(...run.failures);
    say(`${plan.scenario.name}: ${((performance.now() - began) / 1000).toFixed(1)} s`);
  }
  const profiles = await profileAll(subjects, context, options);
  const seen = machine();
  return {
    machine: seen,
    command: ['npm run bench', ...process.argv.slice(2)].join(' '),
    repetitions: Math.max(0, ...plans.map(({ repetitions }) => repetitions)),
    subjects: subjects.map(({ id, label, how, source }) => ({ id, label, sends: how.label, source })),
    skipped: tools.skipped,
    warnings: [...warningsAbout(seen), ...warnings],
    rows: rowsOf(samples),
    profiles,
  };
}

async function main(): Promise<number> {
  const options = optionsFrom(process.argv.slice(2));
  if (options === undefined) {
    console.log(USAGE);
    return 0;
  }
  const measured = options.report === undefined;
  const results = measured ? await measureAll(options) : (JSON.parse(readFileSync(options.report!, 'utf8')) as Results);
  if (options.json !== undefined) {
    mkdirSync(dirname(resolve(options.json)), { recursive: true });
    writeFileSync(options.json, `${JSON.stringify(results, null, 1)}\n`);
  }
  console.log(printed(results));
  const whole = options.only.length === 0 && !options.quick;
  if (!measured || whole) writeDocs(results, resolve(root, options.docs));
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
