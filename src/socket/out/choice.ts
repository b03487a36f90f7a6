/** What send(msg, options) asks for beside a destination: from where, through which interface, how, and when. Checked. */

import type { Endpoint } from '../../datagram/endpoint';
import type { Engine } from '../../datagram/engine';
import type { Extras } from '../../datagram/envelopes';
import { isHeard } from '../../datagram/remote-info';
import { invalidAddress, invalidArgValue, outOfRange, unsupportedOption } from '../../errors';
import type { SendOptions } from '../../types';
import { checkInteger, LARGEST_DATAGRAM } from '../options';

export interface Choice {
  /** Bytes of each datagram that the message is to be cut into, 0 for one. */
  readonly segment: number;
  readonly source: Endpoint | undefined;
  readonly extras: Extras | undefined;
}

export const NOTHING: Choice = { source: undefined, extras: undefined, segment: 0 };

/**
 * @throws ERR_INVALID_IP_ADDRESS, ERR_INVALID_ARG_VALUE, ERR_OUT_OF_RANGE, ERR_INVALID_ARG_TYPE;
 * ERR_RECVFROMTO_UNSUPPORTED_OPTION for what this OS cannot, where leaving it out would change what is meant
 */
export function choice(engine: Engine, family: 4 | 6, options: SendOptions | undefined): Choice {
  if (options === undefined) return NOTHING;
  const { localAddress, interface: via, txTime, segmentSize } = options;
  // In a rinfo these say how the request came (recvTTL, recvTOS, recvMark): what is left of its TTL may not reach the peer.
  const { ttl, tos, mark }: SendOptions = isHeard(options) ? {} : options;
  const source = localAddress === undefined ? undefined : sourceOf(engine, family, localAddress);
  const segment = segmentSize === undefined ? 0 : checkInteger('options.segmentSize', segmentSize, 1, LARGEST_DATAGRAM);
  if (via === undefined && ttl === undefined && tos === undefined && mark === undefined && txTime === undefined) {
    return source === undefined && segment === 0 ? NOTHING : { source, extras: undefined, segment };
  }
  const { settings } = engine.host.platform;
  const extras: Extras = {
    ifindex: via === undefined ? 0 : indexOf(engine, via),
    ttl: ttl === undefined ? -1 : checkInteger('options.ttl', ttl, 1, 255),
    tos: tos === undefined ? -1 : checkInteger('options.tos', tos, 0, 255),
    mark: mark === undefined ? undefined : checkInteger('options.mark', mark, 0, 0xffff_ffff),
    txTime: txTime === undefined ? undefined : time(txTime),
  };
  if (mark !== undefined && 'because' in settings.mark) throw unsupportedOption('mark', settings.mark.because);
  if (txTime !== undefined && 'because' in settings.txTime) throw unsupportedOption('txTime', settings.txTime.because);
  return { source, extras, segment };
}

/** ns as a bigint. */
function time(value: unknown): bigint {
  if (typeof value === 'bigint' && value >= 0n && value < 2n ** 64n) return value;
  if (typeof value !== 'bigint') return BigInt(checkInteger('options.txTime', value, 0, Number.MAX_SAFE_INTEGER));
  throw outOfRange('options.txTime', '>= 0 && < 2n ** 64n', value);
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
