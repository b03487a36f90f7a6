/** Payloads of IP_PKTINFO and IPV6_PKTINFO. */
import { declare } from './struct';

/** Linux <linux/in.h> and glibc <bits/in.h>, macOS <netinet/in.h>. */
export const in_pktinfo = declare(({ int32, in_addr }) => ({
  ipi_ifindex: int32,
  ipi_spec_dst: in_addr,
  ipi_addr: in_addr,
}));

/** Windows <ws2ipdef.h>, NetBSD <netinet/in.h>: the address comes first and there is no ipi_spec_dst. */
export const in_pktinfoAddrFirst = declare(({ uint32, in_addr }) => ({ ipi_addr: in_addr, ipi_ifindex: uint32 }));

/** RFC 3542 §6, the same everywhere. */
export const in6_pktinfo = declare(({ uint32, in6_addr }) => ({ ipi6_addr: in6_addr, ipi6_ifindex: uint32 }));
