/**
 * Control messages that say something about a datagram beside its addresses: TTL, TOS, time, losses, coalescing.
 * Their numbers and widths differ between systems, what they mean does not.
 */
import type { StructType } from '../structs/struct';
import type { Arrival } from './platform';

interface Message {
  readonly level: number;
  readonly type: number;
}

/** `size`: 4 for an int, 1 for a u_char, as the kernel delivers it. */
export function ttlArrival(message: Message, size: 1 | 4): Arrival {
  return {
    ...message,
    size,
    read:
      size === 1
        ? ({ bytes }, at, arrived) => {
            arrived.ttl = bytes[at];
          }
        : ({ words }, at, arrived) => {
            arrived.ttl = words[at >> 2];
          },
  };
}

/** TOS or traffic class. `size`: 4 for an int, 1 for a u_char, as the kernel delivers it. */
export function tosArrival(message: Message, size: 1 | 4): Arrival {
  return {
    ...message,
    size,
    read:
      size === 1
        ? ({ bytes }, at, arrived) => {
            arrived.tos = bytes[at];
          }
        : ({ words }, at, arrived) => {
            arrived.tos = words[at >> 2];
          },
  };
}

/** A struct timespec: `nanoseconds` 1; a struct timeval, which has microseconds: 1000. */
export function timeArrival<Field extends string>(
  message: Message,
  struct: StructType<Field | 'tv_sec'>,
  fraction: Field,
  nanoseconds: 1 | 1000,
  endianness: 'LE' | 'BE',
): Arrival {
  const wide = struct.fields.tv_sec.type.size === 8;
  const big = endianness === 'BE' ? 1 : 0;
  const sec = struct.fields.tv_sec.offset >> 2;
  const low = sec + (wide ? big : 0);
  const high = sec + 1 - big;
  // The fraction is below 2³⁰, so its low word is all of it, however wide the field is.
  const { offset, type } = struct.fields[fraction];
  const part = (offset >> 2) + (type.size === 8 ? big : 0);
  return {
    ...message,
    size: struct.size,
    read({ words }, at, arrived) {
      const word = at >> 2;
      // A 32-bit time_t read as unsigned lasts until 2106 instead of 2038.
      arrived.seconds = (words[word + low] >>> 0) + (wide ? words[word + high] * 0x1_0000_0000 : 0);
      arrived.nanoseconds = words[word + part] * nanoseconds;
    },
  };
}

/** SO_RXQ_OVFL: datagrams that this socket's queue has dropped so far, a __u32 (socket(7)). */
export function dropsArrival(message: Message): Arrival {
  return {
    ...message,
    size: 4,
    read({ words }, at, arrived) {
      arrived.drops = words[at >> 2] >>> 0;
    },
  };
}

/** UDP_GRO: size of the datagrams that were glued together, an int (udp(7)). */
export function segmentArrival(message: Message): Arrival {
  return {
    ...message,
    size: 4,
    read({ words }, at, arrived) {
      arrived.segment = words[at >> 2];
    },
  };
}

/** Windows' IP_ECN: the two bits alone, an int. A message with the whole TOS says more. */
export function ecnArrival(message: Message): Arrival {
  return {
    ...message,
    size: 4,
    read({ words }, at, arrived) {
      if (arrived.tos < 0) arrived.tos = words[at >> 2] & 3;
    },
  };
}

/** SO_MARK: a __u32 (socket(7)). */
export function markArrival(message: Message): Arrival {
  return {
    ...message,
    size: 4,
    read({ words }, at, arrived) {
      arrived.mark = words[at >> 2] >>> 0;
    },
  };
}

/** IP_ORIGDSTADDR: a sockaddr_in. Ports are network order on every CPU. */
export function originalArrival(message: Message, sockaddr_in: StructType<'sin_port' | 'sin_addr'>): Arrival {
  const { sin_port, sin_addr } = sockaddr_in.fields;
  return {
    ...message,
    size: sin_addr.offset + sin_addr.type.size,
    read({ bytes, words }, at, arrived) {
      arrived.originalFamily = 4;
      arrived.originalPort = (bytes[at + sin_port.offset] << 8) | bytes[at + sin_port.offset + 1];
      arrived.original0 = words[(at + sin_addr.offset) >> 2];
    },
  };
}

/** IPV6_ORIGDSTADDR: a sockaddr_in6. */
export function original6Arrival(message: Message, sockaddr_in6: StructType<'sin6_port' | 'sin6_addr'>): Arrival {
  const { sin6_port, sin6_addr } = sockaddr_in6.fields;
  return {
    ...message,
    size: sin6_addr.offset + sin6_addr.type.size,
    read({ bytes, words }, at, arrived) {
      const word = (at + sin6_addr.offset) >> 2;
      arrived.originalFamily = 6;
      arrived.originalPort = (bytes[at + sin6_port.offset] << 8) | bytes[at + sin6_port.offset + 1];
      arrived.original0 = words[word];
      arrived.original1 = words[word + 1];
      arrived.original2 = words[word + 2];
      arrived.original3 = words[word + 3];
    },
  };
}

/** OpenBSD's IP_RECVDSTPORT and IPV6_RECVDSTPORT: an in_port_t; the address is the datagram's destination. */
export function originalPortArrival(message: Message): Arrival {
  return {
    ...message,
    size: 2,
    read({ bytes }, at, arrived) {
      arrived.originalPort = (bytes[at] << 8) | bytes[at + 1];
    },
  };
}
