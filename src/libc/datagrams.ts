/** recvfromto and sendfromto: the pair that C never had, made of one recvmsg or sendmsg and its control messages. */
import { newArrived, readControl, writeHeader } from '../datagram/control';
import type { Endpoint } from '../datagram/endpoint';
import { failure } from '../datagram/failure';
import { SOCKADDR_SPACE } from '../datagram/sockaddr';
import { invalidArgType, invalidMessage, sourceMismatch, unsupportedPlatform } from '../errors';
import { type Host, READABLE, WRITABLE } from '../ffi';
import type { Arrived, Departure } from '../platform/platform';
import { type Encoded, wordsOf } from './addresses';
import { checkFd, checkInteger, checkObject, checkOptions, checkView, INT_MAX } from './check';
import type { Descriptors } from './descriptors';
import { block, Message } from './message';
import { isStruct } from './struct';
import type { Destination, ReceivedFromTo, RecvOptions, SendFromToOptions } from './types';
import type { Waiter } from './wait';

/** The largest datagram of IPv4 and, without jumbograms, of IPv6. */
const LARGEST_DATAGRAM = 65535;
/** Bytes. Destination, TTL, TOS, time, drops and what else somebody may have asked for. */
const CONTROL_SPACE = 1024;

export class Datagrams {
  readonly #host: Host;
  readonly #descriptors: Descriptors;
  readonly #waiter: Waiter;
  readonly #name = block(SOCKADDR_SPACE);
  readonly #control = block(CONTROL_SPACE);
  readonly #arrived = newArrived();
  /** No code of a user's runs while it is in use. */
  readonly #message: Message;
  #payload = block(0);

  constructor(host: Host, descriptors: Descriptors, waiter: Waiter) {
    this.#host = host;
    this.#descriptors = descriptors;
    this.#waiter = waiter;
    this.#message = new Message(host);
  }

  recvfromto(fd: number, options?: RecvOptions): ReceivedFromTo | undefined {
    const { platform, syscalls } = this.#host;
    checkFd(fd);
    const { timeout, length, flags } = recvOptions(options, platform.constants.MSG_PEEK);
    const { MSG_DONTWAIT, MSG_TRUNC } = platform.constants;
    if (this.#payload.length < length) this.#payload = block(length);
    const payload = this.#payload.subarray(0, length);
    const message = this.#message;
    const result = this.#waiter.until(fd, READABLE, timeout, 'recvfromto', () => {
      message.fill({ name: this.#name, iov: [payload], control: this.#control });
      return syscalls.recvmmsg(fd, message.bytes, 1, flags | MSG_DONTWAIT);
    });
    if (result === -platform.errno.EAGAIN) return undefined;
    if (result < 0) throw failure(platform, result, 'recvfromto');
    const size = Math.min(message.length, length);
    const { addresses } = this.#descriptors;
    const from = addresses.decode(this.#name, message.namelen);
    const arrived = this.#read(message);
    return {
      msg: Buffer.from(payload.subarray(0, size)),
      from,
      ...this.#arrival(fd, arrived),
      ...((message.flags & MSG_TRUNC) !== 0 && { truncated: true }),
      ...extras(arrived),
    };
  }

  /** Nothing, where the control messages are not all there. */
  #read(message: Message): Arrived {
    const { cmsg, arrivals, constants } = this.#host.platform;
    const cut = (message.flags & constants.MSG_CTRUNC) !== 0;
    const control = { bytes: this.#control, words: wordsOf(this.#control) };
    readControl(cmsg, arrivals, control, 0, cut ? 0 : message.controllen, this.#arrived);
    return this.#arrived;
  }

  #arrival(fd: number, arrived: Arrived): Pick<ReceivedFromTo, 'to' | 'ifindex' | 'interface'> {
    const { addresses } = this.#descriptors;
    const local = addresses.local(fd);
    if (typeof local === 'number') return { to: undefined, ifindex: 0, interface: undefined };
    const { destination, localAddress } = addresses.arrival(arrived, local);
    if (destination === undefined) return { to: undefined, ifindex: arrived.ifindex, interface: undefined };
    const { address, family, port } = destination;
    const to: Destination = { address, family, port, localAddress };
    return { to, ifindex: destination.ifindex, interface: destination.interface };
  }

  sendfromto(fd: number, msg: unknown, options?: SendFromToOptions): number {
    const { syscalls, platform } = this.#host;
    const { addresses } = this.#descriptors;
    checkFd(fd);
    const iov = payloadOf(msg);
    const { to, from, interface: link, dontwait } = checkOptions('options', options);
    const name = to === undefined ? undefined : addresses.encode('options.to', to);
    const source = this.#sourceOf(from);
    const ifindex = link === undefined ? 0 : addresses.ifindex(link);
    const control = this.#departure(fd, name, source, ifindex);
    const message = this.#message;
    const timeout = flag('options.dontwait', dontwait) ? 0 : undefined;
    const result = this.#waiter.until(fd, WRITABLE, timeout, 'sendfromto', () => {
      message.fill({ name: name?.bytes, iov, control });
      return syscalls.sendmmsg(fd, message.bytes, 0, 1, platform.constants.MSG_DONTWAIT);
    });
    if (result < 0) throw this.#sendError(result, name, source);
    return message.length;
  }

