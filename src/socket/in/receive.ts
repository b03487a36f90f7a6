/**
 * The way in, for one socket: a batch out of its descriptor → for each datagram name and control → rinfo, payload → message,
 * into the inbox. And, when it is its turn: out of the inbox → filtered → to the listeners. No code of a program runs in
 * the first half. A datagram that comes alone does without the inbox.
 */
import { failure } from '../../datagram/failure';
import { missing } from '../../platform/settings';
import type { RemoteInfo } from '../../types';
import type { Core } from '../core';
import { publishDropped, publishStale } from '../diagnostics';
import { drainErrors } from './icmp';
import type { Entry, Inbox } from './inbox';
import { ownerOf, takeRun } from './runs';

/** Receives in a row that brought nothing after which the socket is left alone for a while. */
const FRUITLESS = 8;
/**
 * Receives in a row that brought one datagram after which one is asked for: the kernel need not look for another, and says
 * so again where there is one. Now and then all are asked for, as it may have become many.
 */
export const SPARSE = 8;
export const LOOK_AROUND = 16;

/**
 * Takes up to `limit` datagrams out of the descriptor, into the slots of the receiver. → how many, or -errno
 * @param looking has nobody said that there is something?
 */
export function receive(core: Core, inbox: Inbox, limit: number, looking = false): number {
  const { channel, receiver, stats } = core;
  const received = receiver.receive(channel.fd, limit);
  stats.systemCallsIn++;
  if (received <= 0) {
    if (!looking || received !== -core.engine.host.platform.errno.EAGAIN) failed(core, inbox, received);
    return received;
  }
  core.fruitless = 0;
  core.ones = received === 1 ? core.ones + 1 : 0;
  core.expected = core.ones < SPARSE || core.ones % LOOK_AROUND === 0 ? core.batch : 1;
  stats.datagramsIn += received;
  if (core.port === 0) core.learnPort();
  return received;
}

/** As {@link receive}, and puts what has come into the inbox: name and control → rinfo, payload → message. */
export function receiveBatch(core: Core, inbox: Inbox, limit: number, looking = false): number {
  const received = receive(core, inbox, limit, looking);
  const { channel, receiver, stats, settings } = core;
  const { maxQueueTime, gro } = settings;
  const own = settings.ownBuffers ?? !core.batches;
  for (let slot = 0; slot < received; slot++) {
    try {
      const rinfo = receiver.rinfo(slot, core);
      const { size } = rinfo;
      if (maxQueueTime !== undefined && receiver.age > maxQueueTime) {
        stats.stale++;
        publishStale(core.socket, rinfo);
      } else if (gro === false) {
        const owner = core.parent === undefined ? core : ownerOf(core, rinfo);
        inbox.push(owner, receiver.message(slot, size, own), rinfo);
      } else takeRun(core, inbox, slot, rinfo, own);
    } catch (error) {
      lost(core, inbox, error as Error);
    }
  }
  // An error behind them that the kernel has forgotten: nobody else would ask for it.
  if (received > 0 && received < limit && core.engine.host.syscalls.late?.has(channel.fd))
    failed(core, inbox, receiver.receive(channel.fd, 1));
  return received;
}

/** There was no memory for a datagram: its socket hears of that, and the others of the batch are delivered. */
export function lost(core: Core, inbox: Inbox, error: Error): void {
  core.stats.discarded++;
  inbox.push(core, undefined, error);
}

/** Empty, or an error, which is reported behind what came before it. One that never ends must not spin. */
function failed(core: Core, inbox: Inbox, result: number): void {
  const { platform } = core.engine.host;
  if (drainErrors(core) > 0) return;
  if (isOverflow(core, result)) {
    core.stats.droppedByKernel++;
    return;
  }
  if (result !== 0 && result !== -platform.errno.EAGAIN)
    inbox.push(core, undefined, failure(platform, result, 'recvmsg'));
  if (++core.fruitless > FRUITLESS) core.backOff();
}

/** BSD, with `recvDrops`: the receive queue was full, and so many datagrams that nobody has counted are lost. */
function isOverflow({ engine, settings }: Core, result: number): boolean {
  const { settings: offers, errno } = engine.host.platform;
  return (
    settings.wishes.asked.includes('recvDrops') &&
    !missing(offers.overflow) &&
    result === -errno[offers.overflow.errno]!
  );
}

