/**
 * IPv6's control messages, alike on every system but for their numbers: IPV6_PKTINFO, IPV6_HOPLIMIT, IPV6_TCLASS.
 */
import type { StructType } from '../structs/struct';
import { tosArrival, ttlArrival } from './metadata';
import type { Arrival, Departure } from './platform';

interface Numbers {
  readonly IPPROTO_IPV6: number;
  readonly IPV6_PKTINFO: number;
  readonly IPV6_HOPLIMIT: number;
  readonly IPV6_TCLASS: number;
}

type In6Pktinfo = StructType<'ipi6_addr' | 'ipi6_ifindex'>;

/** What an AF_INET6 socket may be told. Hop limit and traffic class are ints (RFC 3542 §6.3, §6.5). */
export function rfc3542Arrivals(numbers: Numbers, in6_pktinfo: In6Pktinfo): Arrival[] {
  const level = numbers.IPPROTO_IPV6;
  return [
    in6PktinfoArrival({ level, type: numbers.IPV6_PKTINFO }, in6_pktinfo),
    ttlArrival({ level, type: numbers.IPV6_HOPLIMIT }, 4),
    tosArrival({ level, type: numbers.IPV6_TCLASS }, 4),
  ];
}

/** Source address and interface of an IPv6 datagram. */
export function rfc3542Departure(numbers: Numbers, struct: In6Pktinfo): Departure {
  const addr = struct.fields.ipi6_addr.offset >> 2;
  const ifindex = struct.fields.ipi6_ifindex.offset >> 2;
  return {
    level: numbers.IPPROTO_IPV6,
    type: numbers.IPV6_PKTINFO,
    size: struct.size,
    carriesIfindex: true,
    ifindexAlone: true,
    write({ words }, at, source) {
      const word = at >> 2;
      words[word + addr] = source.word0;
      words[word + addr + 1] = source.word1;
      words[word + addr + 2] = source.word2;
      words[word + addr + 3] = source.word3;
      words[word + ifindex] = source.ifindex;
    },
  };
}

/**
 * On a dual-stack socket this comes for IPv4 datagrams too, with the mapped address. Where an IPv4 message comes as
 * well, that one knows more and wins, whichever stands first in the buffer (P13).
 */
function in6PktinfoArrival(message: { level: number; type: number }, struct: In6Pktinfo): Arrival {
  const addr = struct.fields.ipi6_addr.offset >> 2;
  const ifindex = struct.fields.ipi6_ifindex.offset >> 2;
  return {
    ...message,
    size: struct.size,
    read({ words }, at, arrived) {
      if (arrived.family === 4) return;
      const word = at >> 2;
      arrived.family = 6;
      arrived.destination0 = words[word + addr];
      arrived.destination1 = words[word + addr + 1];
      arrived.destination2 = words[word + addr + 2];
      arrived.destination3 = words[word + addr + 3];
      arrived.specDst = 0;
      arrived.ifindex = words[word + ifindex];
    },
  };
}
