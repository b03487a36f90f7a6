/**
 * The rinfo that listeners get: a plain object with dgram's four fields and ours. What the kernel said stands with it
 * where no program sees it (private fields: not in Object.keys, JSON, deepStrictEqual, spread or util.inspect), so that
 * reply() need not parse text, however late it comes.
 */
import type { RemoteInfo, ReplyTo } from '../types';
import type { Endpoint } from './endpoint';
import type { Arrival } from './names';

/** Returning an object from a base constructor puts the private fields of the derived class on that object. */
class Given {
  constructor(rinfo: RemoteInfo) {
    // biome-ignore lint/correctness/noConstructorReturn: this is what the class is for
    return rinfo;
  }
}

class Heard extends Given {
  readonly #remote: Endpoint;
  readonly #arrival: Arrival;

  constructor(rinfo: RemoteInfo, remote: Endpoint, arrival: Arrival) {
    super(rinfo);
    this.#remote = remote;
    this.#arrival = arrival;
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

  /** Says of `copy` what is known of `rinfo`. */
  static copy(rinfo: RemoteInfo, copy: RemoteInfo): void {
    if (#remote in rinfo) new Heard(copy, rinfo.#remote, rinfo.#arrival);
  }
}

export const { remoteOf, arrivalOf } = Heard;

export function remoteInfo(remote: Endpoint, port: number, size: number, arrival: Arrival): RemoteInfo {
  const rinfo: RemoteInfo = {
    address: remote.text,
    family: remote.family === 4 ? 'IPv4' : 'IPv6',
    port,
    size,
    destination: arrival.destination,
    localAddress: arrival.localAddress,
  };
  new Heard(rinfo, remote, arrival);
  return rinfo;
}

/** What a literal of these fields makes, but with room inside for the fields that follow: V8 learns how much from the first. */
function Plain(this: RemoteInfo, address: string, family: 'IPv4' | 'IPv6', port: number, size: number): void {
  this.address = address;
  this.family = family;
  this.port = port;
  this.size = size;
}
Plain.prototype = Object.prototype;
const PlainInfo = Plain as unknown as new (...args: Parameters<typeof Plain>) => RemoteInfo;

const hidden = { value: undefined as unknown, writable: true, enumerable: false, configurable: true };

/** The same for programs that know dgram's four fields alone, and compare or serialise them: ours are not enumerable. */
export function dgramRemoteInfo(remote: Endpoint, port: number, size: number, arrival: Arrival): RemoteInfo {
  const rinfo = new PlainInfo(remote.text, remote.family === 4 ? 'IPv4' : 'IPv6', port, size);
  hidden.value = arrival.destination;
  Object.defineProperty(rinfo, 'destination', hidden);
  hidden.value = arrival.localAddress;
  Object.defineProperty(rinfo, 'localAddress', hidden);
  hidden.value = undefined;
  new Heard(rinfo, remote, arrival);
  return rinfo;
}

/** A copy for another datagram of the same run. */
export function copyOf(rinfo: RemoteInfo): RemoteInfo {
  // Several times as fast as by descriptors, which only those need of which something is not enumerable.
  const copy = Object.prototype.propertyIsEnumerable.call(rinfo, 'destination')
    ? { ...rinfo }
    : (Object.defineProperties({}, Object.getOwnPropertyDescriptors(rinfo)) as RemoteInfo);
  Heard.copy(rinfo, copy);
  return copy;
}
