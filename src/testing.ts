/** Public names of recvfromto/testing, nothing else: a network in memory. Nothing leaves the process, koffi is not loaded. */
import { Network } from './testing/network';
import type { NetworkOptions } from './testing/types';

export type { Server } from './socket/server';
export type { Socket } from './socket/socket';
export type { NetworkHost } from './testing/host';
export type { Network } from './testing/network';
export type * from './testing/types';

/**
 * Makes a network in memory. Its hosts have `createSocket()` and `createServer()` as the package has them, and Linux's
 * behaviour on whatever system the tests run.
 * @throws ERR_INVALID_ARG_TYPE, ERR_INVALID_ARG_VALUE, ERR_OUT_OF_RANGE
 */
export function createNetwork<Name extends string>(options: NetworkOptions<Name>): Network<Name> {
  return new Network(options);
}
