/**
 * How a socket comes by its descriptor: bind(), bindSync(), descriptors and handles of others, cluster; with dgram's order
 * of events (lib/dgram.js). What waits for 'listening' is in when.ts.
 */
import { nextTick } from '../../captured';
import type { Endpoint } from '../../datagram/endpoint';
import { errnoName, failure } from '../../datagram/failure';
import { alreadyBound, type ErrorPlace, invalidFdType, systemError, unsupportedOption } from '../../errors';
import { missing } from '../../platform/settings';
import { bufferSize } from '../buffer-size';
import { BINDING, BOUND, type Core, UNBOUND } from '../core';
import { attach, programOf } from '../filter';
import type { Steering } from '../options';
import { bindFlags, primary, type Query, type UdpHandle } from './cluster';
import { descriptorType } from './descriptor';

/** First step of bind(). @throws ERR_SOCKET_ALREADY_BOUND, ERR_SOCKET_DGRAM_NOT_RUNNING */
export function beginBind(core: Core): void {
  core.openChannel();
  if (core.bindState !== UNBOUND) throw alreadyBound();
  core.bindState = BINDING;
}

/**
 * Second step: looks the host up, binds (or has the primary bind), listens. Failures come as 'error'.
 * @param given the port as the user wrote it, for the error
 */
export function bind(core: Core, host: string, port: number, given: unknown, exclusive: boolean): void {
  const { lookup } = core.settings;
  const { names } = core.engine;
  const end = lookup.endpoint(names, host);
  if (end !== undefined) nextTick(bindTo, core, host, end, port, given, exclusive);
  else {
    lookup.find(host, (error, ip) => {
      if (core.closed) return; // in the meantime
      if (error) bindFailed(core, error);
      else bindTo(core, ip, names.endpoint(ip), port, given, exclusive);
    });
  }
}

function bindTo(
  core: Core,
  ip: string,
  end: Endpoint | undefined,
  port: number,
  given: unknown,
  exclusive: boolean,
): void {
  if (core.closed) return; // in the meantime
  const { kind, type, wishes } = core.settings;
  const getServer = exclusive || wishes.reusePort ? undefined : primaryOf(core);
  if (getServer !== undefined) {
    const flags = bindFlags(kind, Boolean(wishes.reuseAddr));
    const query = { address: ip, port: given, addressType: type, fd: -1, flags };
    share(core, getServer, query, 'bind', { address: ip, port: given as number });
    return;
  }
  const result = open(core, end, port);
  if (result < 0) {
    const place = { address: ip, port: given as number };
    bindFailed(core, explained(core, failure(core.engine.host.platform, result, 'bind', place)));
  } else if (canReceive(core)) listening(core);
}

/** bind() without events of failure, to a literal; 'listening' follows on the next tick. @throws the kernel's error */
export function bindSync(core: Core, ip: string, port: number): void {
  const result = open(core, core.engine.names.endpoint(ip), port);
  if (result < 0) {
    core.bindState = UNBOUND;
    throw explained(core, failure(core.engine.host.platform, result, 'bind', { address: ip, port }));
  }
  try {
    startReceiving(core);
  } catch (error) {
    if (core.bindState !== BOUND) core.channel.close();
    throw error;
  }
  nextTick(() => {
    if (!core.closed) listening(core);
  });
}

/**
 * Second step, with a descriptor of somebody else's. It is ours only once all has succeeded: until then nothing closes it.
 * @throws ERR_INVALID_FD_TYPE; the kernel's error. A worker's primary opens it instead, and failures come as 'error'.
 */
export function adopt(core: Core, fd: number, exclusive: boolean): void {
  const getServer = exclusive ? undefined : primaryOf(core);
  if (getServer !== undefined) {
    const query = { address: null, port: null, addressType: core.settings.type, fd, flags: null };
    share(core, getServer, query, 'open', undefined);
    return;
  }
  try {
    const type = descriptorType(core.engine, fd);
    if (type !== 'UDP') throw invalidFdType(type);
    takeOver(core, fd, undefined, false);
  } catch (error) {
    if (core.bindState !== BOUND) core.bindState = UNBOUND; // it may be bound to something better
    throw error;
  }
  listening(core);
}

/** Second step, with libuv's handle of a descriptor: of cluster's, or sent by another process. */
export function adoptHandle(core: Core, handle: UdpHandle): void {
  try {
    takeOver(core, handle.fd, handle, true);
  } catch (error) {
    if (core.bindState !== BOUND) core.bindState = UNBOUND;
    throw error;
  }
  handle.owner = core.socket;
  listening(core);
}

/**
 * A membership needs a bound descriptor: libuv binds to any port then (uv__udp_maybe_deferred_bind). → 0 or -errno
 */
export function openEarly(core: Core): number {
  const channel = core.openChannel();
  if (channel.fd >= 0) return 0;
  return channel.open({ ...core.settings.wishes, reuseAddr: true }) || channel.bindAny();
}

