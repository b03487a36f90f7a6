/**
 * What we need of Node's clocks and queues, taken once when this is loaded: fake timers (node:test, sinon, jest, vitest)
 * replace them later, and sockets must go on. Imports nothing of ours.
 */
import { performance } from 'node:perf_hooks';
import * as timers from 'node:timers';

export const { setImmediate, setInterval, setTimeout, clearInterval, clearTimeout } = timers;
export const nextTick: typeof process.nextTick = process.nextTick.bind(process);
/** ms since the epoch. */
export const wallClock: () => number = Date.now;
/** ms */
export const now: () => number = performance.now.bind(performance);
