/**
 * IPv4 on systems without IP_PKTINFO: IP_RECVDSTADDR tells the destination, IP_RECVIF the interface, IP_SENDSRCADDR,
 * which has IP_RECVDSTADDR's number, chooses the source. FreeBSD, OpenBSD and NetBSD, ip(4).
 */
import type { Type } from '../structs/ref';
import type { StructType } from '../structs/struct';
import type { Arrival, Departure } from './platform';

interface Message {
  readonly level: number;
  readonly type: number;
}

/** A struct in_addr. Says nothing of the interface: that message may stand before or behind this one. */
export function destinationArrival(message: Message, in_addr: Type): Arrival {
  return {
    ...message,
    size: in_addr.size,
    read({ words }, at, arrived) {
      arrived.family = 4;
      arrived.destination0 = words[at >> 2];
      arrived.specDst = 0;
    },
  };
}

/** A struct sockaddr_dl of sdl_len bytes: as many as reach behind sdl_index are enough. */
export function interfaceArrival(
  message: Message,
  sockaddr_dl: StructType<'sdl_index'>,
  endianness: 'LE' | 'BE',
): Arrival {
  const { offset, type } = sockaddr_dl.fields.sdl_index;
  const low = endianness === 'LE' ? offset : offset + 1;
  const high = endianness === 'LE' ? offset + 1 : offset;
  return {
    ...message,
    size: offset + type.size,
    read({ bytes }, at, arrived) {
      arrived.ifindex = bytes[at + low] | (bytes[at + high] << 8);
    },
  };
}

/** A struct in_addr, of exactly this length. The interface is routing's choice. */
export function sourceDeparture(message: Message, in_addr: Type): Departure {
  return {
    ...message,
    size: in_addr.size,
    carriesIfindex: false,
    ifindexAlone: false,
    write({ words }, at, source) {
      words[at >> 2] = source.word0;
    },
  };
}
