/** What the socket options for joining and leaving multicast groups take. */
import type { Declaration } from './struct';
import { declare } from './struct';

/** <netinet/in.h>, <ws2ipdef.h>: the same everywhere. */
export const ip_mreq = declare(({ in_addr }) => ({ imr_multiaddr: in_addr, imr_interface: in_addr }));

/** <netinet/in.h>: Linux and the BSDs, by interface index. Not on Windows. */
export const ip_mreqn = declare(({ in_addr, int32 }) => ({
  imr_multiaddr: in_addr,
  imr_address: in_addr,
  imr_ifindex: int32,
}));

/** RFC 3493 §5.2. bionic calls the index ipv6mr_ifindex and has a #define for this name. */
export const ipv6_mreq = declare(({ in6_addr, uint32 }) => ({
  ipv6mr_multiaddr: in6_addr,
  ipv6mr_interface: uint32,
}));

/** Linux <linux/in.h>: interface before source. */
export const ip_mreq_source = declare(({ in_addr }) => ({
  imr_multiaddr: in_addr,
  imr_interface: in_addr,
  imr_sourceaddr: in_addr,
}));

/** macOS and FreeBSD <netinet/in.h>, Windows <ws2ipdef.h>: source before interface. */
export const ip_mreq_sourceFirst = declare(({ in_addr }) => ({
  imr_multiaddr: in_addr,
  imr_sourceaddr: in_addr,
  imr_interface: in_addr,
}));

/** RFC 3678 §5.1: a group of either family, around the OS's own sockaddr_storage. */
export function group_req(storage: Declaration<string>) {
  return declare(({ uint32 }, abi) => ({ gr_interface: uint32, gr_group: storage(abi) }));
}

/** macOS <netinet/in.h> puts it under #pragma pack(4). */
export function group_reqPacked(storage: Declaration<string>) {
  return declare(({ uint32 }, abi) => ({ gr_interface: uint32, gr_group: storage(abi) }), { packed: true });
}

/** RFC 3678 §5.1, around the OS's own sockaddr_storage. */
export function group_source_req(storage: Declaration<string>) {
  return declare(({ uint32 }, abi) => ({
    gsr_interface: uint32,
    gsr_group: storage(abi),
    gsr_source: storage(abi),
  }));
}

/** macOS <netinet/in.h> puts it under #pragma pack(4). */
export function group_source_reqPacked(storage: Declaration<string>) {
  return declare(({ uint32 }, abi) => ({ gsr_interface: uint32, gsr_group: storage(abi), gsr_source: storage(abi) }), {
    packed: true,
  });
}
