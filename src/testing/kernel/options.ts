/** Socket options, as Linux takes them. What is not in the tables is refused with ENOPROTOOPT, as by a kernel without it. */
import { wordsOf } from '../../datagram/ring';
import { linuxConstants as c } from '../../platform/linux-constants';
import { ipOf } from '../ip';
import { membership } from './groups';
import { keyOf, type Sock } from './sock';
import type { Outcome, State } from './state';

/** Integers: level → name → [least, most, default]. */
const FLAG = [-0x80000000, 0x7fffffff, 0] as const;
const BYTE = [0, 255, 0] as const;

const INTEGERS = new Map<number, readonly [number, number, number]>([
  ...numbers(c.SOL_SOCKET, FLAG, [
    c.SO_REUSEADDR,
    c.SO_REUSEPORT,
    c.SO_BROADCAST,
    c.SO_TIMESTAMPNS,
    c.SO_RXQ_OVFL,
    c.SO_MARK,
    c.SO_RCVMARK,
    c.SO_PRIORITY,
  ]),
  ...numbers(c.IPPROTO_UDP, FLAG, [c.UDP_GRO]),
  ...numbers(c.IPPROTO_IP, FLAG, [
    c.IP_PKTINFO,
    c.IP_RECVTTL,
    c.IP_RECVTOS,
    c.IP_RECVERR,
    c.IP_FREEBIND,
    c.IP_TRANSPARENT,
    c.IP_RECVORIGDSTADDR,
    c.IP_MTU_DISCOVER,
  ]),
  ...numbers(c.IPPROTO_IPV6, FLAG, [
    c.IPV6_RECVPKTINFO,
    c.IPV6_RECVHOPLIMIT,
    c.IPV6_RECVTCLASS,
    c.IPV6_RECVERR,
    c.IPV6_FREEBIND,
    c.IPV6_TRANSPARENT,
    c.IPV6_RECVORIGDSTADDR,
    c.IPV6_MTU_DISCOVER,
  ]),
  ...numbers(c.IPPROTO_IP, [1, 255, 64], [c.IP_TTL]),
  ...numbers(c.IPPROTO_IP, BYTE, [c.IP_TOS]),
  ...numbers(c.IPPROTO_IP, [0, 255, 1], [c.IP_MULTICAST_TTL, c.IP_MULTICAST_LOOP, c.IP_MULTICAST_ALL]),
  ...numbers(c.IPPROTO_IPV6, BYTE, [c.IPV6_TCLASS]),
  ...numbers(c.IPPROTO_IPV6, [0, 255, 64], [c.IPV6_UNICAST_HOPS]),
  ...numbers(c.IPPROTO_IPV6, [0, 255, 1], [c.IPV6_MULTICAST_HOPS, c.IPV6_MULTICAST_LOOP, c.IPV6_MULTICAST_ALL]),
]);

function numbers(level: number, range: readonly [number, number, number], names: readonly number[]) {
  return names.map((name) => [keyOf(level, name), range] as const);
}

/** Bytes; the kernel keeps twice what it is given, and at least this. socket(7) */
const LEAST_BUFFER = 2304;
/** net.core.rmem_max and wmem_max */
const MOST_BUFFER = 212992;
/** Of an interface whose frames are not limited. */
const MTU = 65535;

export function setOption(state: State, sock: Sock, level: number, name: number, value: Buffer): Outcome {
  if (sock.family === 4 && level === c.IPPROTO_IPV6) return 'ENOPROTOOPT';
  const changed = membership(state, sock, level, name, value);
  if (changed !== 'unknown') return changed;
  switch (keyOf(level, name)) {
    case keyOf(c.SOL_SOCKET, c.SO_BINDTODEVICE):
      return setDevice(state, sock, value);
    case keyOf(c.IPPROTO_IP, c.IP_MULTICAST_IF):
      return setInterface(state, sock, value);
  }
  if (value.length < 4 && level !== c.IPPROTO_IP) return 'EINVAL';
  const number = value.length < 4 ? value[0] : value.readInt32LE();
  switch (keyOf(level, name)) {
    case keyOf(c.SOL_SOCKET, c.SO_RCVBUF):
      sock.receiveBuffer = bufferSize(number);
      return undefined;
    case keyOf(c.SOL_SOCKET, c.SO_SNDBUF):
      sock.sendBuffer = bufferSize(number);
      return undefined;
    case keyOf(c.IPPROTO_IPV6, c.IPV6_V6ONLY):
      if (sock.port !== 0) return 'EINVAL'; // before bind() alone
      sock.v6only = number !== 0;
      return undefined;
    case keyOf(c.IPPROTO_IPV6, c.IPV6_MULTICAST_IF):
      if (number !== 0 && state.machine.byIndex(number) === undefined) return 'ENODEV';
      sock.multicastInterface = number;
      return undefined;
  }
  const known = INTEGERS.get(keyOf(level, name));
  if (known === undefined) return 'ENOPROTOOPT';
  if (number < known[0] || number > known[1]) return 'EINVAL';
  sock.options.set(keyOf(level, name), number);
  return undefined;
}

