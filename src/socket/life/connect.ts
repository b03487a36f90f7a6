/**
 * Whom a socket is connected to: connect(), connectSync(), disconnect(), with dgram's order of events and errors. Sticky
 * sockets are also bound to the address that the remote was heard on.
 */
import { nextTick } from '../../captured';
import type { Channel } from '../../datagram/channel';
import type { Endpoint } from '../../datagram/endpoint';
import { failure } from '../../datagram/failure';
import type { SocketAddress } from '../../datagram/sockaddr';
import { alreadyConnected, ipBlocked, notConnected, notRunning } from '../../errors';
import { CONNECTED, CONNECTING, type Core, DISCONNECTED } from '../core';
import type { Found } from './lookup';
import { whenBound } from './when';

/** @throws ERR_SOCKET_DGRAM_IS_CONNECTED, ERR_SOCKET_DGRAM_NOT_RUNNING */
export function connect(core: Core, port: number, host: string, callback: (() => void) | undefined): void {
  if (core.connectState !== DISCONNECTED) throw alreadyConnected();
  core.openChannel();
  core.connectState = CONNECTING;
  whenBound(core, () => lookUpAndConnect(core, port, host, callback));
}

/** @param ip a literal. @throws ERR_IP_BLOCKED, the kernel's error */
export function connectSync(core: Core, port: number, ip: string): void {
  const error = connectTo(core, ip, ip, port);
  if (error !== undefined) throw error;
  core.connectState = CONNECTED;
  nextTick(() => {
    if (!core.closed) core.socket.emit('connect');
  });
}

/** @throws ERR_SOCKET_DGRAM_NOT_CONNECTED; the kernel's error */
export function disconnect(core: Core): void {
  if (core.connectState !== CONNECTED) throw notConnected();
  const channel = core.openChannel();
  core.sender?.flush(); // what was sent before was meant for the peer
  core.check(channel.disconnect(), 'connect');
  core.port = channel.port; // Linux takes one away that it had chosen itself
  core.connectState = DISCONNECTED;
  core.sender?.leavePeer(core.peerPort);
  const { peer, before } = core;
  core.peer = undefined;
  core.lastAnswer = undefined;
  core.before = undefined;
  // One family from then on: a new descriptor hears both again.
  const narrowed = channel.kind === 'dual' && peer !== undefined && core.engine.host.platform.quirks.connectNarrows;
  if (!widen(core) && narrowed && before !== undefined) rebind(core, channel, before);
}

function lookUpAndConnect(core: Core, port: number, host: string, callback: (() => void) | undefined): void {
  if (callback) core.socket.once('connect', callback);
  const found: Found = (lookupError, ip) => {
    if (core.closed) return;
    const error = lookupError ?? connectTo(core, ip, host, port);
    if (core.closed) return; // by a block list or a filter of the program
    if (error === undefined) {
      core.connectState = CONNECTED;
      nextTick(() => core.socket.emit('connect'));
      return;
    }
    core.connectState = DISCONNECTED;
    nextTick(() => connectFailed(core, error, callback));
  };
  core.settings.lookup.later(host, core.sticky === undefined ? found : core.sticky.carry(found));
}

function connectFailed(core: Core, error: Error, callback: ((error: Error) => void) | undefined): void {
  if (!callback) {
    core.socket.emit('error', error);
    return;
  }
  core.socket.removeListener('connect', callback);
  callback(error);
}

function connectTo(core: Core, ip: string, host: string, port: number): Error | undefined {
  const { platform } = core.engine.host;
  const channel = core.openChannel();
  const end = core.engine.names.endpoint(ip);
  if (core.settings.sendBlockList?.check(ip, ip.includes(':') ? 'ipv6' : 'ipv4')) return ipBlocked(ip);
  const wrong = end === undefined || end.family !== channel.family;
  core.sender?.flush(); // BSD and macOS: EISCONN for what names its remote on a connected socket
  const before = channel.bound;
  if (!wrong && !core.closed) narrow(core, end, port);
  if (core.closed) return notRunning(); // by the program's code that was asked
  let result = wrong ? -platform.errno.EINVAL : channel.connect(end, port);
  // From that address it cannot be reached (any more): then as the kernel thinks best.
  if (result < 0 && !wrong && widen(core)) result = channel.connect(end, port);
  if (result < 0) return failure(platform, result, 'connect', { address: host, port });
  core.peer = end;
  core.lastAnswer = undefined;
  core.peerPort = port;
  core.port = channel.port;
  core.before = before;
  return undefined;
}

/**
 * A connected socket sends from, and hears on, the one address that connect(2) chooses by route, unless it is bound
 * to one. A remote that was heard has asked a certain address, and goes on sending there.
 */
function narrow(core: Core, remote: Endpoint, port: number): void {
  const { channel, sticky } = core;
  if (sticky === undefined || !channel.wildcard) return;
  const source = sticky.source(remote, port);
  if (source === undefined) return;
  const wide = channel.bound;
  if (rebind(core, channel, source)) core.wide = wide;
  else sticky.forget(remote, port, source);
}

/** Undoes {@link narrow}. → was there something to undo? */
function widen(core: Core): boolean {
  const { wide } = core;
  if (wide === undefined) return false;
  core.wide = undefined;
  return rebind(core, core.channel, wide);
}

function rebind(core: Core, channel: Channel, address: SocketAddress): boolean {
  const second = channel.secondDescriptor(address, core.settings.wishes);
  if (second === undefined) return false;
  core.pauseReceiving();
  channel.takeOver(second);
  core.foreign = false; // the other one was allowed to
  core.startReceiving();
  return true;
}
