/**
 * What we need of Node's clocks and queues, taken once when this is loaded: fake timers (node:test, sinon, jest, vitest)
 * replace them later, and sockets must go on. Where they have done so before, what can be had is taken. Imports nothing of ours.
 */
import * as timers from 'node:timers';

export const { setInterval, setTimeout, clearInterval, clearTimeout } = timers;

const { bun, deno } = process.versions as Record<string, string | undefined>;

/** Fakes are written in other words. */
const isFake = (name: string, found: unknown): boolean =>
  bun === undefined && deno === undefined && !String(found).startsWith(`function ${name}(callback`);

export const nextTick: typeof process.nextTick = isFake('nextTick', process.nextTick)
  ? outside()
  : process.nextTick.bind(process);

/** Jest fakes what the files of a test see; Node's own modules, and the context around, have the real one. */
function outside(): typeof process.nextTick {
  const vm = require('node:vm') as typeof import('node:vm');
  const real = vm.runInThisContext('process') as typeof process;
  return real.nextTick.bind(real);
}

export const setImmediate = isFake('setImmediate', timers.setImmediate) ? (onATick as never) : timers.setImmediate;

/** Nobody has Node's own any more. A tick comes sooner, and is not faked by all who fake this. */
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
