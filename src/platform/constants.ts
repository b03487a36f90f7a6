/** C's constants by C's names: types only. */

/** Constants every OS must have, and those only some have. */
export interface Constants extends Readonly<Record<string, number | undefined>> {
  readonly AF_INET: number;
  readonly AF_INET6: number;
  readonly AF_UNSPEC: number;
  readonly SOCK_DGRAM: number;
  readonly SOL_SOCKET: number;
  readonly SO_TYPE: number;
  readonly SO_ERROR: number;
  readonly SO_REUSEADDR: number;
  readonly SO_BROADCAST: number;
  readonly SO_RCVBUF: number;
  readonly SO_SNDBUF: number;
  readonly IPPROTO_IP: number;
  readonly IPPROTO_IPV6: number;
  readonly IPPROTO_UDP: number;
  readonly IPV6_V6ONLY: number;
  readonly IP_TTL: number;
  readonly IP_TOS: number;
  readonly IP_MULTICAST_IF: number;
  readonly IP_MULTICAST_TTL: number;
  readonly IP_MULTICAST_LOOP: number;
  readonly IP_ADD_MEMBERSHIP: number;
  readonly IP_DROP_MEMBERSHIP: number;
  readonly IPV6_UNICAST_HOPS: number;
  readonly IPV6_MULTICAST_IF: number;
  readonly IPV6_MULTICAST_HOPS: number;
  readonly IPV6_MULTICAST_LOOP: number;
  readonly IPV6_JOIN_GROUP: number;
  readonly IPV6_LEAVE_GROUP: number;
  readonly MSG_TRUNC: number;
  readonly MSG_CTRUNC: number;
  /** Bytes of an interface's name, with its NUL. */
  readonly IF_NAMESIZE: number;
  /** ioctl(2): bytes that wait. */
  readonly FIONREAD: number;
  readonly POLLIN: number;
  readonly POLLOUT: number;
  readonly POLLERR: number;
  readonly POLLHUP: number;
  readonly POLLNVAL: number;
  /** 0 where the OS has no such flag (Windows). */
  readonly MSG_DONTWAIT: number;
}
