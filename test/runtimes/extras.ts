/**
 * What needs a process of its own in each runtime: readiness where it may crash (../runtime/scripts), ends of processes
 * and workers under traffic, the package imported by name, the command.
 */
import { copyFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { compile } from '../runtime/child';
import { type Ended, epitaph, pool, run } from './child';
import { asExpected } from './deep';
import type { Report } from './report';
import type { Place } from './suite';

const here = (file: string) => join(__dirname, file);
const SCENARIO = here('../runtime/scripts/scenario.cjs');

/** What ../runtime/readiness.test.ts expects of src/ in Jest's Node, expected everywhere. Calls below the package's API. */
const scenarios: readonly [name: string, result: unknown][] = [
  ['exit', { datagrams: 1 }],
  ['idle', {}],
  ['refused', { results: [true, true, true], idle: 0, heard: true, error: true }],
  ['throwing', { seen: ['thrown 1', 'thrown 2', 'thrown 3'], datagrams: [3, 3] }],
  ['closeInside', { first: 1, others: true }],
  // `same`: whether a descriptor's number came again, which other threads of a runtime may prevent
  ['afterClose', { watched: 'EEXIST', heard: true }],
  ['events', { seen: [2, 1, 3], wrong: ['RangeError', 'RangeError', 'RangeError', 'TypeError'] }],
  ['reuse', { received: 1000 }],
];

interface Task {
  readonly what: string;
  readonly command: readonly string[];
  readonly env?: NodeJS.ProcessEnv;
  readonly seconds?: number;
  /** Is this how it should have ended? */
  readonly right: (ended: Ended) => boolean;
}

const clean = ({ code, stderr }: Ended) => code === 0 && stderr === '';

/** @param compiled src/, file by file */
function tasksFor({ command, label }: Place, dist: string, compiled: string): Task[] {
  const world = [here('world.sh'), ...command];
  return [
    ...scenarios.map(
      ([name, result]): Task => ({
        what: `readiness: ${name}`,
        command: [...command, SCENARIO, name],
        env: { RECVFROMTO_COMPILED: compiled },
        right: (ended) =>
          clean(ended) &&
          ended.stdout.replace(/"same":(true|false),|,"same":(true|false)|\n/g, '') === JSON.stringify(result),
      }),
    ),
    ...['early', 'exit', 'unref', 'close'].flatMap((how) =>
      Array.from(
        { length: 3 },
        (_, i): Task => ({
          what: `ends under traffic: ${how} ${i + 1}`,
          command: [...command, here('exit.cjs'), dist, how],
          right: (ended) => clean(ended) && ended.stdout === 'ended\n',
        }),
      ),
    ),
    {
      what: 'an uncaught exception under traffic ends it as usual',
      command: [...command, here('exit.cjs'), dist, 'throw'],
      right: ({ code, stderr }) => code === 1 && stderr.includes('on purpose'),
    },
    ...['terminate', 'exit'].map(
      (how): Task => ({
        what: `workers end under traffic: ${how}`,
        command: [...world, here('terminate.cjs'), dist, how],
        right: (ended) => clean(ended) && ended.stdout.trim() === '{"ended":12,"leaked":0}',
      }),
    ),
    {
      what: 'imported by name as an ES module',
      command: [...command, join(dirname(dirname(dirname(dist))), 'answer.mjs')],
      right: (ended) => clean(ended) && ended.stdout === '127.0.0.2\n',
    },
    {
      what: 'recvfromto doctor --deep: all is right, and the kernel does what was expected of it',
      command: [...world, join(dist, 'cli/main.js'), 'doctor', '--deep', '--json'],
      seconds: 60,
      right: ({ code, stdout }) => code === 0 && asExpected(stdout),
    },
    {
      what: 'recvfromto serve and send',
      command: [here('serve.sh'), join(dist, 'cli/main.js'), ...command],
      right: ({ code, stdout }) => code === 0 && stdout.includes('127.0.0.2'),
    },
    ...(label === 'Deno' ? denoOnly(command[0]!, dist) : []),
  ];
}

/** Without the right to call C, the socket says so when it is created. */
function denoOnly(deno: string, dist: string): Task[] {
  return [
    {
      what: 'without --allow-ffi: a clear error at createSocket',
      command: [
        deno,
        'run',
        '--quiet',
        '--no-prompt',
        '--allow-read',
        '--allow-env',
        '--allow-sys',
        here('refused.cjs'),
        dist,
      ],
      right: ({ stdout }) => stdout === 'ERR_RECVFROMTO_UNSUPPORTED_PLATFORM\n',
    },
  ];
}

export async function extras(place: Place, dist: string, report: Report): Promise<void> {
  const stage = dirname(dirname(dirname(dist)));
  copyFileSync(here('answer.mjs'), join(stage, 'answer.mjs'));
  writeFileSync(join(stage, 'tsconfig.json'), '{}'); // Bun would take the paths of ours
  const compiled = compile();
  const tasks = tasksFor(place, dist, compiled.folder);
  const ended = await pool(
    tasks.map(
      ({ command, env, seconds = 20 }) =>
        () =>
          run(command, seconds, env),
    ),
    2,
  );
  compiled.remove();
  tasks.forEach(({ what, right }, i) => {
    const how = ended[i]!;
    if (right(how)) report.check(place.label, what, 'passed');
    else report.check(place.label, what, 'failed', `${epitaph(how)}\n${how.stdout.slice(-600)}`);
  });
}
