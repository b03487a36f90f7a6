/** Who asked, and on which address: what reply() and split() read of a rinfo, which may be a program's own. */
import type { Endpoint } from '../../datagram/endpoint';
import { remoteOf } from '../../datagram/remote-info';
import { badPort, invalidAddress } from '../../errors';
import type { ReplyTo } from '../../types';
import type { Core } from '../core';

/** @param port `rinfo.port`, read once. @throws ERR_SOCKET_BAD_PORT, ERR_INVALID_IP_ADDRESS */
export function senderOf(core: Core, rinfo: ReplyTo, port: unknown): Endpoint {
  if (typeof port !== 'number' || port !== (port & 0xffff)) throw badPort(port, true);
  const remote = remoteOf(rinfo) ?? core.engine.names.endpoint(rinfo.address);
  if (remote === undefined) throw invalidAddress(rinfo.address);
  return remote;
}

/** The address that a program names; undefined where it names none. @throws ERR_INVALID_IP_ADDRESS */
export function sourceOf(core: Core, localAddress: unknown): Endpoint | undefined {
  if (localAddress === undefined) return undefined;
  const source = core.engine.names.endpoint(localAddress as string);
  if (source === undefined) throw invalidAddress(localAddress);
  return source;
}
