/**
 * IP_PKTINFO: destination and interface of an IPv4 datagram in one message. For the systems that have it, which differ
 * in the order of the fields and in which of them count.
 */
import type { StructType } from '../structs/struct';
import type { Arrival, Departure } from './platform';

interface Message {
  readonly level: number;
  readonly type: number;
}

/**
 * Linux: {ifindex, spec_dst, addr}, where ipi_spec_dst is the local address that an answer would leave from even when
 * ipi_addr is a group (ip(7)).
 */
export function specDstArrival(
  message: Message,
  struct: StructType<'ipi_ifindex' | 'ipi_spec_dst' | 'ipi_addr'>,
): Arrival {
  const ifindex = struct.fields.ipi_ifindex.offset >> 2;
  const specDst = struct.fields.ipi_spec_dst.offset >> 2;
  const addr = struct.fields.ipi_addr.offset >> 2;
  return {
    ...message,
    size: struct.size,
    read({ words }, at, arrived) {
      const word = at >> 2;
      arrived.family = 4;
      arrived.destination0 = words[word + addr];
      arrived.specDst = words[word + specDst];
      arrived.ifindex = words[word + ifindex];
    },
  };
}

/** macOS, whose ipi_spec_dst is always zero on receive (P3), and Windows, which has none: only ipi_addr tells. */
export function addrArrival(message: Message, struct: StructType<'ipi_ifindex' | 'ipi_addr'>): Arrival {
  const ifindex = struct.fields.ipi_ifindex.offset >> 2;
  const addr = struct.fields.ipi_addr.offset >> 2;
  return {
    ...message,
    size: struct.size,
    read({ words }, at, arrived) {
      const word = at >> 2;
      arrived.family = 4;
      arrived.destination0 = words[word + addr];
      arrived.specDst = 0;
      arrived.ifindex = words[word + ifindex];
    },
  };
}

/**
 * Linux and macOS choose the source by ipi_spec_dst and ignore ipi_addr. On macOS an interface index beside it makes
 * the kernel forget the address (P3): `carriesIfindex` is false there and the index is left out.
 */
export function specDstDeparture(
  message: Message,
  struct: StructType<'ipi_ifindex' | 'ipi_spec_dst' | 'ipi_addr'>,
  carriesIfindex: boolean,
): Departure {
  const ifindex = struct.fields.ipi_ifindex.offset >> 2;
  const specDst = struct.fields.ipi_spec_dst.offset >> 2;
  const addr = struct.fields.ipi_addr.offset >> 2;
  return {
    ...message,
    size: struct.size,
    carriesIfindex,
    ifindexAlone: carriesIfindex,
    write({ words }, at, source) {
      const word = at >> 2;
      words[word + ifindex] = carriesIfindex ? source.ifindex : 0;
      words[word + specDst] = source.word0;
      words[word + addr] = 0;
    },
  };
}

/** Windows: {addr, ifindex}. */
export function addrDeparture(message: Message, struct: StructType<'ipi_ifindex' | 'ipi_addr'>): Departure {
  const ifindex = struct.fields.ipi_ifindex.offset >> 2;
  const addr = struct.fields.ipi_addr.offset >> 2;
  return {
    ...message,
    size: struct.size,
    carriesIfindex: true,
    ifindexAlone: false,
    write({ words }, at, source) {
      const word = at >> 2;
      words[word + addr] = source.word0;
      words[word + ifindex] = source.ifindex;
    },
  };
}