/**
 * Delivers the oldest entry of `core`, whose turn it is; all that follow, too, where it listens for 'messages'. Called in its
 * async context. → how many
 */
export function deliverOldest(core: Core, inbox: Inbox): number {
  if (inbox.core !== core) return 0; // a hook of the program (async_hooks) has let another one go on
  if (core.paused && !core.closed) {
    const taken = inbox.take(core);
    core.held = [...core.held, ...taken];
    return taken.length;
  }
  const { msg, about } = core.oldest as Entry;
  if (msg !== undefined && !core.closed && core.batches) return deliverBatch(core, inbox);
  inbox.drop();
  return deliver(core, msg, about as RemoteInfo | Error);
}

/** Delivers one message, or an error, in the async context of its socket. → 1 */
export function deliver(core: Core, msg: Buffer | undefined, about: RemoteInfo | Error): 1 {
  if (core.closed || core.paused || msg === undefined) {
    putAside(core, msg, about);
    return 1;
  }
  const rinfo = about as RemoteInfo;
  // Perhaps a filter of the program closes it.
  if (core.chooses && (!isWanted(core, rinfo) || core.closed)) leaveOut(core, rinfo);
  else if (core.sticky === undefined) core.socket.emit('message', msg, rinfo);
  else core.sticky.deliver(core, msg, rinfo);
  return 1;
}

/** What is no message, or must not be delivered now. */
function putAside(core: Core, msg: Buffer | undefined, about: RemoteInfo | Error): void {
  if (core.closed && msg !== undefined) leaveOut(core, about as RemoteInfo);
  else if (!core.closed && core.paused) core.held = [...core.held, { msg, about, next: undefined }];
  else if (!core.closed) core.socket.emit('error', about);
}

function deliverBatch(core: Core, inbox: Inbox): number {
  const limit = core.settings.batch;
  const batch: { msg: Buffer; rinfo: RemoteInfo }[] = [];
  let taken = 0;
  try {
    // A filter may let another socket go on, and then it is that one's turn.
    while (inbox.core === core && core.oldest?.msg !== undefined && taken < limit && !core.closed) {
      const { msg, about } = core.oldest;
      const rinfo = about as RemoteInfo;
      inbox.drop();
      taken++;
      if (!core.chooses || isWanted(core, rinfo)) batch.push({ msg, rinfo });
      else leaveOut(core, rinfo);
    }
  } finally {
    // Also where a filter has thrown: that costs one datagram, not the batch.
    if (core.closed) for (const { rinfo } of batch) leaveOut(core, rinfo);
    else if (batch.length > 0) emitBatch(core, batch);
  }
  return taken;
}

function emitBatch(core: Core, batch: { msg: Buffer; rinfo: RemoteInfo }[]): void {
  if (core.sticky !== undefined) for (const { rinfo } of batch) core.sticky.hear(rinfo);
  core.socket.emit('messages', batch);
}

/** Counts what is not delivered, after close() or because of a filter. */
function leaveOut(core: Core, rinfo: RemoteInfo): void {
  const reason = core.closed ? 'discarded' : 'filtered';
  core.stats[reason]++;
  publishDropped(core.socket, reason, rinfo);
}

/** @throws what a filter of the program throws: the datagram is gone then, and counted */
function isWanted(core: Core, rinfo: RemoteInfo): boolean {
  const { accept, receiveBlockList } = core.settings;
  if (core.groups !== undefined && !core.groups.hears(rinfo)) return false;
  if (core.device !== 0 && rinfo.destination?.ifindex !== core.device) return false;
  if (accept === undefined && receiveBlockList === undefined) return true;
  try {
    if (receiveBlockList?.check(rinfo.address, rinfo.family === 'IPv4' ? 'ipv4' : 'ipv6')) return false;
    if (accept === undefined) return true;
    // A filter lets in what it names: a datagram that does not say where it went to has no name.
    return rinfo.destination !== undefined && accept(rinfo.destination);
  } catch (error) {
    core.stats.filtered++;
    throw error;
  }
}
