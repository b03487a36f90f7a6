/** `recvErrors`: what ICMP said of earlier sends, as 'icmp' events, and never as the error of another datagram. */

import type { QueuedError } from '../../datagram/error-queue';
import { errnoName, failure } from '../../datagram/failure';
import type { IcmpError } from '../../types';
import type { Core } from '../core';

/** Records in a row: a flood of them may go on meanwhile. */
const MANY = 64;

/** Where errors of the datagram that is being sent come from; all others are about earlier ones. */
const OWN = 'local';

/**
 * Takes what the error queue holds; the events come in the socket's turn. → how many records there were
 * @param others count those alone that are about datagrams which have left
 */
export function drainErrors(core: Core, others = false): number {
  if (!core.settings.wishes.asked.includes('recvErrors')) return 0;
  const reader = core.engine.errorQueue; // made on first use
  if (reader === undefined) return 0;
  if (core.port === 0) core.learnPort();
  let counted = 0;
  for (let records = 0; records < MANY; records++) {
    const queued = reader.take(core.channel.fd, core.port, core.mapped);
    if (queued === undefined) break;
    if (!others || queued.origin !== OWN) counted++;
    if (queued.errno !== 0) core.loop.report(core, 'icmp', icmpError(core, queued));
  }
  return counted;
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
