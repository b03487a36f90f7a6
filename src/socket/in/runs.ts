/** What the kernel has coalesced, taken apart again; and whose it is, where sockets were split from one another. */
import type { RemoteInfo } from '../../types';
import type { Core } from '../core';
import type { Inbox } from './inbox';

/** A socket that was split off may hold what came for others before it was connected. */
export function ownerOf(core: Core, rinfo: RemoteInfo): Core {
  const { parent, peer } = core;
  if (parent === undefined || peer === undefined || parent.closed) return core;
  return rinfo.port === core.peerPort && rinfo.address === peer.text ? core : parent;
}

/** Slot `slot` may hold several datagrams of one sender. @param rinfo of all of them */
export function takeRun(core: Core, inbox: Inbox, slot: number, rinfo: RemoteInfo, own: boolean): void {
  const { receiver, stats, settings } = core;
  const { size } = rinfo;
  const owner = ownerOf(core, rinfo);
  const segment = receiver.segment(size);
  if (segment === 0 && size > 0) {
    stats.truncated++; // they cannot be told apart any more, and together they are wrong
    stats.discarded++;
    stats.bytesIn -= size;
    return;
  }
  if (settings.gro === 'runs') {
    stats.datagramsIn += segment === 0 ? 0 : Math.ceil(size / segment) - 1;
    if (segment < size) rinfo.segmentSize = segment;
    inbox.push(owner, receiver.message(slot, size, own), rinfo);
    return;
  }
  let offset = 0;
  do {
    const length = Math.min(segment, size - offset);
    const kept = Math.min(length, settings.maxDatagramSize);
    const about = kept === size ? rinfo : receiver.again(rinfo, kept, core);
    if (kept < length) {
      about.truncated = true;
      stats.truncated++;
      stats.bytesIn -= length - kept;
    }
    if (offset > 0) stats.datagramsIn++;
    inbox.push(owner, receiver.message(slot, kept, own, offset), about);
    offset += length;
  } while (offset < size);
}