/** Fills `value` with an int. → its size */
export function getOption(state: State, sock: Sock, level: number, name: number, value: Buffer): Outcome {
  const number = sock.family === 4 && level === c.IPPROTO_IPV6 ? undefined : numberOf(state, sock, level, name);
  if (number === undefined) return 'ENOPROTOOPT';
  if (value.length < 4) return 'EINVAL';
  value.writeInt32LE(number);
  return 4;
}

function numberOf(state: State, sock: Sock, level: number, name: number): number | undefined {
  const key = keyOf(level, name);
  switch (key) {
    case keyOf(c.SOL_SOCKET, c.SO_TYPE):
      return c.SOCK_DGRAM;
    case keyOf(c.SOL_SOCKET, c.SO_ERROR): {
      const { error } = sock;
      sock.error = 0;
      return error;
    }
    case keyOf(c.SOL_SOCKET, c.SO_DOMAIN):
      return sock.family === 4 ? c.AF_INET : c.AF_INET6;
    case keyOf(c.SOL_SOCKET, c.SO_RCVBUF):
      return sock.receiveBuffer;
    case keyOf(c.SOL_SOCKET, c.SO_SNDBUF):
      return sock.sendBuffer;
    case keyOf(c.IPPROTO_IPV6, c.IPV6_V6ONLY):
      return Number(sock.v6only);
    case keyOf(c.IPPROTO_IPV6, c.IPV6_MULTICAST_IF):
      return sock.multicastInterface;
    case keyOf(c.IPPROTO_IP, c.IP_MULTICAST_IF):
      return state.machine.byIndex(sock.multicastInterface)?.addresses.find(({ ip }) => ip.family === 4)?.ip.word0 ?? 0;
    case keyOf(c.IPPROTO_IP, c.IP_MTU):
    case keyOf(c.IPPROTO_IPV6, c.IPV6_MTU):
      return MTU;
  }
  const known = INTEGERS.get(key);
  return known && sock.option(level, name, known[2]);
}

function bufferSize(asked: number): number {
  return Math.max(LEAST_BUFFER, Math.min(asked < 0 ? MOST_BUFFER : asked, MOST_BUFFER) * 2);
}

/** A name, with or without its NUL; none for all. socket(7) */
function setDevice(state: State, sock: Sock, value: Buffer): Outcome {
  const name = value.toString('latin1').replace(/\0.*$/s, '');
  const iface = name === '' ? undefined : state.machine.byName(name);
  if (name !== '' && iface === undefined) return 'ENODEV';
  sock.device = iface?.index ?? 0;
  return undefined;
}

/** An in_addr, or an ip_mreq or ip_mreqn, whose address names the interface. ip(7) */
function setInterface(state: State, sock: Sock, value: Buffer): Outcome {
  if (value.length < 4) return 'EINVAL';
  const words = wordsOf(Buffer.from(Uint8Array.from(value).buffer));
  const word0 = words[words.length > 1 ? 1 : 0];
  const named = ipOf({ family: 4, word0, word1: 0, word2: 0, word3: 0 });
  const iface = words[2] ? state.machine.byIndex(words[2]) : state.machine.owner(named);
  if (word0 !== 0 && iface === undefined) return 'EADDRNOTAVAIL';
  sock.multicastInterface = iface?.index ?? 0;
  return undefined;
}
