/**
 * The lower half of the Socket: what is set and asked on the descriptor (time to live, groups, buffers), with dgram's
 * names and errors. Which setsockopt that takes is multicast.ts' and buffer-size.ts' to know. After close() all of it
 * throws ERR_SOCKET_DGRAM_NOT_RUNNING; what the kernel refuses is thrown as its error, EBADF before the socket is bound.
 */
import { EventEmitter } from 'node:events';
import { block, wordsOf } from '../datagram/ring';
import { invalidArgType, missingArgs, notConnected, unsupportedOption } from '../errors';
import { missing } from '../platform/settings';
import type { EmitterClass, Instruction, SocketEvents } from '../types';
import { bufferSize } from './buffer-size';
import { type Core, kState } from './core';
import { attach, instructions } from './filter';
import { openEarly } from './life/bind';
import * as multicast from './multicast';
import { checkInteger } from './options';

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

  /**
   * Hears a group without what one source sends to it. @throws EINVAL, EADDRNOTAVAIL (not joined, or blocked already);
   * ENOTSUP where the OS cannot
   */
  blockSource(sourceAddress: string, groupAddress: string, multicastInterface?: string): void {
    sourceFilter(this, 'block', sourceAddress, groupAddress, multicastInterface);
  }

  /** Undoes {@link blockSource}. @throws as it */
  unblockSource(sourceAddress: string, groupAddress: string, multicastInterface?: string): void {
    sourceFilter(this, 'unblock', sourceAddress, groupAddress, multicastInterface);
  }

  /**
   * Any option of setsockopt(2), by the numbers of `constants` of recvfromto/libc.
   * @param value a number or boolean is a C int; a string has no NUL of its own; bytes are taken as they are
   * @throws the kernel's error: EBADF before bind(), ENOPROTOOPT, EINVAL, EPERM; ERR_INVALID_ARG_TYPE, ERR_OUT_OF_RANGE
   */
  setsockopt(level: number, name: number, value: number | boolean | string | Uint8Array): void {
    const channel = this[kState].openChannel();
    checkInteger('level', level, INT_MIN, INT_MAX);
    checkInteger('name', name, INT_MIN, INT_MAX);
    check(this, channel.setBytes(level, name, optionBytes(value)), 'setsockopt');
  }

  /**
   * @param length bytes to ask for; the kernel may give fewer. Default 4
   * @returns a number where it is a C int and no length was given, else the bytes
   * @throws as {@link setsockopt}
   */
  getsockopt(level: number, name: number): number;
  getsockopt(level: number, name: number, length: number): Buffer;
  getsockopt(level: number, name: number, length?: number): number | Buffer {
    const channel = this[kState].openChannel();
    checkInteger('level', level, INT_MIN, INT_MAX);
    checkInteger('name', name, INT_MIN, INT_MAX);
    const room = length === undefined ? 4 : checkInteger('length', length, 1, 65536);
    const result = channel.getBytes(level, name, room);
    if (typeof result === 'number') {
      check(this, result, 'getsockopt');
      return Buffer.alloc(0);
    }
    return length === undefined && result.length === 4
      ? new Int32Array(result.buffer, result.byteOffset, 1)[0]
      : result;
  }

  /** TOS or traffic class of what is sent, 0…255. As net.Socket's. @throws EINVAL, ERR_OUT_OF_RANGE */
  setTypeOfService(tos: number): this {
    const channel = this[kState].openChannel();
    checkInteger('tos', tos, 0, 255);
    check(this, multicast.setTypeOfService(channel, tos), 'setTypeOfService');
    return this;
  }

  /** @throws the kernel's error, EBADF before bind() */
  getTypeOfService(): number {
    const result = multicast.getTypeOfService(this[kState].openChannel());
    check(this, result, 'getTypeOfService');
    return result;
  }

  /**
   * Takes only what a program of classic BPF lets through; null: everything again. It sees UDP's header first.
   * @param filter `[code, jt, jf, k]` each
   * @throws ERR_INVALID_ARG_TYPE, ERR_INVALID_ARG_VALUE; EINVAL for a program that the kernel does not like;
   * ERR_RECVFROMTO_UNSUPPORTED_OPTION where the OS cannot
   */
  setFilter(filter: readonly Instruction[] | null): void {
    const channel = this[kState].openChannel();
    const offer = channel.engine.host.platform.settings.filter;
    if (missing(offer)) throw unsupportedOption('setFilter', offer.because);
    const result =
      filter === null
        ? channel.setInt(offer.detach.level, offer.detach.name, 0)
        : attach(channel, offer.attach, instructions('filter', filter));
    check(this, result, 'setFilter');
  }

  /**
   * The path MTU to the peer of a connected socket as this host knows it, in bytes of IP.
   * @throws ERR_SOCKET_DGRAM_NOT_CONNECTED; ENOTSUP where the OS does not tell
   */
  pathMtu(): number {
    const core = this[kState];
    const channel = core.openChannel();
    if (core.peer === undefined) throw notConnected();
    const result = core.engine.pathMtuOf(channel.fd, core.peer);
    check(this, result, 'pathMtu');
    return result;
  }

  /** Bytes that wait in the kernel's receive queue, as the OS counts them. @throws the kernel's error */
  getRecvQueueSize(): number {
    const { fd, engine } = this[kState].openChannel();
    const { platform, syscalls } = engine.host;
    const { SOL_SOCKET, SO_MEMINFO, FIONREAD } = platform.constants;
    if (fd < 0) check(this, -platform.errno.EBADF, 'getRecvQueueSize');
    // Linux's FIONREAD tells of the next datagram alone (udp(7)); SK_MEMINFO_RMEM_ALLOC is the first of its words.
    const words = block(36);
    const result =
      SO_MEMINFO !== undefined
        ? syscalls.getsockopt(fd, SOL_SOCKET, SO_MEMINFO, words)
        : syscalls.ioctlInt(fd, FIONREAD as number);
    check(this, result, 'getRecvQueueSize');
    return SO_MEMINFO !== undefined ? wordsOf(words)[0] : result;
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
  core.groups?.change(change, String(group));
}

