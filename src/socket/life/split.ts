/**
 * A socket of its own for one peer, out of one that hears everybody. Both are bound to one port; the kernel prefers the
 * connected one. What comes for others between its bind(2) and its connect(2) is handed back.
 */
import { unanswerableBecause } from '../../datagram/answer';
import { failure, notSupported } from '../../datagram/failure';
import { arrivalOf } from '../../datagram/remote-info';
import { invalidAddress, unanswerable } from '../../errors';
import type { ReplyTo } from '../../types';
import { BOUND, CONNECTED, type Core } from '../core';
import { senderOf, sourceOf } from '../out/request';

/** @param child is new, and has no descriptor yet. @throws as Socket.split() */
export function splitOff(core: Core, child: Core, rinfo: ReplyTo): void {
  const { channel, engine } = core;
  const { port, localAddress } = rinfo;
  const remote = senderOf(core, rinfo, port);
  const because = unanswerableBecause(channel, remote, port);
  if (because !== undefined) throw unanswerable(remote.text, port, because);
  const source = arrivalOf(rinfo)?.source ?? sourceOf(core, localAddress) ?? channel.bound;
  if (source === undefined) throw invalidAddress(localAddress);
  const { platform } = engine.host;
  const place = { address: remote.text, port, localAddress };
  const second = channel.secondDescriptor(source, core.settings.wishes);
  if (second === undefined) throw failure(platform, notSupported(platform), 'bind', place);
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
