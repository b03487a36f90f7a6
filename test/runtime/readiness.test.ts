/** Readiness where it may crash the process or go deaf: every scenario in a process of its own. */
import { compile, expectResult, run } from './child';

const compiled = compile();
afterAll(() => compiled.remove());
jest.setTimeout(30_000);

const FLAGS = ['--expose-gc', '--no-warnings'];
type Koffi = 'no-callbacks' | 'no-symbols' | undefined;
const scenario = (name: string, koffi?: Koffi, env = {}) =>
  run(compiled.folder, 'scenario.cjs', [name], FLAGS, { ...env, ...(koffi && { RECVFROMTO_KOFFI: koffi }) });

const badDescriptors = (file: string, ...foreign: string[]) => ({
  codes: ['EBADF', 'EBADF', 'EBADF', file, 'EEXIST', 'EEXIST', ...foreign],
  types: ['RangeError', 'TypeError', 'TypeError', 'TypeError', 'TypeError', 'TypeError', 'TypeError'],
  heard: true,
  repeated: 1,
});

const always: [name: string, result: unknown][] = [
  ['exit', { datagrams: 1 }],
  ['idle', {}],
  ['gc', { datagrams: 5 }],
  ['refused', { results: [true, true, true], idle: 0, heard: true, error: true }],
  ['throwing', { seen: ['thrown 1', 'thrown 2', 'thrown 3'], datagrams: [3, 3] }],
  ['closeInside', { first: 1, others: true }],
  ['afterClose', { same: true, watched: 'EEXIST', heard: true }],
  ['events', { seen: [2, 1, 3], wrong: ['RangeError', 'RangeError', 'RangeError', 'TypeError'] }],
];

test.concurrent.each([
  ...always,
  ['reuse', { received: 1000, same: true }] as const,
  ['numbers', { results: [true, true, true, true, true, true], others: true }] as const,
  ['adopt', { results: ['EEXIST', 'EEXIST'], both: true, taken: ['EEXIST', true], hears: true, free: 0 }] as const,
  ['set', { counts: [0, 1, true, 0, 0, 1, true, 0] }] as const,
  ['copies', { heard: 16, during: 16, after: 0, warnings: [], listeners: 1 }] as const,
  ['badDescriptors', badDescriptors('EPERM', 'EEXIST')] as const,
])('%s', async (name, result) => {
  expectResult(await scenario(name), result);
});

test.concurrent.each([
  ...always,
  ['reuse', { received: 1000, same: true }] as const,
  ['numbers', { results: [true, true, true, true, true, true], others: true }] as const,
  // the set does not know that another handle of libuv's waits for one of our own descriptors
  ['badDescriptors', badDescriptors('EPERM', 'no error')] as const,
])('%s, beside many sockets', async (name, result) => {
  expectResult(await scenario(name, undefined, { RECVFROMTO_CROWDED: '1' }), result);
});

test.concurrent.each([
  ...always,
  ['badDescriptors', badDescriptors('EPERM', 'EEXIST')] as const,
])("%s, all of koffi's callbacks taken", async (name, result) => {
  expectResult(await scenario(name, 'no-callbacks'), result);
});

test.concurrent.each([
  ...always,
  ['badDescriptors', badDescriptors('ENOTSOCK')] as const,
])('%s, libuv hidden', async (name, result) => {
  expectResult(await scenario(name, 'no-symbols'), result);
});

test.concurrent('thousands of sockets: opening the last costs what opening the first did', async () => {
  const outcome = await scenario('many');
  expectResult({ ...outcome, stdout: '{}' }, {});
  const { heard, ratio } = JSON.parse(outcome.stdout);
  expect(heard).toBe(true);
  // a walk over all handles for each would be above 10
  expect(ratio).toBeLessThan(4);
});