function sourceMember(socket: Tuned, change: 'add' | 'drop', source: string, group: string, local: unknown): void {
  const core = socket[kState];
  const channel = core.openChannel();
  string('sourceAddress', source);
  string('groupAddress', group);
  const result = multicast.changeSourceMembership(channel, () => openEarly(core), change, source, group, local);
  check(socket, result, `${change}SourceSpecificMembership`);
  core.groups?.change(change, group);
}

function sourceFilter(socket: Tuned, change: 'block' | 'unblock', source: string, group: string, local: unknown): void {
  const channel = socket[kState].openChannel();
  string('sourceAddress', source);
  string('groupAddress', group);
  check(socket, multicast.changeSourceFilter(channel, change, source, group, local), `${change}Source`);
}

const INT_MIN = -0x8000_0000;
const INT_MAX = 0x7fff_ffff;

function optionBytes(value: unknown): Buffer {
  if (typeof value === 'boolean') return optionBytes(Number(value));
  if (typeof value === 'number') {
    const bytes = block(4);
    wordsOf(bytes)[0] = checkInteger('value', value, INT_MIN, 0xffff_ffff);
    return bytes;
  }
  if (typeof value === 'string') return Buffer.from(`${value}\0`);
  if (!ArrayBuffer.isView(value))
    throw invalidArgType('value', 'of type number, boolean or string or an instance of Buffer', value);
  const bytes = Buffer.from(new Uint8Array(value.buffer, value.byteOffset, value.byteLength));
  if (bytes.length === 0) throw invalidArgType('value', 'at least one byte', value);
  return bytes;
}

function number(name: string, value: unknown): void {
  if (typeof value !== 'number') throw invalidArgType(name, 'of type number', value);
}

function string(name: string, value: unknown): void {
  if (typeof value !== 'string') throw invalidArgType(name, 'of type string', value);
}