/** @throws ERR_SOCKET_DGRAM_NOT_RUNNING */
export function close(core: Core): void {
  const { pending } = core;
  if (pending?.actions !== undefined) {
    pending.push(() => close(core));
    return;
  }
  core.openChannel();
  core.end();
  nextTick(emitClose, core.socket);
}

function emitClose(socket: Core['socket']): void {
  socket.emit('close');
}

/**
 * As {@link close}, for what closes a socket without knowing whether the program does so as well, or awaits it (a signal,
 * dispose, the end of a loop): once, and also when the bind() that it waits for fails, on which a close() is forgotten.
 */
export function closeInAnyCase(core: Core): void {
  const once = () => {
    if (!core.closed) core.socket.close();
  };
  if (core.queue === undefined) once();
  else core.pending?.push(once, () => nextTick(once)); // behind the 'error', whose listeners may close it themselves
}

function open(core: Core, end: Endpoint | undefined, port: number): number {
  const channel = core.openChannel();
  if (end === undefined || end.family !== channel.family) return -core.engine.host.platform.errno.EINVAL;
  if (end.family === 6 && channel.bound === undefined) {
    channel.standIn(end.mapped);
    core.engine = channel.engine;
  }
  // After a failure dgram keeps the descriptor for the next try.
  const result = channel.fd < 0 ? channel.open(core.settings.wishes) : 0;
  return result < 0 ? result : channel.bind(end, port);
}

/** A host in memory is this process's alone. */
function primaryOf(core: Core): ReturnType<typeof primary> {
  return core.engine.host.lookup === undefined ? primary() : undefined;
}

/** Has the primary of this worker open a descriptor for all workers that ask for the same. */
function share(
  core: Core,
  getServer: NonNullable<ReturnType<typeof primary>>,
  query: Query,
  syscall: string,
  place?: ErrorPlace,
): void {
  getServer(core.socket, query, (errno, handle) => {
    if (core.closed) {
      handle?.close();
      return;
    }
    if (errno || handle === null) {
      bindFailed(core, systemError(errnoName(core.engine.host.platform, errno), errno, syscall, place));
      return;
    }
    try {
      takeOver(core, handle.fd, handle, true, place, syscall);
    } catch (error) {
      if (core.bindState === BOUND) throw error; // a buffer size that is refused: dgram throws as well
      handle.close(); // nobody else has it
      bindFailed(core, error as Error);
      return;
    }
    handle.owner = core.socket;
    listening(core);
  });
}

/** @throws the kernel's error; the descriptor is still its owner's then */
function takeOver(
  core: Core,
  fd: number,
  handle: UdpHandle | undefined,
  shared: boolean,
  place?: ErrorPlace,
  syscall = 'open',
): void {
  const { platform } = core.engine.host;
  const channel = core.openChannel();
  const result = channel.adopt(fd, core.settings.wishes, handle && (() => handle.close()));
  if (result < 0) throw explained(core, failure(platform, result, syscall, place));
  core.owner = handle;
  core.setRef(core.refed);
  try {
    startReceiving(core, shared);
  } catch (error) {
    if (core.bindState !== BOUND) channel.disown();
    throw error;
  }
}

/** @throws ERR_RECVFROMTO_UNSUPPORTED_OPTION, the kernel's error */
function steer(core: Core, steering: Steering): void {
  const { platform } = core.engine.host;
  const option = platform.settings.steer;
  if (missing(option)) throw unsupportedOption('reusePort.steer', option.because);
  core.check(attach(core.channel, option, programOf(steering)), 'setsockopt');
}

/** Names the option that was refused, and the privilege that it needs. */
function explained(core: Core, error: Error): Error {
  const { because } = core.channel;
  if (because !== undefined) error.message += ` (${because})`;
  return error;
}

function bindFailed(core: Core, error: Error): void {
  core.bindState = UNBOUND;
  if (core.pending === undefined) core.socket.emit('error', error);
  else core.pending.settle(error);
}

function listening(core: Core): void {
  if (core.pending === undefined) core.socket.emit('listening');
  else core.pending.settle();
}

/** As startReceiving(), where nobody would catch an error. */
function canReceive(core: Core): boolean {
  try {
    startReceiving(core);
    return true;
  } catch (error) {
    if (core.bindState === BOUND) throw error; // a buffer size that is refused: dgram throws as well
    core.channel.close();
    bindFailed(core, error as Error);
    return false;
  }
}

function startReceiving(core: Core, shared = false): void {
  const { recvBufferSize, sendBufferSize } = core.settings;
  if (shared) core.batch = 1;
  try {
    core.startReceiving();
  } catch (error) {
    core.bindState = UNBOUND;
    core.watcher = undefined;
    throw error;
  }
  core.bindState = BOUND;
  if (core.settings.steer !== undefined) steer(core, core.settings.steer);
  if (recvBufferSize) bufferSize(core.channel, 'recv', recvBufferSize);
  if (sendBufferSize) bufferSize(core.channel, 'send', sendBufferSize);
}
