/** What send(msg, options) asks for beside a destination: from where, through which interface, TTL and TOS. Checked. */

import type { Endpoint } from '../../datagram/endpoint';
import type { Engine } from '../../datagram/engine';
import type { Extras } from '../../datagram/envelopes';
import { invalidAddress, invalidArgValue } from '../../errors';
import type { SendOptions } from '../../types';
import { checkInteger } from '../options';

export interface Choice {
  readonly source: Endpoint | undefined;
  readonly extras: Extras | undefined;
}

export const NOTHING: Choice = { source: undefined, extras: undefined };

/** @throws ERR_INVALID_IP_ADDRESS, ERR_INVALID_ARG_VALUE, ERR_OUT_OF_RANGE, ERR_INVALID_ARG_TYPE */
export function choice(engine: Engine, family: 4 | 6, options: SendOptions | undefined): Choice {
  if (options === undefined) return NOTHING;
  const { localAddress, interface: via, ttl, tos } = options;
  const source = localAddress === undefined ? undefined : sourceOf(engine, family, localAddress);
  if (via === undefined && ttl === undefined && tos === undefined) {
    return source === undefined ? NOTHING : { source, extras: undefined };
  }
  const extras = {
    ifindex: via === undefined ? 0 : indexOf(engine, via),
    ttl: ttl === undefined ? -1 : checkInteger('options.ttl', ttl, 1, 255),
    tos: tos === undefined ? -1 : checkInteger('options.tos', tos, 0, 255),
  };
  return { source, extras };
}

function sourceOf({ names }: Engine, family: 4 | 6, localAddress: unknown): Endpoint {
  const source = typeof localAddress === 'string' ? names.endpoint(localAddress) : undefined;
  if (source === undefined) throw invalidAddress(localAddress);
  // An IPv6 socket names all its addresses with 16 bytes.
  return family === 6 && source.family === 4 ? names.endpointMapped(source.word0) : source;
}

function indexOf({ names }: Engine, via: string | number): number {
  const known = typeof via === 'string' ? names.interfaces.indexOf(via) : via;
  if (Number.isInteger(known) && known > 0 && known <= 0x7fffffff) return known;
  throw invalidArgValue('options.interface', via, 'is not the name or the index of an interface');
}
