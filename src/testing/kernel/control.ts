/** Control messages: what a receive tells, and what a send asks for. cmsg(3), ip(7), ipv6(7) */
import { isMulticast, MAPPED } from '../../address/ip';
import { CMSG_SPACE, walk, writeHeader } from '../../datagram/control';
import { block, wordsOf } from '../../datagram/ring';
import { linuxConstants as c } from '../../platform/linux-constants';
import type { ControlView } from '../../platform/platform';
import { bytesOf, type Ip, ipOf, isAny } from '../ip';
import type { Complaint, Queued, Sock } from './sock';
import type { State } from './state';

/** More than all messages at once take. */
const SPACE = 1024;

/** What the control messages of a send ask for. */
export interface Choice {
  source?: Ip;
  ifindex?: number;
  ttl?: number;
  tos?: number;
  /** Cut the payload into datagrams of so many bytes. */
  segment?: number;
}

export class Control {
  readonly #state: State;
  readonly #view: { readonly bytes: Buffer; readonly words: Int32Array };
  readonly #readers: Parameters<typeof walk<Choice>>[1];
  #at = 0;

  constructor(state: State) {
    const bytes = block(SPACE);
    this.#state = state;
    this.#view = { bytes, words: wordsOf(bytes) };
    this.#readers = readers(state);
  }

  /** Reads what a send asks for. Unknown messages say nothing, as those of the wrong level do (P8). */
  read(bytes: Buffer): Choice | undefined {
    if (bytes.length > SPACE) return undefined;
    this.#view.bytes.set(bytes);
    const choice: Choice = {};
    walk(this.#state.platform.cmsg, this.#readers, this.#view, 0, bytes.length, choice);
    return choice;
  }

  /** Tells of a datagram. ip_cmsg_recv, ip6_datagram_recv_ctl. → bytes, valid until the next call */
  arrival(sock: Sock, queued: Queued): Buffer {
    this.#at = 0;
    return this.#tell(sock, queued);
  }

  #tell(sock: Sock, queued: Queued): Buffer {
    const { datagram, iface, at, drops } = queued;
    if (sock.on(c.SOL_SOCKET, c.SO_TIMESTAMPNS)) this.#timestamp(at);
    if (sock.on(c.SOL_SOCKET, c.SO_RXQ_OVFL) && drops > 0) this.#int(c.SOL_SOCKET, c.SO_RXQ_OVFL, drops); // P30
    if (sock.on(c.IPPROTO_IPV6, c.IPV6_RECVPKTINFO)) this.#in6Pktinfo(datagram.destination, iface.index);
    if (datagram.destination.family === 6) {
      if (sock.on(c.IPPROTO_IPV6, c.IPV6_RECVHOPLIMIT)) this.#int(c.IPPROTO_IPV6, c.IPV6_HOPLIMIT, datagram.ttl);
      if (sock.on(c.IPPROTO_IPV6, c.IPV6_RECVTCLASS)) this.#int(c.IPPROTO_IPV6, c.IPV6_TCLASS, datagram.tos);
    } else {
      if (sock.on(c.IPPROTO_IP, c.IP_PKTINFO)) this.#inPktinfo(queued);
      if (sock.on(c.IPPROTO_IP, c.IP_RECVTTL)) this.#int(c.IPPROTO_IP, c.IP_TTL, datagram.ttl);
      if (sock.on(c.IPPROTO_IP, c.IP_RECVTOS)) this.#view.bytes[this.#header(c.IPPROTO_IP, c.IP_TOS, 1)] = datagram.tos;
    }
    return this.#view.bytes.subarray(0, this.#at);
  }

  /**
   * Tells of an error: sock_extended_err, behind it who complained, and what is told of every datagram, here of the answer.
   */
  complaint(sock: Sock, { errno, type, code, offender }: Complaint, answer: Queued): Buffer {
    this.#at = 0;
    const { sock_extended_err, sockaddr_in, sockaddr_in6 } = this.#state.platform.structs;
    const { fields, size } = sock_extended_err;
    const v6 = sock.family === 6;
    const name = v6 ? sockaddr_in6.size : sockaddr_in.size;
    const at = v6
      ? this.#header(c.IPPROTO_IPV6, c.IPV6_RECVERR, size + name)
      : this.#header(c.IPPROTO_IP, c.IP_RECVERR, size + name);
    const { bytes, words } = this.#view;
    bytes.fill(0, at, at + size);
    words[(at + fields.ee_errno.offset) >>> 2] = errno;
    bytes[at + fields.ee_origin.offset] = offender.family === 6 ? c.SO_EE_ORIGIN_ICMP6 : c.SO_EE_ORIGIN_ICMP;
    bytes[at + fields.ee_type.offset] = type;
    bytes[at + fields.ee_code.offset] = code;
    this.#state.sockaddrs.write(bytes, words, at + size, { ...seenBy(sock, offender), scope: 0 }, 0);
    return this.#tell(sock, answer);
  }

