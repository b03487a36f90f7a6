/** Linux's socket options. socket(7), ip(7), ipv6(7), udp(7) */
import { sourceSpecific, table } from './option-table';

export const linuxOptions = table({
  SOL_SOCKET: {
    SO_REUSEPORT: 'flag',
    SO_TIMESTAMPNS: 'flag',
    SO_RXQ_OVFL: 'flag',
    SO_RCVMARK: 'flag',
    SO_BINDTODEVICE: 'device name',
    SO_MARK: 'choice',
    SO_TXTIME: 'sock_txtime',
    SO_ATTACH_FILTER: 'sock_fprog',
    SO_DETACH_FILTER: 'detach',
    SO_ATTACH_REUSEPORT_CBPF: 'sock_fprog',
  },
  IPPROTO_IP: {
    IP_PKTINFO: 'flag',
    IP_RECVTTL: 'flag',
    IP_RECVTOS: 'flag',
    IP_RECVERR: 'flag',
    IP_RECVORIGDSTADDR: 'flag',
    IP_FREEBIND: 'flag',
    IP_TRANSPARENT: 'flag',
    IP_MULTICAST_ALL: 'choice',
    IP_MTU_DISCOVER: 'mtu discovery',
    IP_MTU: 'mtu',
    ...sourceSpecific.IPPROTO_IP,
  },
  IPPROTO_IPV6: {
    IPV6_RECVPKTINFO: 'flag',
    IPV6_RECVHOPLIMIT: 'flag',
    IPV6_RECVTCLASS: 'flag',
    IPV6_RECVERR: 'flag',
    IPV6_RECVORIGDSTADDR: 'flag',
    IPV6_FREEBIND: 'flag',
    IPV6_TRANSPARENT: 'flag',
    IPV6_MULTICAST_ALL: 'choice',
    IPV6_MTU_DISCOVER: 'mtu discovery',
    IPV6_MTU: 'mtu',
    ...sourceSpecific.IPPROTO_IPV6,
  },
  IPPROTO_UDP: { UDP_GRO: 'flag', UDP_SEGMENT: 'segment' },
});
