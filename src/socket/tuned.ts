/**
 * The lower half of the Socket: what is set and asked on the descriptor (time to live, groups, buffers), with dgram's
 * names and errors. Which setsockopt that takes is multicast.ts' and buffer-size.ts' to know.
 */
import { EventEmitter } from 'node:events';
import { failure } from '../datagram/failure';
import { invalidArgType, missingArgs } from '../errors';
import type { ReceivedMessage, RemoteInfo } from '../types';
import { bufferSize } from './buffer-size';
import * as multicast from './multicast';
import { kState, type State } from './state';

/** What one socket emits, beside dgram's own events. */
export interface SocketEvents {
  close: [];
  connect: [];
  error: [Error];
  listening: [];
  message: [Buffer, RemoteInfo];
  messages: [ReceivedMessage[]];
}

export abstract class Tuned extends EventEmitter<SocketEvents> {
  /** @internal */
  declare readonly [kState]: State;

  setBroadcast(flag: boolean): void {
    check(this, multicast.setBroadcast(this[kState].life.health(), Boolean(flag)), 'setBroadcast');
  }

  setTTL(ttl: number): number {
    number('ttl', ttl);
    check(this, multicast.setTTL(this[kState].life.health(), ttl), 'setTTL');
    return ttl;
  }

  setMulticastTTL(ttl: number): number {
    number('ttl', ttl);
    check(this, multicast.setMulticastTTL(this[kState].life.health(), ttl), 'setMulticastTTL');
    return ttl;
  }

  setMulticastLoopback(flag: boolean): boolean {
    const on = Boolean(flag);
    check(this, multicast.setMulticastLoopback(this[kState].life.health(), on), 'setMulticastLoopback');
    return flag;
  }

  setMulticastInterface(multicastInterface: string): void {
    const channel = this[kState].life.health();
    string('interfaceAddress', multicastInterface);
    check(this, multicast.setMulticastInterface(channel, multicastInterface), 'setMulticastInterface');
  }

  addMembership(multicastAddress: string, multicastInterface?: string): void {
    member(this, 'add', multicastAddress, multicastInterface);
  }

  dropMembership(multicastAddress: string, multicastInterface?: string): void {
    member(this, 'drop', multicastAddress, multicastInterface);
  }

  addSourceSpecificMembership(sourceAddress: string, groupAddress: string, multicastInterface?: string): void {
    sourceMember(this, 'add', sourceAddress, groupAddress, multicastInterface);
  }

  dropSourceSpecificMembership(sourceAddress: string, groupAddress: string, multicastInterface?: string): void {
    sourceMember(this, 'drop', sourceAddress, groupAddress, multicastInterface);
  }

  setRecvBufferSize(size: number): void {
    bufferSize(this[kState].life.health(), 'recv', size);
  }

  setSendBufferSize(size: number): void {
    bufferSize(this[kState].life.health(), 'send', size);
  }

  getRecvBufferSize(): number {
    return bufferSize(this[kState].life.health(), 'recv', 0);
  }

  getSendBufferSize(): number {
    return bufferSize(this[kState].life.health(), 'send', 0);
  }

  /** Bytes that wait to be sent. @throws ERR_SOCKET_DGRAM_NOT_RUNNING */
  getSendQueueSize(): number {
    this[kState].life.health();
    return this[kState].life.flow?.sender.pendingBytes ?? 0;
  }

  /** Datagrams that wait to be sent. @throws ERR_SOCKET_DGRAM_NOT_RUNNING */
  getSendQueueCount(): number {
    this[kState].life.health();
    return this[kState].life.flow?.sender.pending ?? 0;
  }
}

/** @throws the kernel's error */
function check(socket: Tuned, result: number, syscall: string): void {
  if (result < 0) throw failure(socket[kState].platform, result, syscall);
}

function member(socket: Tuned, change: 'add' | 'drop', group: unknown, local: unknown): void {
  const { life } = socket[kState];
  const channel = life.health();
  if (!group) throw missingArgs('multicastAddress');
  const result = multicast.changeMembership(channel, () => life.openEarly(), change, group, local);
  check(socket, result, `${change}Membership`);
}

function sourceMember(socket: Tuned, change: 'add' | 'drop', source: string, group: string, local: unknown): void {
  const { life } = socket[kState];
  const channel = life.health();
  string('sourceAddress', source);
  string('groupAddress', group);
  const result = multicast.changeSourceMembership(channel, () => life.openEarly(), change, source, group, local);
  check(socket, result, `${change}SourceSpecificMembership`);
}

function number(name: string, value: unknown): void {
  if (typeof value !== 'number') throw invalidArgType(name, 'of type number', value);
}

function string(name: string, value: unknown): void {
  if (typeof value !== 'string') throw invalidArgType(name, 'of type string', value);
}
