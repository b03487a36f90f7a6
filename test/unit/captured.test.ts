/** What is taken of Node's queues when they are not Node's own any more. */
import timers from 'node:timers';
import type * as Captured from '../../src/captured';

const own = timers.setImmediate;
const { nextTick } = process;
afterEach(() => {
  timers.setImmediate = own;
  process.nextTick = nextTick;
});

function captured(): typeof Captured {
  let module: typeof Captured | undefined;
  jest.isolateModules(() => {
    module = require('../../src/captured');
  });
  return module as typeof Captured;
}

test('what a tracer has wrapped is taken as it is', () => {
  const traced = Object.assign((callback: () => void) => own(callback), own);
  timers.setImmediate = traced as typeof own;
  expect(captured().setImmediate).toBe(traced);
});

test.each([
  ["sinon's", Object.assign(() => {}, { clock: {} })],
  ["Jest's old ones", jest.fn()],
  ["node:test's", Object.defineProperty(() => {}, 'name', { value: 'bound #setImmediate' })],
])('fakes are not: %s', async (_, fake) => {
  timers.setImmediate = fake as never;
  process.nextTick = Object.assign(() => {}, { clock: {} }) as never;
  const { setImmediate } = captured();
  await new Promise<void>((called) => setImmediate(called).unref());
});
