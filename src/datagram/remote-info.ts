/**
 * The rinfo that listeners get: a plain object with dgram's four fields and ours. What the kernel said stands with it
 * where no program sees it (private fields: not in Object.keys, JSON, deepStrictEqual, spread or util.inspect), so that
 * reply() need not parse text, however late it comes.
 */
import type { RemoteInfo, ReplyTo } from '../types';
import type { Endpoint } from './endpoint';
import type { Arrival } from './names';

/** A base constructor that returns an object: the derived class puts its private fields on that one. */
class Plain {
  constructor(remote: Endpoint, port: number, size: number, arrival: Arrival, hidden: boolean) {
    const family = remote.family === 4 ? 'IPv4' : 'IPv6';
    const { destination, localAddress } = arrival;
    // biome-ignore lint/correctness/noConstructorReturn: this is what the class is for
    return hidden
      ? withHidden(new DgramInfo(remote.text, family, port, size), destination, localAddress)
      : { address: remote.text, family, port, size, destination, localAddress };
  }
}

class Heard extends Plain {
  readonly #remote: Endpoint;
  readonly #arrival: Arrival;

  constructor(remote: Endpoint, port: number, size: number, arrival: Arrival, hidden: boolean) {
    super(remote, port, size, arrival, hidden);
    this.#remote = remote;
    this.#arrival = arrival;
  }

  /** Is it a rinfo that a listener got from us? */
  static isHeard(value: object): boolean {
    return #remote in value;
  }

  /** The sender, if this is a rinfo of ours whose address nobody has changed. */
  static remoteOf(rinfo: ReplyTo): Endpoint | undefined {
    return #remote in rinfo && rinfo.address === rinfo.#remote.text ? rinfo.#remote : undefined;
  }

  /** Where it arrived, if this is a rinfo of ours in which nobody has changed that. */
  static arrivalOf(rinfo: ReplyTo): Arrival | undefined {
    if (!(#arrival in rinfo) || rinfo.localAddress !== rinfo.#arrival.localAddress) return undefined;
    return rinfo.destination === rinfo.#arrival.destination ? rinfo.#arrival : undefined;
  }

  /** Would {@link remoteOf} and {@link arrivalOf} be these two? */
  static saysSame(rinfo: ReplyTo, remote: Endpoint, arrival: Arrival): boolean {
    if (!(#remote in rinfo) || rinfo.#remote !== remote || rinfo.#arrival !== arrival) return false;
    if (rinfo.address !== remote.text || rinfo.localAddress !== arrival.localAddress) return false;
    return rinfo.destination === arrival.destination;
  }

  /** One more of a run: as `rinfo`, which is as we made it, but for its size. */
  static copy(rinfo: RemoteInfo, size: number, hidden: boolean): RemoteInfo {
    if (!(#remote in rinfo)) throw new Error('unreachable: every rinfo is made here');
    const copy = new HeardInfo(rinfo.#remote, rinfo.port, size, rinfo.#arrival, hidden);
    return Object.assign(copy, rinfo, { size });
  }
}

export const { isHeard, remoteOf, arrivalOf, saysSame, copy } = Heard;

/**
 * A rinfo.
 * @param hidden are our two fields left out of what programs enumerate? They know dgram's four alone, and compare or
 * serialise them
 */
export const HeardInfo = Heard as unknown as new (...args: ConstructorParameters<typeof Heard>) => RemoteInfo;

/** What a literal of these fields makes, but with room inside for the fields that follow: V8 learns how much from the first. */
function Dgram(this: RemoteInfo, address: string, family: 'IPv4' | 'IPv6', port: number, size: number): void {
  this.address = address;
  this.family = family;
  this.port = port;
  this.size = size;
}
Dgram.prototype = Object.prototype;
const DgramInfo = Dgram as unknown as new (...args: Parameters<typeof Dgram>) => RemoteInfo;

const descriptor = { value: undefined as unknown, writable: true, enumerable: false, configurable: true };

function withHidden(
  rinfo: RemoteInfo,
  destination: RemoteInfo['destination'],
  localAddress: RemoteInfo['localAddress'],
): RemoteInfo {
  descriptor.value = destination;
  Object.defineProperty(rinfo, 'destination', descriptor);
  descriptor.value = localAddress;
  Object.defineProperty(rinfo, 'localAddress', descriptor);
  descriptor.value = undefined;
  return rinfo;
}
