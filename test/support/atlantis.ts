/**
 * An operating system that does not exist, as the one file that it would be in src/platform: a BSD with numbers of its own,
 * where the destination and the interface come in one message and nothing else is there to be had.
 * test/unit/new-os.test.ts runs sockets on it.
 */
import { everywhere, perFamily } from '../../src/platform/ask';
import { bsd, bsdConstants, bsdLacks, bsdStructs, ipv6Requests, pathMtu, recvDstAddr } from '../../src/platform/bsd';
import { bsdErrno } from '../../src/platform/errno';
import { timeArrival } from '../../src/platform/metadata';
import type { Constants, Platform, Settings } from '../../src/platform/platform';
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
    requests: {
      udp4: [
        { level: c.IPPROTO_IP, name: c.IP_RECVDSTADDR },
        { level: c.IPPROTO_IP, name: c.IP_RECVIF, optional: true, interface: true },
      ],
      udp6: ipv6Requests(c),
      dual: ipv6Requests(c),
    },
    carried,
    arrivals: [
      destination,
      interfaceArrival({ level: c.IPPROTO_IP, type: c.IP_RECVIF }, types.sockaddr_dl, 'LE'),
      timeArrival({ level: c.SOL_SOCKET, type: c.SCM_TIMESTAMP }, types.timeval, 'tv_usec', 1000, 'LE'),
    ],
    departures: { udp4: source, mapped: source },
    mmsg: { count: 'size_t' },
    settings: () => ({ ...lacking, pathMtu: pathMtu(c, types) }),
    quirks: { sourceOnlyFromWildcard: true, dualStack: true, hearsGroupsOfOthers: [] },
  });
}

const sunk = { because: 'Atlantis has sunk' };

const carried: Platform['carried'] = {
  recvTTL: perFamily({ ip: c.IP_RECVTTL, ipv6: c.IPV6_RECVHOPLIMIT }, 'ipv6'),
  recvTOS: perFamily({ ipv6: c.IPV6_RECVTCLASS }, 'ipv6'),
  recvTimestamp: everywhere({ level: c.SOL_SOCKET, name: c.SO_TIMESTAMP }),
  recvDrops: sunk,
  recvErrors: sunk,
  gro: sunk,
  originalDestination: sunk,
  recvMark: sunk,
};

const lacking: Omit<Settings, 'pathMtu'> = {
  ...bsdLacks('Atlantis'),
  bindToDevice: sunk,
  freebind: sunk,
  transparent: sunk,
  mtuDiscover: { do: sunk, dont: sunk, want: sunk, probe: sunk },
  blockSource: sunk,
  overflow: sunk,
};
