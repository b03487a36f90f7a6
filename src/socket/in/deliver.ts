/** From the inbox to the listeners of one socket: filtered, and remembered where it is sticky. */
import type { RemoteInfo } from '../../types';
import type { Core } from '../core';
import { publishDropped } from '../diagnostics';
import type { Inbox } from './inbox';

/** Delivers the oldest entry, which is this socket's; all that follow, too, where it listens for 'messages'. → how many */
export function deliver(core: Core, inbox: Inbox): number {
  if (core.paused && !core.closed) {
    const taken = inbox.take(core);
    core.held = [...core.held, ...taken];
    return taken.length;
  }
  const { msg, about } = inbox;
  if (msg !== undefined && !core.closed && core.batches) return deliverBatch(core, inbox);
  inbox.drop();
  if (msg !== undefined) deliverMessage(core, msg, about as RemoteInfo);
  else if (!core.closed) core.socket.emit('error', about);
  return 1;
}

function deliverMessage(core: Core, msg: Buffer, rinfo: RemoteInfo): void {
  const wanted = core.closed || wants(core, rinfo);
  if (core.closed) {
    core.stats.discarded++; // perhaps by a filter of the program
    publishDropped(core.socket, 'discarded', rinfo);
  } else if (!wanted) {
    core.stats.filtered++;
    publishDropped(core.socket, 'filtered', rinfo);
  } else if (core.sticky === undefined) core.socket.emit('message', msg, rinfo);
  else core.sticky.deliver(core, msg, rinfo);
}

function deliverBatch(core: Core, inbox: Inbox): number {
  const limit = core.settings.batch;
  const batch: { msg: Buffer; rinfo: RemoteInfo }[] = [];
  let taken = 0;
  try {
    for (let { msg } = inbox; inbox.core === core && msg !== undefined && taken < limit; { msg } = inbox) {
      const rinfo = inbox.about as RemoteInfo;
      inbox.drop();
      taken++;
      if (wants(core, rinfo)) batch.push({ msg, rinfo });
      else {
        core.stats.filtered++;
        publishDropped(core.socket, 'filtered', rinfo);
      }
      if (core.closed) break; // by a filter of the program
    }
  } finally {
    // Also where a filter has thrown: that costs one datagram, not the batch.
    if (core.closed) {
      core.stats.discarded += batch.length;
      for (const { rinfo } of batch) publishDropped(core.socket, 'discarded', rinfo);
    } else if (batch.length > 0) emitBatch(core, batch);
  }
  return taken;
}

function emitBatch(core: Core, batch: { msg: Buffer; rinfo: RemoteInfo }[]): void {
  if (core.sticky !== undefined) for (const { rinfo } of batch) core.sticky.hear(rinfo);
  core.socket.emit('messages', batch);
}

/** @throws what a filter of the program throws: the datagram is gone then, and counted */
function wants(core: Core, rinfo: RemoteInfo): boolean {
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
