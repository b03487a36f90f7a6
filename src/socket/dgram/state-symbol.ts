/**
 * The symbol by which dgram keeps its sockets' state. Node's own modules and tests have it from lib/internal/dgram.js, programs
 * find it on a socket by its description; ours keep their state by the same one.
 */
import { DgramSocket } from './node-line';

/** Asks dgram's ref() what it looks at: no socket has to be made for that. */
function seen(): symbol | undefined {
  let symbol: symbol | undefined;
  const get = (_target: object, key: string | symbol) => {
    if (typeof key === 'symbol' && key.description === 'state symbol') symbol = key;
    return {};
  };
  try {
    DgramSocket.prototype.ref.call(new Proxy({}, { get }) as never);
  } catch {
    // whatever it wanted besides
  }
  return symbol;
}

export const kState: unique symbol = (seen() ?? Symbol('state symbol')) as never;