  #in6Pktinfo(destination: Ip, ifindex: number): void {
    const { in6_pktinfo } = this.#state.platform.structs;
    const at = this.#header(c.IPPROTO_IPV6, c.IPV6_PKTINFO, in6_pktinfo.size);
    const { ipi6_addr, ipi6_ifindex } = in6_pktinfo.fields;
    this.#view.bytes.set(bytesOf(asIPv6(destination) as Ip), at + ipi6_addr.offset);
    this.#view.words[(at + ipi6_ifindex.offset) >>> 2] = ifindex;
  }

  /** ipi_spec_dst is what an answer would leave from, whatever the destination is. */
  #inPktinfo({ datagram, iface }: Queued): void {
    const { destination, source } = datagram;
    const { machine, platform } = this.#state;
    const answer = machine.owner(destination) === undefined ? machine.sourceFor(source, iface) : destination;
    const { fields, size } = platform.structs.in_pktinfo;
    const at = this.#header(c.IPPROTO_IP, c.IP_PKTINFO, size);
    const { words } = this.#view;
    words[(at + fields.ipi_ifindex.offset) >>> 2] = iface.index;
    words[(at + fields.ipi_spec_dst.offset) >>> 2] = answer?.word0 ?? 0;
    words[(at + fields.ipi_addr.offset) >>> 2] = destination.word0;
  }

  #timestamp(ms: number): void {
    const { timespec } = this.#state.platform.structs;
    const at = this.#header(c.SOL_SOCKET, c.SCM_TIMESTAMPNS, timespec.size);
    const seconds = Math.floor(ms / 1000);
    this.#view.bytes.writeBigInt64LE(BigInt(seconds), at + timespec.fields.tv_sec.offset);
    const nanoseconds = Math.floor((ms - seconds * 1000) * 1e6);
    this.#view.bytes.writeBigInt64LE(BigInt(nanoseconds), at + timespec.fields.tv_nsec.offset);
  }

  #int(level: number, type: number, value: number): void {
    this.#view.words[this.#header(level, type, 4) >>> 2] = value;
  }

  /** → where its payload belongs */
  #header(level: number, type: number, size: number): number {
    const { cmsg } = this.#state.platform;
    const at = writeHeader(cmsg, this.#view, this.#at, { level, type, size });
    this.#at += CMSG_SPACE(cmsg, size);
    return at;
  }
}

/** An address as a socket of this family has it. */
export function seenBy({ family }: Sock, ip: Ip): Omit<Ip, 'text'> {
  return family === 6 ? asIPv6(ip) : ip;
}

function asIPv6(ip: Ip): Omit<Ip, 'text'> {
  if (ip.family === 6) return ip;
  return { family: 6, word0: 0, word1: 0, word2: MAPPED, word3: ip.word0 };
}

function readers({ platform }: State): Parameters<typeof walk<Choice>>[1] {
  const { in_pktinfo, in6_pktinfo } = platform.structs;
  const v4 = in_pktinfo.fields;
  const v6 = in6_pktinfo.fields;
  const int = (level: number, type: number, field: 'ttl' | 'tos') => ({
    level,
    type,
    size: 4,
    read: ({ words }: ControlView, at: number, choice: Choice) => {
      if (words[at >>> 2] >= 0) choice[field] = words[at >>> 2] & 255;
    },
  });
  return [
    {
      level: c.IPPROTO_IP,
      type: c.IP_PKTINFO,
      size: in_pktinfo.size,
      read({ words }, at, choice) {
        const word0 = words[(at + v4.ipi_spec_dst.offset) >>> 2]; // ipi_addr is ignored
        choose(choice, { family: 4, word0, word1: 0, word2: 0, word3: 0 }, words[(at + v4.ipi_ifindex.offset) >>> 2]);
      },
    },
    {
      level: c.IPPROTO_IPV6,
      type: c.IPV6_PKTINFO,
      size: in6_pktinfo.size,
      read({ words }, at, choice) {
        const word = (at + v6.ipi6_addr.offset) >>> 2;
        const [word0, word1, word2, word3] = words.subarray(word, word + 4);
        choose(choice, { family: 6, word0, word1, word2, word3 }, words[(at + v6.ipi6_ifindex.offset) >>> 2]);
      },
    },
    int(c.IPPROTO_IP, c.IP_TTL, 'ttl'),
    int(c.IPPROTO_IP, c.IP_TOS, 'tos'),
    int(c.IPPROTO_IPV6, c.IPV6_HOPLIMIT, 'ttl'),
    int(c.IPPROTO_IPV6, c.IPV6_TCLASS, 'tos'),
    {
      level: c.IPPROTO_UDP,
      type: c.UDP_SEGMENT,
      size: 2,
      read({ bytes }, at, choice) {
        choice.segment = bytes[at] | (bytes[at + 1] << 8);
      },
    },
  ];
}

function choose(choice: Choice, words: Omit<Ip, 'text'>, ifindex: number): void {
  const source = ipOf(words);
  if (!isAny(source)) choice.source = source;
  if (ifindex !== 0) choice.ifindex = ifindex;
}

/** May it stand in a datagram as its source? */
export function isSource(ip: Ip): boolean {
  return !isMulticast(ip) && ip.text !== '255.255.255.255';
}
