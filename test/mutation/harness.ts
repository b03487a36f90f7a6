/**
 * Just enough of Jest to run some of its test files many times in one process: describe, test, their `each`, hooks and
 * expect. Bodies of `describe` run once, when a file is loaded; tests as often as they are asked to.
 */
import { expect } from 'expect';

type Body = (...args: unknown[]) => unknown;
type Hook = () => unknown;

interface Suite {
  readonly title: string;
  readonly parent: Suite | undefined;
  readonly before: Hook[];
  readonly after: Hook[];
}

export interface Test {
  readonly title: string;
  /** Title of the outermost describe; '' without one. */
  readonly group: string;
  readonly suite: Suite;
  readonly file: string;
  readonly run: () => unknown;
}

const root: Suite = { title: '', parent: undefined, before: [], after: [] };
const tests: Test[] = [];
let suite = root;
let file = '';

/** Loads test files. → their tests, in order */
export function load(files: readonly string[]): readonly Test[] {
  const globals = { describe, test, it: test, expect, beforeEach, afterEach, beforeAll: ignore, afterAll: ignore };
  Object.assign(globalThis, globals);
  for (const name of files) {
    file = name;
    require(name);
  }
  return tests;
}

function ignore(): void {}

function describe(title: string, body: () => void): void {
  suite = { title, parent: suite, before: [], after: [] };
  body();
  suite = suite.parent as Suite;
}

function test(title: string, run: Hook): void {
  const outermost = [...ancestors(suite)].at(-1);
  tests.push({ title, group: outermost?.title ?? '', suite, file, run });
}

describe.each = (rows: readonly unknown[]) => (title: string, body: Body) => {
  for (const row of rows) describe(format(title, row), () => void body(...argumentsOf(row)));
};
test.each = (rows: readonly unknown[]) => (title: string, body: Body) => {
  for (const row of rows) test(format(title, row), () => body(...argumentsOf(row)));
};

/** What a socket of ours does not do yet says nothing of a platform. */
test.failing = ignore;

function beforeEach(hook: Hook): void {
  suite.before.push(hook);
}

function afterEach(hook: Hook): void {
  suite.after.push(hook);
}

function argumentsOf(row: unknown): unknown[] {
  return Array.isArray(row) ? [...row] : [row];
}

function format(title: string, row: unknown): string {
  const args = argumentsOf(row);
  return title.replace(/%[sipj]/g, () => String(args.shift()));
}

/** From the innermost outwards, without the root. */
function* ancestors(from: Suite): Generator<Suite> {
  for (let at: Suite | undefined = from; at !== undefined && at !== root; at = at.parent) yield at;
}

/** What was thrown where no test is on the stack: in a setImmediate, on a tick. */
let stray: unknown;
process.on('uncaughtException', (error) => {
  stray ??= error;
});

/** ms; a mutant may take a callback away that a test waits for. */
const LONG = 4000;

/** → what failed, or undefined */
export async function run({ suite: own, run: body }: Test): Promise<unknown> {
  const suites = [...ancestors(own)];
  stray = undefined;
  let failure: unknown;
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, failed) => {
    timer = setTimeout(() => failed(new Error(`nothing within ${LONG} ms`)), LONG);
  });
  try {
    for (const { before } of [...suites].reverse()) for (const hook of before) await hook();
    await Promise.race([body(), late]);
  } catch (error) {
    failure = error ?? new Error('nothing was thrown');
  } finally {
    clearTimeout(timer);
  }
  try {
    for (const { after } of suites) for (const hook of after) await hook();
  } catch (error) {
    failure ??= error;
  }
  return failure ?? stray;
}
