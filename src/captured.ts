/**
 * What we need of Node's clocks and queues, taken once when this is loaded: fake timers (node:test, sinon, jest, vitest)
 * replace them later, and sockets must go on. Where they have done so before, what can be had is taken. Imports nothing of ours.
 */
import * as timers from 'node:timers';

export const { setInterval, setTimeout, clearInterval, clearTimeout } = timers;

/**
 * Sinon's (Jest and vitest have these) know their clock, Jest's older ones are mocks, node:test's are bound to a private method.
 * Whoever wraps a function to trace what goes through it fakes nothing.
 */
const isFake = (found: { readonly name: string }): boolean =>
  'clock' in found || '_isMockFunction' in found || found.name.startsWith('bound #');

export const nextTick: typeof process.nextTick = isFake(process.nextTick) ? outside() : process.nextTick.bind(process);

/** Jest fakes what the files of a test see; Node's own modules, and the context around, have the real one. */
function outside(): typeof process.nextTick {
  const vm = require('node:vm') as typeof import('node:vm');
  const real = vm.runInThisContext('process') as typeof process;
  return real.nextTick.bind(real);
}

export const setImmediate = isFake(timers.setImmediate) ? (onATick as never) : timers.setImmediate;

/**
 * Nobody has Node's own any more. A tick is not faked by all who fake this; the event loop has no turn before it comes, which will
 * do for a test.
 */
function onATick(callback: (...args: unknown[]) => void, ...args: unknown[]): Pick<NodeJS.Immediate, 'unref'> {
  nextTick(callback, ...args);
  const immediate = { unref: () => immediate as NodeJS.Immediate };
  return immediate;
}

/** ms since the epoch. */
export const wallClock: () => number = Date.now;

/**
 * performance.now(): ms, on a clock that goes steadily. Asked for when somebody needs it, because node:perf_hooks takes 1 ms to
 * load; fakes leave the prototype alone.
 */
export function steadyClock(): () => number {
  if (steady === undefined) {
    const { performance } = require('node:perf_hooks') as typeof import('node:perf_hooks');
    const { now = performance.now } = Object.getPrototypeOf(performance) as typeof performance; // Bun's has none
    steady = now.bind(performance);
  }
  return steady;
}

let steady: (() => number) | undefined;
