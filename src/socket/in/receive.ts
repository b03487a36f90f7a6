/**
 * One batch out of one socket's descriptor into the inbox: for each datagram name and control → rinfo, payload → message.
 * No code of a program runs here.
 */
import { failure } from '../../datagram/failure';
import type { Receiver } from '../../datagram/receiver';
import type { RemoteInfo } from '../../types';
import type { Core } from '../core';
import { publishStale } from '../diagnostics';
import { drainErrors } from './icmp';
import type { Inbox } from './inbox';

/** Receives in a row that brought nothing after which the socket is left alone for a while. */
const FRUITLESS = 8;

/**
 * → what the system call returned: datagrams, or -errno
 * @param looking has nobody said that there is something?
 */
export function receive(core: Core, inbox: Inbox, limit: number, looking = false): number {
  const { channel, receiver, stats, settings } = core;
  const received = receiver.receive(channel.fd, limit);
  stats.systemCallsIn++;
  if (received <= 0) {
    if (!looking || received !== -core.engine.host.platform.errno.EAGAIN) failed(core, inbox, received);
    return received;
  }
  core.fruitless = 0;
  stats.datagramsIn += received;
  if (core.port === 0) core.learnPort();
  const own = settings.ownBuffers ?? !core.batches;
  for (let slot = 0; slot < received; slot++) {
    const size = receiver.size(slot);
    const rinfo = receiver.rinfo(slot, size, core);
    if (settings.maxQueueTime !== undefined && receiver.age > settings.maxQueueTime) {
      stats.stale++;
      stats.bytesIn += size;
      publishStale(core.socket, rinfo);
      continue;
    }
    if (settings.gro === false) {
      stats.bytesIn += size;
      inbox.push(ownerOf(core, rinfo), receiver.message(slot, size, own), rinfo);
    } else takeRun(core, inbox, receiver, slot, size, rinfo, own);
  }
  return received;
}

/** A socket that was split off may hold what came for others before it was connected. */
function ownerOf(core: Core, rinfo: RemoteInfo): Core {
  const { parent, peer } = core;
  if (parent === undefined || peer === undefined || parent.closed) return core;
  return rinfo.port === core.peerPort && rinfo.address === peer.text ? core : parent;
}

/** The kernel may have coalesced several datagrams of one sender. */
function takeRun(
  core: Core,
  inbox: Inbox,
  receiver: Receiver,
  slot: number,
  size: number,
  rinfo: RemoteInfo,
  own: boolean,
): void {
  const { stats, settings } = core;
  const owner = ownerOf(core, rinfo);
  const segment = receiver.segment(size);
  if (segment === 0 && size > 0) {
    stats.truncated++; // they cannot be told apart any more, and together they are wrong
    stats.discarded++;
    return;
  }
  if (settings.gro === 'runs') {
    stats.bytesIn += size;
    stats.datagramsIn += segment === 0 ? 0 : Math.ceil(size / segment) - 1;
    if (segment < size) rinfo.segmentSize = segment;
    inbox.push(owner, receiver.message(slot, size, own), rinfo);
    return;
  }
  let offset = 0;
  do {
    const length = Math.min(segment, size - offset);
    const kept = Math.min(length, settings.maxDatagramSize);
    const about = kept === size ? rinfo : receiver.again(rinfo, kept);
    if (kept < length) {
      about.truncated = true;
      stats.truncated++;
    }
    if (offset > 0) stats.datagramsIn++;
    stats.bytesIn += kept;
    inbox.push(owner, receiver.message(slot, kept, own, offset), about);
    offset += length;
  } while (offset < size);
}

/** Empty, or an error, which is reported behind what came before it. One that never ends must not spin. */
function failed(core: Core, inbox: Inbox, result: number): void {
  const { platform } = core.engine.host;
  if (drainErrors(core) > 0) return;
  if (result !== 0 && result !== -platform.errno.EAGAIN) inbox.fail(core, failure(platform, result, 'recvmsg'));
  if (++core.fruitless > FRUITLESS) core.backOff();
}