  /**
   * Of recvfromto()'s `to` the address that answers, which for a group or a broadcast address is another one or none;
   * of any other object its address.
   */
  #sourceOf(from: unknown): Endpoint | undefined {
    if (from === undefined) return undefined;
    const given = checkObject('options.from', from);
    const { addresses } = this.#descriptors;
    if (!('localAddress' in given)) return addresses.endpoint('options.from.address', given.address);
    const { localAddress } = given;
    return localAddress === undefined ? undefined : addresses.endpoint('options.from.localAddress', localAddress);
  }

  /** The control message that chooses source and interface; undefined for none. */
  #departure(fd: number, name: Encoded | undefined, source: Endpoint | undefined, ifindex: number): Buffer | undefined {
    if (source === undefined && ifindex === 0) return undefined;
    const to = name?.end ?? this.#peer(fd, name);
    if (source !== undefined) this.#descriptors.addresses.checkSource(source, to);
    if (source !== undefined && this.#isBoundTo(fd, source)) return undefined;
    const { departures, name: os } = this.#host.platform;
    const departure = departures[to.family === 4 ? 'udp4' : to.mapped ? 'mapped' : 'udp6'];
    if (departure === undefined) throw unsupportedPlatform(`${os} cannot choose a source for ${to.text}`);
    const chosen = ifindex !== 0 && (source === undefined ? !departure.ifindexAlone : !departure.carriesIfindex);
    if (chosen) throw unsupportedPlatform(`${os} cannot choose the interface of one datagram to ${to.text} so`);
    return this.#write(departure, to, source, ifindex);
  }

  /** Whom a datagram without a name, or to a sockaddr struct, goes to. */
  #peer(fd: number, name: Encoded | undefined): Endpoint {
    const { addresses } = this.#descriptors;
    const peer = name?.place ?? addresses.peer(fd);
    if (typeof peer === 'number') throw failure(this.#host.platform, peer, 'sendfromto');
    return addresses.endpoint('options.to', peer.address);
  }

  /**
   * Some systems refuse a source on a socket that has one, or silently take that away (P4, P5).
   * @throws ERR_RECVFROMTO_SOURCE_MISMATCH where it has another one
   */
  #isBoundTo(fd: number, source: Endpoint): boolean {
    if (!this.#host.platform.quirks.sourceOnlyFromWildcard) return false;
    const { addresses } = this.#descriptors;
    const local = addresses.local(fd);
    if (typeof local === 'number') return false;
    const bound = addresses.endpoint('name', local.address);
    if (bound.unspecified) return false;
    if (bound.text === source.text) return true;
    throw sourceMismatch(source.text, bound.text, 'the socket is bound or connected, and has this source alone');
  }

  #write(departure: Departure, to: Endpoint, source: Endpoint | undefined, ifindex: number): Buffer {
    const { cmsg, constants } = this.#host.platform;
    const ipv4 = departure.level === constants.IPPROTO_IP && source !== undefined ? source.ipv4Word : undefined;
    const words = [source?.word0, source?.word1, source?.word2, source?.word3].map((word) => word ?? 0);
    const [word0, word1, word2, word3] = ipv4 === undefined ? words : [ipv4, 0, 0, 0];
    const link = ifindex || (source?.linkLocal && source.scope) || (to.linkLocal && to.scope) || 0;
    const bytes = block(cmsg.data + ((departure.size + cmsg.align - 1) & -cmsg.align));
    const control = { bytes, words: wordsOf(bytes) };
    const at = writeHeader(cmsg, control, 0, departure);
    departure.write(control, at, { word0, word1, word2, word3, ifindex: departure.carriesIfindex ? link : 0 });
    return bytes;
  }

  #sendError(result: number, name: Encoded | undefined, source: Endpoint | undefined): Error {
    const { platform } = this.#host;
    const localAddress = source?.text;
    const place = name === undefined && source === undefined ? undefined : { ...name?.place, localAddress };
    const error = failure(platform, result, 'sendfromto', place);
    // Each OS says in its own way that the source is no address of this host (P7); some say the same of other things.
    const suspect = source !== undefined && platform.quirks.sourceGone.includes(error.code);
    if (!suspect || error.code === 'EADDRNOTAVAIL') return error;
    const { names } = this.#descriptors.addresses;
    return names.isOurs(source) ? error : failure(platform, -platform.errno.EADDRNOTAVAIL, 'sendfromto', place);
  }
}

function flag(name: string, value: unknown): boolean {
  if (value === undefined) return false;
  if (typeof value !== 'boolean') throw invalidArgType(name, 'of type boolean', value);
  return value;
}

function recvOptions(options: unknown, MSG_PEEK: number | undefined) {
  const { timeout, dontwait, length, peek } = checkOptions('options', options);
  const ms = timeout === undefined ? undefined : checkInteger('options.timeout', timeout, 0, INT_MAX);
  return {
    timeout: flag('options.dontwait', dontwait) ? 0 : ms,
    length: length === undefined ? LARGEST_DATAGRAM : checkInteger('options.length', length, 1, LARGEST_DATAGRAM),
    flags: flag('options.peek', peek) ? (MSG_PEEK ?? 0) : 0,
  };
}

/** The bytes themselves, not copies; each must stay where it is until the call has returned, which nobody can prevent. */
function payloadOf(msg: unknown): Buffer[] {
  const parts: unknown[] = Array.isArray(msg) ? Array.from(msg) : [msg];
  return parts.map((part) => {
    if (typeof part === 'string') return Buffer.from(part);
    if (isStruct(part)) return part.buffer;
    if (!ArrayBuffer.isView(part)) throw invalidMessage('msg', part);
    return checkView('msg', part);
  });
}

function extras({ ttl, tos, drops, seconds, nanoseconds }: Arrived) {
  return {
    ...(ttl >= 0 && { ttl }),
    ...(tos >= 0 && { tos }),
    ...(seconds >= 0 && { timestamp: BigInt(seconds) * 1_000_000_000n + BigInt(nanoseconds) }),
    ...(drops >= 0 && { drops }),
  };
}
