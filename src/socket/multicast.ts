/**
 * Groups and what goes to them, on either family, with libuv's checks (src/unix/udp.c). Each returns 0 or -errno; the
 * socket names the failure.
 */
import type { Channel } from '../datagram/channel';
import type { Endpoint } from '../datagram/endpoint';
import { notSupported } from '../datagram/failure';
import { missing } from '../platform/settings';
import type { StructType } from '../structs/struct';

type Change = 'add' | 'drop';

export function setBroadcast(channel: Channel, on: boolean): number {
  const { constants: c } = platformOf(channel);
  return channel.setInt(c.SOL_SOCKET, c.SO_BROADCAST, Number(on));
}

/** Numbers are cut to 32 bits, as Node does before libuv looks at them. */
export function setTTL(channel: Channel, given: number): number {
  const { constants: c, errno } = platformOf(channel);
  const ttl = given | 0;
  if (!(ttl >= 1 && ttl <= 255)) return -errno.EINVAL;
  return channel.kind === 'udp4'
    ? channel.setInt(c.IPPROTO_IP, c.IP_TTL, ttl)
    : channel.setInt(c.IPPROTO_IPV6, c.IPV6_UNICAST_HOPS, ttl);
}

export function setMulticastTTL(channel: Channel, given: number): number {
  const { calls, constants: c, errno, quirks } = platformOf(channel);
  const ttl = given | 0;
  const least = calls === 'winsock' ? -1 : 0; // libuv's src/win/udp.c and src/unix/udp.c
  if (!(ttl >= least && ttl <= 255)) return -errno.EINVAL;
  return channel.kind === 'udp4'
    ? channel.setInt(c.IPPROTO_IP, c.IP_MULTICAST_TTL, ttl, quirks.ipMulticastOptionSize)
    : channel.setInt(c.IPPROTO_IPV6, c.IPV6_MULTICAST_HOPS, ttl);
}

export function setMulticastLoopback(channel: Channel, on: boolean): number {
  const { constants: c, quirks } = platformOf(channel);
  return channel.kind === 'udp4'
    ? channel.setInt(c.IPPROTO_IP, c.IP_MULTICAST_LOOP, Number(on), quirks.ipMulticastOptionSize)
    : channel.setInt(c.IPPROTO_IPV6, c.IPV6_MULTICAST_LOOP, Number(on));
}

/** IPv4: one of the interface's addresses. IPv6: any address with the interface as its zone; without, the default. */
export function setMulticastInterface(channel: Channel, address: string): number {
  const { constants: c, errno } = platformOf(channel);
  const end = interfaceOf(channel, address);
  if (end === undefined || end === null) return -errno.EINVAL;
  if (end.family === 6) return channel.setInt(c.IPPROTO_IPV6, c.IPV6_MULTICAST_IF, end.scope);
  return channel.setBytes(c.IPPROTO_IP, c.IP_MULTICAST_IF, wordsToBytes(end.word0));
}

/** @param open opens a descriptor where there is none yet; → 0 or -errno */
export function changeMembership(
  channel: Channel,
  open: () => number,
  change: Change,
  group: unknown,
  local: unknown,
): number {
  const { constants: c, errno, structs } = platformOf(channel);
  const to = channel.engine.names.endpoint(String(group));
  if (to === undefined) return -errno.EINVAL;
  const opened = open();
  if (opened < 0) return opened;
  if (isForeign(channel, to)) return -errno.EINVAL;
  const on = interfaceOf(channel, local);
  if (on === null || (on !== undefined && on.family !== to.family)) return -errno.EINVAL;
  if (to.family === 4) {
    const request = record(structs.ip_mreq, { imr_multiaddr: addressBytes(to), imr_interface: addressBytes(on) });
    return member(channel, change, c.IPPROTO_IP, [c.IP_ADD_MEMBERSHIP, c.IP_DROP_MEMBERSHIP], request);
  }
  const request = record(structs.ipv6_mreq, { ipv6mr_multiaddr: addressBytes(to), ipv6mr_interface: (on ?? to).scope });
  return member(channel, change, c.IPPROTO_IPV6, [c.IPV6_JOIN_GROUP, c.IPV6_LEAVE_GROUP], request);
}

/** → 0 or -errno. The channel remembers: should it need a second descriptor, that one has to hear the same. */
function member(
  channel: Channel,
  change: Change,
  level: number,
  [add, drop]: readonly [number | undefined, number | undefined],
  request: Buffer,
): number {
  const result = channel.setBytes(level, change === 'add' ? add : drop, request);
  if (result < 0 || add === undefined) return result;
  if (change === 'add') channel.joined(level, add, request);
  else channel.left(level, add, request);
  return result;
}

