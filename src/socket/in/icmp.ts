/** `recvErrors`: what ICMP said of earlier sends, as 'icmp' events, and never as the error of another datagram. */

import type { QueuedError } from '../../datagram/error-queue';
import { errnoName, failure } from '../../datagram/failure';
import type { IcmpError } from '../../types';
import type { Core } from '../core';

/** Records in a row: a flood of them may go on meanwhile. */
const MANY = 64;

/** Takes what the error queue holds; the events come in the socket's turn. → how many records there were */
export function drainErrors(core: Core): number {
  const reader = core.engine.errorQueue;
  if (reader === undefined || !core.settings.wishes.recvErrors) return 0;
  let records = 0;
  for (; records < MANY; records++) {
    const queued = reader.take(core.channel.fd, core.port, core.mapped);
    if (queued === undefined) break;
    if (queued.errno !== 0) core.loop.report(core, 'icmp', icmpError(core, queued));
  }
  return records;
}

function icmpError(core: Core, queued: QueuedError): IcmpError {
  const { platform } = core.engine.host;
  const { errno, remote, offender, localAddress, mtu, origin, type, code } = queued;
  const { address, port } = remote;
  const error = failure(platform, -errno, 'send', { address, port, localAddress }) as unknown as IcmpError;
  return Object.assign(error, {
    code: errnoName(platform, -errno),
    type,
    icmpCode: code,
    origin,
    remote: { address, port },
    ...(offender === undefined ? {} : { offender }),
    ...(mtu === undefined ? {} : { mtu }),
  });
}
