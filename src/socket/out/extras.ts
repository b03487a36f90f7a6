/** What goes with a datagram beside its addresses: what it needs of the socket and of the process, and what answers carry. */
import { replyInterface } from '../../datagram/answer';
import type { Endpoint } from '../../datagram/endpoint';
import type { Extras } from '../../datagram/envelopes';
import { failure } from '../../datagram/failure';
import type { Settle } from '../../datagram/send-ring';
import { missing } from '../../platform/settings';
import type { RemoteInfo, ReplyTo } from '../../types';
import type { Core } from '../core';

/** Makes the socket fit for them. → why it cannot be */
export function prepare(core: Core, remote: Endpoint, port: number, { txTime }: Extras): Error | undefined {
  const failed = txTime === undefined ? 0 : core.channel.enableTxTime();
  if (failed === 0) return undefined;
  const error = failure(core.engine.host.platform, failed, 'send', { address: remote.text, port });
  error.message += ' (txTime was refused)';
  return error;
}

/** Names the privilege that a mark needs in the error of a datagram that had one. → `error` */
export function explained(core: Core, extras: Extras | undefined, error: Error): Error {
  const { mark } = core.engine.host.platform.settings;
  if (extras?.mark === undefined || missing(mark) || mark.needs === undefined) return error;
  if ((error as NodeJS.ErrnoException).code === 'EPERM') error.message += ` (mark needs ${mark.needs})`;
  return error;
}

/** The same of an error that comes later. */
export function explaining(core: Core, extras: Extras, told: Settle): Settle {
  if (extras.mark === undefined) return told;
  return { settle: (error, bytes) => told.settle(error && explained(core, extras, error), bytes) };
}

/** Routing chooses the interface of an answer, or rule 5; the mark is the request's, where that is wanted. */
export function replyExtras(core: Core, remote: Endpoint, rinfo: ReplyTo): Extras | undefined {
  const { ingress, replyMark } = core.settings;
  const ifindex = replyInterface(remote, rinfo.destination?.ifindex, ingress);
  const { mark } = rinfo as RemoteInfo;
  if (replyMark && typeof mark === 'number') return { ifindex, ttl: -1, tos: -1, mark };
  return ifindex === 0 ? undefined : core.loop.throughInterface(ifindex);
}
