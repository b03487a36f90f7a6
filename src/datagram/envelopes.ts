/**
 * What stands around the payload of each message of a send ring: the peer's name, and the control messages that choose
 * source, interface, TTL, TOS and segment size. Bytes in the ring's own memory; called by SendRing alone.
 */
import type { Departure, IntDeparture, Platform, Source } from '../platform/platform';
import { CMSG_SPACE, writeHeader } from './control';
import type { Endpoint } from './endpoint';
import type { Ring } from './ring';
import { SOCKADDR_SPACE, type Sockaddrs } from './sockaddr';

/** Source, TTL, TOS, mark, time and segment size: 40 + 5 × 24 bytes at most. */
export const SEND_CONTROL_SPACE = 192;

/** What most datagrams do without. */
export interface Extras {
  /** Interface to leave through, 0 for none. */
  readonly ifindex: number;
  /** -1 for the socket's own. */
  readonly ttl: number;
  readonly tos: number;
  /** The firewall's mark; undefined for the socket's own. */
  readonly mark?: number | undefined;
  /** When it is to leave, in ns on the monotonic clock; undefined for at once. */
  readonly txTime?: bigint | undefined;
}

export class Envelopes {
  readonly #platform: Platform;
  readonly #sockaddrs: Sockaddrs;
  readonly #ring: Ring;
  readonly #source: { -readonly [K in keyof Source]: Source[K] } = {
    word0: 0,
    word1: 0,
    word2: 0,
    word3: 0,
    ifindex: 0,
  };
  /** Slots whose control and name pointers stand, respectively, at NULL. */
  readonly #withoutControl: Uint8Array;
  readonly #withoutName: Uint8Array;

  constructor(platform: Platform, sockaddrs: Sockaddrs, ring: Ring) {
    this.#platform = platform;
    this.#sockaddrs = sockaddrs;
    this.#ring = ring;
    this.#withoutControl = new Uint8Array(ring.slots);
    this.#withoutName = new Uint8Array(ring.slots);
  }

  /** Who it goes to. @param port 0 on a connected socket: nobody is named then */
  writeName(slot: number, remote: Endpoint, port: number): void {
    const ring = this.#ring;
    const namelen = (slot * ring.layout.size + ring.layout.namelen) >>> 2;
    if (port === 0) {
      if (this.#withoutName[slot] === 0) ring.pointAtNoName(slot);
      this.#withoutName[slot] = 1;
      ring.messageWords[namelen] = 0;
      return;
    }
    if (this.#withoutName[slot] === 1) ring.pointAtName(slot);
    this.#withoutName[slot] = 0;
    ring.messageWords[namelen] = this.#sockaddrs.write(ring.names, ring.nameWords, slot * SOCKADDR_SPACE, remote, port);
  }

  /** How it goes there. Also after {@link writeSegment}, which adds to it and is gone then. */
  writeControl(slot: number, remote: Endpoint, source: Endpoint | undefined, extras: Extras | undefined): void {
    const start = slot * this.#ring.controlSpace;
    let at = start;
    const ifindex = extras === undefined ? 0 : extras.ifindex;
    if (source !== undefined || ifindex !== 0) at = this.#writeSource(at, remote, source, ifindex);
    if (extras !== undefined) at = this.#writeExtras(at, remote, extras);
    this.#resizeControl(slot, at - start);
  }

  /** Adds the size to cut at, behind whatever control messages there are. @param size bytes of each datagram of the run */
  writeSegment(slot: number, size: number): void {
    const { segment, cmsg } = this.#platform;
    if (segment === undefined) throw new Error('unreachable: no runs without segmentation');
    const { control, controlSpace, layout, messageWords } = this.#ring;
    const length = messageWords[(slot * layout.size + layout.controllen) >>> 2];
    const payload = writeHeader(cmsg, control, slot * controlSpace + length, segment);
    control.words[payload >>> 2] = 0;
    control.bytes[payload] = layout.littleEndian ? size : size >>> 8;
    control.bytes[payload + 1] = layout.littleEndian ? size >>> 8 : size;
    this.#resizeControl(slot, length + CMSG_SPACE(cmsg, segment.size));
  }

  #resizeControl(slot: number, length: number): void {
    const ring = this.#ring;
    const without = length === 0 ? 1 : 0;
    if (this.#withoutControl[slot] !== without) {
      if (without === 1) ring.pointAtNoControl(slot);
      else ring.pointAtControl(slot);
      this.#withoutControl[slot] = without;
    }
    ring.messageWords[(slot * ring.layout.size + ring.layout.controllen) >>> 2] = length;
  }

  /** → offset behind the message */
  #writeSource(at: number, remote: Endpoint, source: Endpoint | undefined, ifindex: number): number {
    const { departures, constants } = this.#platform;
    const departure = departures[remote.family === 4 ? 'udp4' : remote.mapped ? 'mapped' : 'udp6'];
    // An index alone is no use where it cannot be carried, and on Windows it makes the source 0.0.0.0.
    if (departure === undefined || (source === undefined && !departure.ifindexAlone)) return at;
    const plain = this.#source;
    // An IPPROTO_IP message takes the plain IPv4 address, whatever the socket; an IPPROTO_IPV6 one all 16 bytes.
    const ipv4 = departure.level === constants.IPPROTO_IP && source !== undefined ? source.ipv4Word : undefined;
    plain.word0 = ipv4 ?? source?.word0 ?? 0;
    plain.word1 = ipv4 === undefined ? (source?.word1 ?? 0) : 0;
    plain.word2 = ipv4 === undefined ? (source?.word2 ?? 0) : 0;
    plain.word3 = ipv4 === undefined ? (source?.word3 ?? 0) : 0;
    plain.ifindex = departure.carriesIfindex ? ifindex || this.#linkOf(remote, source) : 0;
    return this.#writeMessage(at, departure, plain);
  }

  /** Link-local addresses mean something on one link only. */
  #linkOf(remote: Endpoint, source: Endpoint | undefined): number {
    if (source?.linkLocal && source.scope !== 0) return source.scope;
    return remote.linkLocal ? remote.scope : 0;
  }

  #writeMessage(at: number, departure: Departure, source: Source): number {
    const payload = writeHeader(this.#platform.cmsg, this.#ring.control, at, departure);
    departure.write(this.#ring.control, payload, source);
    return at + CMSG_SPACE(this.#platform.cmsg, departure.size);
  }

  #writeExtras(at: number, remote: Endpoint, extras: Extras): number {
    const { ttl, tos } = this.#platform;
    // A mapped peer is IPv4 on the wire and heeds IPv4's messages alone (P14).
    const kind = remote.ipv4 ? 'udp4' : 'udp6';
    let next = at;
    if (extras.ttl >= 0) next = this.#writeInt(next, ttl[kind], extras.ttl);
    if (extras.tos >= 0) next = this.#writeInt(next, tos[kind], extras.tos);
    if (extras.mark !== undefined) next = this.#writeMark(next, extras.mark);
    if (extras.txTime !== undefined) next = this.#writeTime(next, extras.txTime);
    return next;
  }

  #writeMark(at: number, mark: number): number {
    const { mark: option } = this.#platform.settings;
    return 'because' in option ? at : this.#writeInt(at, option.departure, mark | 0);
  }

  #writeTime(at: number, ns: bigint): number {
    const { txTime } = this.#platform.settings;
    if ('because' in txTime) return at;
    const { control, layout } = this.#ring;
    const payload = writeHeader(this.#platform.cmsg, control, at, txTime.departure) >>> 2;
    const [low, high] = [Number(BigInt.asIntN(32, ns)), Number(BigInt.asIntN(32, ns >> 32n))];
    control.words[payload] = layout.littleEndian ? low : high;
    control.words[payload + 1] = layout.littleEndian ? high : low;
    return at + CMSG_SPACE(this.#platform.cmsg, txTime.departure.size);
  }

  #writeInt(at: number, message: IntDeparture | undefined, value: number): number {
    if (message === undefined) return at;
    const { control } = this.#ring;
    const payload = writeHeader(this.#platform.cmsg, control, at, message);
    const taken = message.bits === undefined ? value : value & message.bits;
    control.words[payload >>> 2] = 0;
    if (message.size === 4) control.words[payload >>> 2] = taken;
    else control.bytes[payload] = taken;
    return at + CMSG_SPACE(this.#platform.cmsg, message.size);
  }
}
