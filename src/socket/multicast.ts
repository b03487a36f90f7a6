/**
 * Groups and what goes to them, on either family, with libuv's checks (src/unix/udp.c). Each returns 0 or -errno; the
 * socket names the failure.
 */
import type { Channel } from '../datagram/channel';
import type { Endpoint } from '../datagram/endpoint';
import { isIPv4Endpoint } from '../datagram/endpoint';
import type { StructType } from '../structs/struct';

type Change = 'add' | 'drop';

export function setTTL(channel: Channel, ttl: number): number {
  const { constants: c, errno } = platformOf(channel);
  if (!(ttl >= 1 && ttl <= 255)) return -errno.EINVAL;
  return channel.family === 4
    ? channel.setInt(c.IPPROTO_IP, c.IP_TTL, ttl)
    : channel.setInt(c.IPPROTO_IPV6, c.IPV6_UNICAST_HOPS, ttl);
}

export function setMulticastTTL(channel: Channel, ttl: number): number {
  const { constants: c, errno, quirks } = platformOf(channel);
  if (!(ttl >= 0 && ttl <= 255)) return -errno.EINVAL;
  return channel.family === 4
    ? channel.setInt(c.IPPROTO_IP, c.IP_MULTICAST_TTL, ttl, quirks.ipMulticastOptionSize)
    : channel.setInt(c.IPPROTO_IPV6, c.IPV6_MULTICAST_HOPS, ttl);
}

export function setMulticastLoopback(channel: Channel, on: boolean): number {
  const { constants: c, quirks } = platformOf(channel);
  return channel.family === 4
    ? channel.setInt(c.IPPROTO_IP, c.IP_MULTICAST_LOOP, Number(on), quirks.ipMulticastOptionSize)
    : channel.setInt(c.IPPROTO_IPV6, c.IPV6_MULTICAST_LOOP, Number(on));
}

/** IPv4: one of the interface's addresses. IPv6: any address with the interface as its zone; without, the default. */
export function setMulticastInterface(channel: Channel, address: string): number {
  const { constants: c, errno } = platformOf(channel);
  if (channel.fd < 0) return -errno.EBADF;
  const end = channel.engine.names.endpoint(address);
  if (end === undefined || end.family !== channel.family) return -errno.EINVAL;
  if (end.family === 6) return channel.setInt(c.IPPROTO_IPV6, c.IPV6_MULTICAST_IF, end.scope);
  return channel.setBytes(c.IPPROTO_IP, c.IP_MULTICAST_IF, wordsToBytes(end.word0));
}

export function changeMembership(channel: Channel, change: Change, group: string, local: string | undefined): number {
  const { constants: c, errno, structs } = platformOf(channel);
  const to = channel.engine.names.endpoint(group);
  if (to === undefined) return -errno.EINVAL;
  const on = local ? channel.engine.names.endpoint(local) : undefined;
  if (local && (on === undefined || on.family !== to.family)) return -errno.EINVAL;
  if (to.family === 4) {
    const request = record(structs.ip_mreq, { imr_multiaddr: addressBytes(to), imr_interface: addressBytes(on) });
    return channel.setBytes(c.IPPROTO_IP, change === 'add' ? c.IP_ADD_MEMBERSHIP : c.IP_DROP_MEMBERSHIP, request);
  }
  const request = record(structs.ipv6_mreq, { ipv6mr_multiaddr: addressBytes(to), ipv6mr_interface: (on ?? to).scope });
  return channel.setBytes(c.IPPROTO_IPV6, change === 'add' ? c.IPV6_JOIN_GROUP : c.IPV6_LEAVE_GROUP, request);
}

export function changeSourceMembership(
  channel: Channel,
  change: Change,
  source: string,
  group: string,
  local: string | undefined,
): number {
  const { constants: c, errno, structs } = platformOf(channel);
  const { names, sockaddrs } = channel.engine;
  const [from, to] = [names.endpoint(source), names.endpoint(group)];
  const on = local ? names.endpoint(local) : undefined;
  if (from === undefined || to === undefined || from.family !== to.family) return -errno.EINVAL;
  if (local && (on === undefined || on.family !== to.family)) return -errno.EINVAL;
  if (isIPv4Endpoint(to)) {
    const request = record(structs.ip_mreq_source, {
      imr_multiaddr: addressBytes(to),
      imr_sourceaddr: addressBytes(from),
      imr_interface: addressBytes(on),
    });
    const name = change === 'add' ? c.IP_ADD_SOURCE_MEMBERSHIP : c.IP_DROP_SOURCE_MEMBERSHIP;
    return channel.setBytes(c.IPPROTO_IP, name, request);
  }
  const type = structs.group_source_req;
  if (type === undefined) return -(errno.ENOTSUP ?? errno.EOPNOTSUPP);
  const request = record(type, { gsr_interface: (on ?? to).scope });
  request.set(sockaddrs.encode(to, 0), type.fields.gsr_group.offset);
  request.set(sockaddrs.encode(from, 0), type.fields.gsr_source.offset);
  return channel.setBytes(
    c.IPPROTO_IPV6,
    change === 'add' ? c.MCAST_JOIN_SOURCE_GROUP : c.MCAST_LEAVE_SOURCE_GROUP,
    request,
  );
}

function platformOf(channel: Channel) {
  return channel.engine.host.platform;
}

function record(type: StructType, values: Record<string, unknown>): Buffer {
  return new type(Buffer.alloc(type.size), values).ref();
}

function addressBytes(end: Endpoint | undefined): Buffer {
  if (end === undefined) return wordsToBytes(0);
  return end.family === 4 ? wordsToBytes(end.word0) : wordsToBytes(end.word0, end.word1, end.word2, end.word3);
}

function wordsToBytes(...words: number[]): Buffer {
  return Buffer.from(Int32Array.from(words).buffer);
}
