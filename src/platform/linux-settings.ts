/** What can be asked for and set on Linux, beyond the destination. socket(7), ip(7), ipv6(7), udp(7) */

import type { sock_extended_err } from '../structs/errqueue';
import type { sockaddr_in, sockaddr_in6 } from '../structs/sockaddr';
import { everywhere, type FamilyOptions, perFamily } from './ask';
import { error6Arrival, errorArrival } from './error-queue';
import { linuxConstants as c } from './linux-constants';
import type { MtuDiscovery, Platform, Setting, Settings } from './platform';

/** IPv4 datagrams on a dual-stack socket heed the IPPROTO_IP options alone (P14, P38). */
const family = (options: FamilyOptions) => perFamily(options, 'both');
const socket = (name: number) => everywhere({ level: c.SOL_SOCKET, name });

export function linuxCarried(SO_TIMESTAMPNS: number): Platform['carried'] {
  return {
    recvTTL: family({ ip: c.IP_RECVTTL, ipv6: c.IPV6_RECVHOPLIMIT }),
    recvTOS: family({ ip: c.IP_RECVTOS, ipv6: c.IPV6_RECVTCLASS }),
    recvErrors: family({ ip: c.IP_RECVERR, ipv6: c.IPV6_RECVERR }),
    recvTimestamp: socket(SO_TIMESTAMPNS),
    recvDrops: socket(c.SO_RXQ_OVFL),
    gro: everywhere({ level: c.IPPROTO_UDP, name: c.UDP_GRO }),
    originalDestination: family({ ip: c.IP_RECVORIGDSTADDR, ipv6: c.IPV6_RECVORIGDSTADDR }),
    // 5.19
    recvMark: socket(c.SO_RCVMARK),
  };
}

interface LinuxStructs {
  readonly sock_extended_err: ReturnType<typeof sock_extended_err>;
  readonly sockaddr_in: ReturnType<typeof sockaddr_in>;
  readonly sockaddr_in6: ReturnType<typeof sockaddr_in6>;
}

export function linuxSettings(structs: LinuxStructs): Settings {
  const { sock_extended_err, sockaddr_in, sockaddr_in6 } = structs;
  const ipError = { level: c.IPPROTO_IP, type: c.IP_RECVERR };
  const ipv6Error = { level: c.IPPROTO_IPV6, type: c.IPV6_RECVERR };
  const device = [{ level: c.SOL_SOCKET, name: c.SO_BINDTODEVICE, takes: 'name' } as const];
  return {
    // Needs CAP_NET_RAW before 5.7, and to change one that is set.
    bindToDevice: { ask: { udp4: device, udp6: device, dual: device }, hears: true },
    freebind: { ask: family({ ip: c.IP_FREEBIND, ipv6: c.IPV6_FREEBIND }) },
    transparent: {
      ask: family({ ip: c.IP_TRANSPARENT, ipv6: c.IPV6_TRANSPARENT }),
      needs: 'CAP_NET_ADMIN or CAP_NET_RAW',
    },
    // IPv6's since 4.20.
    onlyOwnGroups: { ask: family({ ip: c.IP_MULTICAST_ALL, ipv6: c.IPV6_MULTICAST_ALL, value: 0 }) },
    mtuDiscover,
    pathMtu: {
      4: { level: c.IPPROTO_IP, name: c.IP_MTU, size: 4, at: 0 },
      6: { level: c.IPPROTO_IPV6, name: c.IPV6_MTU, size: 4, at: 0 },
    },
    txTime: {
      option: { level: c.SOL_SOCKET, name: c.SO_TXTIME },
      // fq counts by the monotonic clock, etf by TAI. tc-fq(8), tc-etf(8)
      clocks: { monotonic: c.CLOCK_MONOTONIC, realtime: c.CLOCK_REALTIME, tai: c.CLOCK_TAI },
      flags: { deadline: c.SOF_TXTIME_DEADLINE_MODE, reportErrors: c.SOF_TXTIME_REPORT_ERRORS },
      departure: { level: c.SOL_SOCKET, type: c.SCM_TXTIME, size: 8 },
      needs: 'CAP_NET_ADMIN',
    },
    mark: {
      option: { level: c.SOL_SOCKET, name: c.SO_MARK },
      departure: { level: c.SOL_SOCKET, type: c.SO_MARK, size: 4 },
      // CAP_NET_RAW will do since 5.17.
      needs: 'CAP_NET_ADMIN',
    },
    filter: {
      attach: { level: c.SOL_SOCKET, name: c.SO_ATTACH_FILTER },
      detach: { level: c.SOL_SOCKET, name: c.SO_DETACH_FILTER },
    },
    steer: { level: c.SOL_SOCKET, name: c.SO_ATTACH_REUSEPORT_CBPF },
    blockSource: {
      ip: c.IP_BLOCK_SOURCE,
      ipUndo: c.IP_UNBLOCK_SOURCE,
      any: c.MCAST_BLOCK_SOURCE,
      anyUndo: c.MCAST_UNBLOCK_SOURCE,
    },
    errorQueue: {
      flag: c.MSG_ERRQUEUE,
      arrivals: [
        errorArrival(ipError, sock_extended_err, sockaddr_in, c.AF_INET),
        error6Arrival(ipv6Error, sock_extended_err, sockaddr_in6, c.AF_INET6),
      ],
      origins: {
        local: c.SO_EE_ORIGIN_LOCAL,
        icmp: c.SO_EE_ORIGIN_ICMP,
        icmp6: c.SO_EE_ORIGIN_ICMP6,
        txtime: c.SO_EE_ORIGIN_TXTIME,
      },
    },
    overflow: { because: 'Linux has no SO_RERROR: SO_RXQ_OVFL counts' },
  };
}

const discovery = (value: number): Setting => ({
  ask: family({ ip: c.IP_MTU_DISCOVER, ipv6: c.IPV6_MTU_DISCOVER, value }),
});

/** Both families have the same four values. */
const mtuDiscover: Readonly<Record<MtuDiscovery, Setting>> = {
  do: discovery(c.IP_PMTUDISC_DO),
  dont: discovery(c.IP_PMTUDISC_DONT),
  want: discovery(c.IP_PMTUDISC_WANT),
  probe: discovery(c.IP_PMTUDISC_PROBE),
};
