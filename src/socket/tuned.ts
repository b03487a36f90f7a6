/**
 * The lower half of the Socket: what is set and asked on the descriptor (time to live, groups, buffers), with dgram's
 * names and errors. Which setsockopt that takes is multicast.ts' and buffer-size.ts' to know. After close() all of it
 * throws ERR_SOCKET_DGRAM_NOT_RUNNING; what the kernel refuses is thrown as its error, EBADF before the socket is bound.
 */
import { EventEmitter } from 'node:events';
import { invalidArgType, missingArgs } from '../errors';
import type { EmitterClass, SocketEvents } from '../types';
import { bufferSize } from './buffer-size';
import { type Core, kState } from './core';
import { openEarly } from './life/bind';
import * as multicast from './multicast';

export abstract class Tuned extends (EventEmitter as unknown as EmitterClass<SocketEvents>) {
  /** @internal */
  declare readonly [kState]: Core;

  /** SO_BROADCAST, off by default: without it a send to a broadcast address is EACCES. */
  setBroadcast(flag: boolean): void {
    check(this, multicast.setBroadcast(this[kState].openChannel(), Boolean(flag)), 'setBroadcast');
  }

  /** Time to live / hop limit of unicast datagrams, 1…255. @throws EINVAL, ERR_INVALID_ARG_TYPE */
  setTTL(ttl: number): number {
    number('ttl', ttl);
    check(this, multicast.setTTL(this[kState].openChannel(), ttl), 'setTTL');
    return ttl;
  }

  /** The same of multicast datagrams, 0…255; the kernel's default is 1. @throws EINVAL, ERR_INVALID_ARG_TYPE */
  setMulticastTTL(ttl: number): number {
    number('ttl', ttl);
    check(this, multicast.setMulticastTTL(this[kState].openChannel(), ttl), 'setMulticastTTL');
    return ttl;
  }

  /** Does this host hear what the socket sends to groups? By default yes. On Windows the receiving socket decides. */
  setMulticastLoopback(flag: boolean): boolean {
    const on = Boolean(flag);
    check(this, multicast.setMulticastLoopback(this[kState].openChannel(), on), 'setMulticastLoopback');
    return flag;
  }

  /**
   * The interface that groups are sent to: one of its addresses (IPv4), or any address with it as zone, `::%eth1` (IPv6).
   * @throws EINVAL, EADDRNOTAVAIL, ERR_INVALID_ARG_TYPE
   */
  setMulticastInterface(multicastInterface: string): void {
    const channel = this[kState].openChannel();
    string('interfaceAddress', multicastInterface);
    check(this, multicast.setMulticastInterface(channel, multicastInterface), 'setMulticastInterface');
  }

  /**
   * Joins a group, on the interface that {@link setMulticastInterface} would take by that name, else on the one that the
   * kernel chooses. A socket that is not bound is bound to any port.
   * @throws ERR_MISSING_ARGS, EINVAL, EADDRINUSE (joined already), ENODEV
   */
  addMembership(multicastAddress: string, multicastInterface?: string): void {
    member(this, 'add', multicastAddress, multicastInterface);
  }

  /** Leaves a group; close() leaves all. @throws ERR_MISSING_ARGS, EINVAL, EADDRNOTAVAIL (not joined) */
  dropMembership(multicastAddress: string, multicastInterface?: string): void {
    member(this, 'drop', multicastAddress, multicastInterface);
  }

  /**
   * Joins a group for what `sourceAddress` sends to it.
   * @throws ERR_INVALID_ARG_TYPE, EINVAL, EADDRNOTAVAIL (joined already), ENODEV; ENOTSUP on OpenBSD and NetBSD
   */
  addSourceSpecificMembership(sourceAddress: string, groupAddress: string, multicastInterface?: string): void {
    sourceMember(this, 'add', sourceAddress, groupAddress, multicastInterface);
  }

  /** @throws ERR_INVALID_ARG_TYPE; EINVAL or EADDRNOTAVAIL (not joined) */
  dropSourceSpecificMembership(sourceAddress: string, groupAddress: string, multicastInterface?: string): void {
    sourceMember(this, 'drop', sourceAddress, groupAddress, multicastInterface);
  }

  /** SO_RCVBUF, in bytes. @throws ERR_SOCKET_BAD_BUFFER_SIZE, ERR_SOCKET_BUFFER_SIZE (before the socket is bound, too) */
  setRecvBufferSize(size: number): void {
    bufferSize(this[kState].openChannel(), 'recv', size);
  }

  /** SO_SNDBUF, in bytes. @throws as {@link setRecvBufferSize} */
  setSendBufferSize(size: number): void {
    bufferSize(this[kState].openChannel(), 'send', size);
  }

  /** Bytes, as the kernel counts them: Linux says twice what was set. @throws ERR_SOCKET_BUFFER_SIZE */
  getRecvBufferSize(): number {
    return bufferSize(this[kState].openChannel(), 'recv', 0);
  }

  /** As {@link getRecvBufferSize}. */
  getSendBufferSize(): number {
    return bufferSize(this[kState].openChannel(), 'send', 0);
  }

  /** Bytes that wait to be sent. @throws ERR_SOCKET_DGRAM_NOT_RUNNING */
  getSendQueueSize(): number {
    this[kState].openChannel();
    return this[kState].sender?.pendingBytes ?? 0;
  }

  /** Datagrams that wait to be sent. @throws ERR_SOCKET_DGRAM_NOT_RUNNING */
  getSendQueueCount(): number {
    this[kState].openChannel();
    return this[kState].sender?.pending ?? 0;
  }
}

/** @throws the kernel's error */
function check(socket: Tuned, result: number, syscall: string): void {
  socket[kState].check(result, syscall);
}

function member(socket: Tuned, change: 'add' | 'drop', group: unknown, local: unknown): void {
  const core = socket[kState];
  const channel = core.openChannel();
  if (!group) throw missingArgs('multicastAddress');
  const result = multicast.changeMembership(channel, () => openEarly(core), change, group, local);
  check(socket, result, `${change}Membership`);
}

function sourceMember(socket: Tuned, change: 'add' | 'drop', source: string, group: string, local: unknown): void {
  const core = socket[kState];
  const channel = core.openChannel();
  string('sourceAddress', source);
  string('groupAddress', group);
  const result = multicast.changeSourceMembership(channel, () => openEarly(core), change, source, group, local);
  check(socket, result, `${change}SourceSpecificMembership`);
}

function number(name: string, value: unknown): void {
  if (typeof value !== 'number') throw invalidArgType(name, 'of type number', value);
}

function string(name: string, value: unknown): void {
  if (typeof value !== 'string') throw invalidArgType(name, 'of type string', value);
}
