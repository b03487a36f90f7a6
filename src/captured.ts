/**
 * What we need of Node's clocks and queues, taken once when this is loaded: fake timers (node:test, sinon, jest, vitest)
 * replace them later, and sockets must go on. Imports nothing of ours.
 */
import * as timers from 'node:timers';

export const { setImmediate, setInterval, setTimeout, clearInterval, clearTimeout } = timers;
export const nextTick: typeof process.nextTick = process.nextTick.bind(process);
/** ms since the epoch. */
export const wallClock: () => number = Date.now;

const { hrtime } = process;
const [origin] = hrtime();

/** ms since this was loaded, or somewhat more. Of the clock that performance.now() reads, which takes 1 ms to load. */
export function now(): number {
  const time = hrtime();
  return (time[0] - origin) * 1e3 + time[1] / 1e6;
}
