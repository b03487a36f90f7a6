/**
 * A socket of its own for one peer, out of one that hears everybody. Both are bound to one port; the kernel prefers the
 * connected one. What comes for others between its bind(2) and its connect(2) is handed back.
 */
import { unanswerableBecause } from '../../datagram/answer';
import { failure } from '../../datagram/failure';
import { arrivalOf, remoteOf } from '../../datagram/remote-info';
import { badPort, invalidAddress, unanswerable } from '../../errors';
import type { ReplyTo } from '../../types';
import { BOUND, CONNECTED, type Core } from '../core';

/** @param child is new, and has no descriptor yet. @throws as Socket.split() */
export function splitOff(core: Core, child: Core, rinfo: ReplyTo): void {
  const { channel, engine } = core;
  const { port, address, localAddress } = rinfo;
  if (typeof port !== 'number' || port !== (port & 0xffff)) throw badPort(port, true);
  const remote = remoteOf(rinfo) ?? engine.names.endpoint(address);
  if (remote === undefined) throw invalidAddress(address);
  const because = unanswerableBecause(channel, remote, port);
  if (because !== undefined) throw unanswerable(remote.text, port, because);
  const source =
    arrivalOf(rinfo)?.source ?? (localAddress === undefined ? channel.bound : engine.names.endpoint(localAddress));
  if (source === undefined) throw invalidAddress(localAddress);
  const { platform } = engine.host;
  const place = { address: remote.text, port, localAddress };
  const second = channel.secondDescriptor(source, core.settings.wishes);
  if (second === undefined)
    throw failure(platform, -(platform.errno.ENOTSUP ?? platform.errno.EOPNOTSUPP), 'bind', place);
  child.channel = second;
  const result = second.connect(remote, port);
  if (result < 0) throw failure(platform, result, 'connect', place);
  child.peer = remote;
  child.peerPort = port;
  child.parent = core;
  child.startReceiving();
  child.bindState = BOUND;
  child.connectState = CONNECTED;
}