export function changeSourceMembership(
  channel: Channel,
  open: () => number,
  change: Change,
  source: string,
  group: string,
  local: unknown,
): number {
  const { constants: c, errno, structs } = platformOf(channel);
  const { names: known } = channel.engine;
  const [from, to] = [known.endpoint(source), known.endpoint(group)];
  if (from === undefined || to === undefined || from.family !== to.family) return -errno.EINVAL;
  const opened = open();
  if (opened < 0) return opened;
  if (isForeign(channel, to)) return -errno.EINVAL;
  const on = interfaceOf(channel, local);
  if (on === null || (on !== undefined && on.family !== to.family)) return -errno.EINVAL;
  const type = to.family === 4 ? structs.ip_mreq_source : structs.group_source_req;
  if (type === undefined) return notSupported(platformOf(channel)); // OpenBSD has no such groups
  if (to.family === 4) {
    const names = [c.IP_ADD_SOURCE_MEMBERSHIP, c.IP_DROP_SOURCE_MEMBERSHIP] as const;
    return member(channel, change, c.IPPROTO_IP, names, ipv4SourceRequest(channel, from, to, on));
  }
  const names = [c.MCAST_JOIN_SOURCE_GROUP, c.MCAST_LEAVE_SOURCE_GROUP] as const;
  return member(channel, change, c.IPPROTO_IPV6, names, ipv6SourceRequest(channel, from, to, on));
}

/** A struct ip_mreq_source. */
function ipv4SourceRequest(channel: Channel, from: Endpoint, to: Endpoint, on: Endpoint | undefined): Buffer {
  return record(platformOf(channel).structs.ip_mreq_source, {
    imr_multiaddr: addressBytes(to),
    imr_sourceaddr: addressBytes(from),
    imr_interface: addressBytes(on),
  });
}

/** A struct group_source_req. */
function ipv6SourceRequest(channel: Channel, from: Endpoint, to: Endpoint, on: Endpoint | undefined): Buffer {
  const { sockaddrs, host } = channel.engine;
  const type = host.platform.structs.group_source_req;
  const request = record(type, { gsr_interface: (on ?? to).scope });
  request.set(sockaddrs.encode(to, 0), type.fields.gsr_group.offset);
  request.set(sockaddrs.encode(from, 0), type.fields.gsr_source.offset);
  return request;
}

/** Hears a group without one source, or with it again: IP_BLOCK_SOURCE, MCAST_BLOCK_SOURCE (RFC 3678). */
export function changeSourceFilter(
  channel: Channel,
  change: 'block' | 'unblock',
  source: string,
  group: string,
  local: unknown,
): number {
  const { constants: c, errno, settings } = platformOf(channel);
  const offer = settings.blockSource;
  if (missing(offer)) return notSupported(platformOf(channel));
  const { names } = channel.engine;
  const [from, to] = [names.endpoint(source), names.endpoint(group)];
  if (from === undefined || to === undefined || from.family !== to.family) return -errno.EINVAL;
  const on = interfaceOf(channel, local);
  if (on === null || (on !== undefined && on.family !== to.family)) return -errno.EINVAL;
  if (to.family === 4) {
    const name = change === 'block' ? offer.ip : offer.ipUndo;
    return channel.setBytes(c.IPPROTO_IP, name, ipv4SourceRequest(channel, from, to, on));
  }
  const name = change === 'block' ? offer.any : offer.anyUndo;
  return channel.setBytes(c.IPPROTO_IPV6, name, ipv6SourceRequest(channel, from, to, on));
}

export function setTypeOfService(channel: Channel, tos: number): number {
  const { constants: c } = platformOf(channel);
  if (channel.kind === 'udp4') return channel.setInt(c.IPPROTO_IP, c.IP_TOS, tos);
  // IPv4 peers of a dual-stack socket heed IPv4's option, where the OS takes it there (P14).
  if (channel.kind === 'dual') channel.setInt(c.IPPROTO_IP, c.IP_TOS, tos);
  return channel.setInt(c.IPPROTO_IPV6, c.IPV6_TCLASS, tos);
}

/** → or -errno */
export function getTypeOfService(channel: Channel): number {
  const { constants: c } = platformOf(channel);
  return channel.kind === 'udp4'
    ? channel.getInt(c.IPPROTO_IP, c.IP_TOS)
    : channel.getInt(c.IPPROTO_IPV6, c.IPV6_TCLASS as number);
}

/** On Windows libuv takes groups of the socket's own family only (src/win/udp.c). */
function isForeign(channel: Channel, group: Endpoint): boolean {
  return platformOf(channel).calls === 'winsock' && group.family !== channel.family;
}

/** undefined: the system's choice; null: no address. */
function interfaceOf(channel: Channel, local: unknown): Endpoint | undefined | null {
  if (local === undefined || local === null) return undefined;
  const { names, host } = channel.engine;
  const text = String(local);
  const [address, zone] = text.split('%');
  // libuv's zones are names, and numbers on Windows alone. One that names no interface is the default one to it.
  const numbered =
    zone !== undefined && address.includes(':') && host.platform.calls !== 'winsock' && /^\d*$/.test(zone);
  if (numbered && (zone === '' || host.syscalls.if_nametoindex(zone) === 0)) return names.endpoint(address) ?? null;
  return names.endpoint(text) ?? null;
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
