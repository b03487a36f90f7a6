/**
 * An operating system that does not exist, as the one file that it would be in src/platform: a BSD with numbers of its own,
 * where the destination and the interface come in one message and nothing else is there to be had.
 * test/unit/new-os.test.ts runs sockets on it.
 */
import { perFamily } from '../../src/platform/ask';
import { bsd, bsdConstants, bsdRequests, bsdStructs, recvDstAddr } from '../../src/platform/bsd';
import { bsdErrno } from '../../src/platform/bsd-errno';
import { bsdCarried, bsdSettings } from '../../src/platform/bsd-settings';
import { timeArrival } from '../../src/platform/metadata';
import type { Constants, Platform } from '../../src/platform/platform';
import { interfaceArrival } from '../../src/platform/recvdstaddr';
import { mmsghdrSsizeT } from '../../src/structs/msghdr';
import { LP64 } from '../../src/structs/ref';
import { sockaddr_dlFreeBSD, sockaddr_storageLen } from '../../src/structs/sockaddr';
import { structsOf } from '../../src/structs/struct';
import { timeval } from '../../src/structs/time';

/** <sys/socket.h>, <netinet/in.h> and <netinet6/in6.h> of Atlantis. */
export const atlantisConstants = {
  ...bsdConstants,
  AF_INET6: 33,
  SO_TIMESTAMP: 0x4001,
  SCM_TIMESTAMP: 0x77,
  IP_RECVDSTADDR: 107,
  IP_RECVIF: 120,
  IP_RECVTTL: 165,
  IPV6_RECVPKTINFO: 136,
  IPV6_RECVTCLASS: 157,
  IPV6_TCLASS: 161,
} as const satisfies Constants;
const c = atlantisConstants;

const structs = {
  ...bsdStructs,
  mmsghdr: mmsghdrSsizeT,
  sockaddr_storage: sockaddr_storageLen,
  sockaddr_dl: sockaddr_dlFreeBSD,
  timeval,
};

export function atlantis(arch: string): Platform | undefined {
  if (arch !== 'x64') return undefined;
  const types = structsOf(LP64, structs);
  const { destination, source } = recvDstAddr(c, LP64);
  return bsd({
    name: 'atlantis',
    arch,
    abi: LP64,
    constants: c,
    errno: { ...bsdErrno, ENOTSUP: 45 },
    structs: types,
    mmsghdr: types.mmsghdr,
    cmsgAlign: 8,
    requests: bsdRequests(c, c.IP_RECVDSTADDR, c.IP_RECVIF),
    carried,
    arrivals: [
      destination,
      interfaceArrival({ level: c.IPPROTO_IP, type: c.IP_RECVIF }, types.sockaddr_dl, 'LE'),
      timeArrival({ level: c.SOL_SOCKET, type: c.SCM_TIMESTAMP }, types.timeval, 'tv_usec', 1000, 'LE'),
    ],
    departures: { udp4: source, mapped: source },
    mmsg: { count: 'size_t' },
    settings: () => bsdSettings('Atlantis', c, types),
    quirks: { sourceOnlyFromWildcard: true, dualStack: true, hearsGroupsOfOthers: [] },
  });
}

const carried = bsdCarried('Atlantis', c, { recvTOS: perFamily({ ipv6: c.IPV6_RECVTCLASS }, 'ipv6') });
