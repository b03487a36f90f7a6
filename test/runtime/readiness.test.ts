/** Readiness where it may crash the process or go deaf: every scenario in a process of its own. */
import { compile, type Outcome, run } from './child';

const compiled = compile();
afterAll(() => compiled.remove());

/** It ended by itself, without a crash, and said this. */
function expectResult(outcome: Outcome, result: unknown): void {
  expect({ ...outcome, stdout: '' }).toEqual({ code: 0, signal: null, stdout: '', stderr: '' });
  expect(JSON.parse(outcome.stdout)).toEqual(result);
}
const FLAGS = ['--expose-gc', '--no-warnings'];
const scenario = (name: string) => run(compiled.folder, 'scenario.cjs', [name], FLAGS);

const scenarios: [name: string, result: unknown][] = [
  ['exit', { datagrams: 1 }],
  ['idle', {}],
  ['gc', { datagrams: 5 }],
  ['refused', { results: [true, true, true], idle: 0, heard: true, error: true }],
  ['throwing', { seen: ['thrown 1', 'thrown 2', 'thrown 3'], datagrams: [3, 3] }],
  ['closeInside', { first: 1, others: true }],
  ['reuse', { received: 1000, same: true }],
  ['afterClose', {}],
  [
    'badDescriptors',
    {
      codes: ['EBADF', 'EBADF', 'EPERM', 'EEXIST', 'EEXIST'],
      types: ['RangeError', 'TypeError', 'TypeError', 'TypeError', 'TypeError', 'TypeError', 'TypeError'],
      heard: true,
      repeated: 1,
    },
  ],
  ['events', { seen: [2, 1, 3], wrong: ['RangeError', 'RangeError', 'RangeError', 'TypeError'] }],
  ['copies', { heard: 16, during: 16, after: 0, warnings: [], listeners: 1 }],
];

test.concurrent.each(scenarios)('%s', async (name, result) => {
  expectResult(await scenario(name), result);
});

test.concurrent('thousands of sockets: opening the last costs what opening the first did', async () => {
  const outcome = await scenario('many');
  expectResult({ ...outcome, stdout: '{}' }, {});
  const { heard, ratio } = JSON.parse(outcome.stdout);
  expect(heard).toBe(true);
  // a walk over all handles for each would be above 10
  expect(ratio).toBeLessThan(4);
});
