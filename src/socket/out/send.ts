/**
 * The way out: send(), reply() and sendMany() of a bound socket end here. To whom, from where → refused (datagram/answer.ts
 * has the rules) or into the sender → flushed at the end of the turn; a connected socket sends at once, as dgram does.
 * Over 300 lines: each way of saying where to ends in the same few steps, one below the other.
 */
import { nextTick } from '../../captured';
import { leak, mayBeNamed, misfit, mustBeNamed, unanswerableBecause } from '../../datagram/answer';
import { type Endpoint, isSame } from '../../datagram/endpoint';
import type { Extras } from '../../datagram/envelopes';
import { uvErrno } from '../../datagram/failure';
import type { Arrival } from '../../datagram/names';
import { arrivalOf, remoteOf, saysSame } from '../../datagram/remote-info';
import { gathered, type Payload, type Settle, sizeOf } from '../../datagram/send-ring';
import { LARGE } from '../../datagram/sender';
import { alreadyConnected, ipBlocked, type SystemError, sourceMismatch, systemError, unanswerable } from '../../errors';
import type { ReplyTo } from '../../types';
import { CONNECTING, type Core } from '../core';
import { publishRefused } from '../diagnostics';
import type { Found } from '../life/lookup';
import { answering, Parts } from './callback';
import { type Choice, NOTHING } from './choice';
import { explaining, prepare, replyExtras } from './extras';
import { senderOf, sourceOf } from './request';

/** Stands for "no callback" where a refusal must not throw: what the network caused is counted and dropped. */
const IGNORE: Settle = { settle() {} };

/**
 * @param settle undefined: nobody listens, and what is the program's own mistake is thrown
 * @param told does `settle` hear of a close() during the look-up, too? dgram's send() does not say so
 * @throws ERR_RECVFROMTO_SOURCE_MISMATCH where nobody would hear of it otherwise; what a block list throws
 */
export function send(
  core: Core,
  payload: Payload,
  port: number,
  host: string | undefined,
  choice: Choice,
  settle: Settle | undefined,
  told: boolean,
): void {
  if (core.peer !== undefined) {
    push(core, payload, core.peer, 0, choice, settle);
    return;
  }
  const { sticky } = core;
  const { lookup } = core.settings;
  const connecting = core.connectState === CONNECTING;
  if (sticky !== undefined && choice === NOTHING && !connecting && !lookup.isReplaced && sticky.answers(host, port)) {
    // Bound to an address the socket has it already, and must not get another's.
    const from = core.channel.wildcard ? sticky.local : undefined;
    queue(core, payload, sticky.remote as Endpoint, port, from, undefined, 0, settle, true);
    return;
  }
  const remote = connecting ? undefined : lookup.endpoint(core.engine.names, host);
  if (remote !== undefined) {
    const heard = remote.text === host ? settle : named(host, settle);
    sendTo(core, payload, remote, port, host || remote.text, choice, heard);
    return;
  }
  const found: Found = (error, address) => {
    answering.now = true;
    try {
      if (core.closed) closedMeanwhile(core, error, host, port, settle, told);
      else if (core.peer !== undefined) {
        // Connected in the meantime: libuv sends nothing to anybody else.
        refuse(core, sendError('EISCONN', host, port), settle ?? IGNORE);
      } else if (error) lookupFailed(core, error, settle);
      else sendFound(core, payload, port, address, choice, named(host, settle));
    } finally {
      answering.now = false;
    }
  };
  lookup.later(host, sticky === undefined ? found : sticky.carry(found));
}

/** The last answer: most go to who has been answered before, from where he was answered. What was checked then still holds. */
export interface Answer {
  remote: Endpoint;
  port: number;
  arrival: Arrival;
  from: Endpoint | undefined;
  extras: Extras | undefined;
  /** Of the interfaces. */
  generation: number;
}

/**
 * Answers `rinfo`. A rinfo of ours that nobody has changed knows its peer and its source, however late the answer comes;
 * any other is read.
 * @throws ERR_INVALID_IP_ADDRESS, ERR_SOCKET_BAD_PORT for what is no rinfo
 */
export function reply(core: Core, payload: Payload, rinfo: ReplyTo, settle: Settle | undefined): void {
  const { port } = rinfo;
  const last = core.lastAnswer;
  if (last !== undefined && last.port === port && last.generation === core.engine.names.generation) {
    const { remote, from, extras } = last;
    // A getter that a program has put on rinfo may answer somebody else meanwhile, or connect the socket.
    if (saysSame(rinfo, remote, last.arrival) && core.lastAnswer === last) {
      queue(core, payload, remote, port, from, extras, 0, settle, false);
      return;
    }
  }
  const arrival = arrivalOf(rinfo);
  const known = remoteOf(rinfo);
  const remote = senderOf(core, rinfo, port);
  const because = unanswerableBecause(core.channel, remote, port);
  if (because !== undefined) {
    refuse(core, unanswerable(remote.text, port, because), settle ?? IGNORE);
    return;
  }
  if (core.peer !== undefined) {
    // An answer to somebody who was heard before connect() would reach the peer instead.
    if (port !== core.peerPort || !isSame(remote, core.peer)) refuse(core, alreadyConnected(), settle ?? IGNORE);
    else push(core, payload, core.peer, 0, NOTHING, settle);
    return;
  }
  const refusal = unreachable(core, remote, remote.text, port);
  if (refusal !== undefined) {
    refuse(core, refusal, settle ?? IGNORE);
    return;
  }
  const extras = replyExtras(core, remote, rinfo);
  if (arrival?.source === undefined || known === undefined) {
    const source = arrival === undefined ? sourceOf(core, rinfo.localAddress) : arrival.source;
    push(core, payload, remote, port, { source, extras, segment: 0 }, settle ?? IGNORE);
    return;
  }
  // What one IP header said fits together; what a program wrote may not, and is none of this.
  const from = namedSource(core, arrival.source, remote, port, settle ?? IGNORE);
  if (from === null) return;
  remember(core, remote, port, arrival, from, extras);
  queue(core, payload, remote, port, from, extras, 0, settle, false);
}

function remember(
  core: Core,
  remote: Endpoint,
  port: number,
  arrival: Arrival,
  from: Endpoint | undefined,
  extras: Extras | undefined,
): void {
  const { replyMark, sendBlockList } = core.settings;
  // The list may be filled between two answers, and each datagram has its own mark.
  if (replyMark || sendBlockList !== undefined) return;
  const { generation } = core.engine.names;
  const { lastAnswer } = core;
  if (lastAnswer === undefined) {
    core.lastAnswer = { remote, port, arrival, from, extras, generation };
    return;
  }
  // The same object: where peers alternate this is done for each answer.
  lastAnswer.remote = remote;
  lastAnswer.port = port;
  lastAnswer.arrival = arrival;
  lastAnswer.from = from;
  lastAnswer.extras = extras;
  lastAnswer.generation = generation;
}

/** @param address as the user, or the look-up, wrote it */
function sendTo(
  core: Core,
  payload: Payload,
  remote: Endpoint | undefined,
  port: number,
  address: string,
  choice: Choice,
  settle: Settle | undefined,
): void {
  const refusal = unreachable(core, remote, address, port);
  if (remote === undefined || refusal !== undefined) {
    refuse(core, refusal as Error, settle ?? IGNORE);
    return;
  }
  if (core.sticky === undefined || choice.source !== undefined) push(core, payload, remote, port, choice, settle);
  else queue(core, payload, remote, port, heardOn(core, remote, port), choice.extras, choice.segment, settle, true);
}

function sendFound(
  core: Core,
  payload: Payload,
  port: number,
  address: string,
  choice: Choice,
  settle: Settle | undefined,
): void {
  try {
    sendTo(core, payload, core.engine.names.endpoint(address), port, address, choice, settle);
  } catch (error) {
    lookupFailed(core, error as Error, settle); // no code of the program is on the stack any more
  }
}

/** As dgram: whoever called back hears the error of the look-up, too, and 'error' is emitted where nobody does. */
function lookupFailed(core: Core, error: Error, settle: Settle | undefined): void {
  core.stats.sendErrors++;
  if (settle === undefined) nextTick(emitError, core, error);
  else settle.settle(error, 0);
}

/** dgram reports a look-up that fails after close(), and drops silently what would have been sent. Ours is counted. */
function closedMeanwhile(
  core: Core,
  error: Error | null,
  host: string | undefined,
  port: number,
  settle: Settle | undefined,
  told: boolean,
): void {
  if (error) lookupFailed(core, error, settle);
  else refuse(core, sendError('ECANCELED', host, port), (told && settle) || IGNORE);
}

function emitError(core: Core, error: Error): void {
  core.socket.emit('error', error);
}

/** Why nothing is sent to `remote`, if so. @param address as the user wrote it */
export function unreachable(
  core: Core,
  remote: Endpoint | undefined,
  address: string,
  port: number,
): Error | undefined {
  if (core.settings.sendBlockList?.check(address, address.includes(':') ? 'ipv6' : 'ipv4')) return ipBlocked(address);
  if (remote !== undefined && remote.family === core.channel.family) return undefined;
  return sendError('EINVAL', address, port); // what libuv says to an address of the other family
}

/** Sends from a source that a program has named, if it fits. */
function push(
  core: Core,
  payload: Payload,
  remote: Endpoint,
  port: number,
  choice: Choice,
  settle: Settle | undefined,
): void {
  const { source, extras, segment } = choice;
  if (source === undefined) {
    queue(core, payload, remote, port, undefined, extras, segment, settle, false);
    return;
  }
  const why = misfit(core.channel, source, remote);
  if (why !== undefined) {
    refuse(core, sourceMismatch(source.text, remote.text, why), settle);
    return;
  }
  const from = namedSource(core, source, remote, port, settle);
  if (from !== null) queue(core, payload, remote, port, from, extras, segment, settle, false);
}

/** → the source as the kernel has to be told it, undefined where the socket has it anyway, null where it is refused */
export function namedSource(
  core: Core,
  source: Endpoint,
  remote: Endpoint,
  port: number,
  settle: Settle | undefined,
): Endpoint | undefined | null {
  if (!mustBeNamed(core.channel, source)) return undefined;
  if (mayBeNamed(core.channel)) return source;
  refuse(core, sendError('EADDRNOTAVAIL', remote.text, port, source.text), settle ?? IGNORE);
  return null;
}

/** The source that sticky sockets send from. One bound to an address has it already, and must not get another's. */
export function heardOn(core: Core, remote: Endpoint, port: number): Endpoint | undefined {
  if (!core.channel.wildcard) return undefined;
  const source = core.sticky?.source(remote, port);
  return source === undefined || leak(core.channel, source, remote) !== undefined ? undefined : source;
}

function queue(
  core: Core,
  payload: Payload,
  remote: Endpoint,
  port: number,
  from: Endpoint | undefined,
  extras: Extras | undefined,
  segment: number,
  settle: Settle | undefined,
  lenient: boolean,
): void {
  if (core.closed) {
    // By a look-up or a block list of the program: the descriptor's number may be another's by now.
    refuse(core, sendError('ECANCELED', remote.text, port), settle ?? IGNORE);
    return;
  }
  const sender = core.sender ?? core.outgoing;
  let told = settle === IGNORE ? undefined : settle;
  if (extras !== undefined) {
    const refusal = prepare(core, remote, port, extras);
    if (refusal !== undefined) {
      refuse(core, refusal, settle ?? IGNORE);
      return;
    }
    told = told && explaining(core, extras, told);
  }
  // A connected socket looks nothing up, and is ahead with dgram as well.
  if (port !== 0 && sizeOf(payload) >= LARGE) core.loop.makeWay();
  else if (sender.due) core.loop.makeWay(sender);
  let waits: boolean;
  if (segment === 0) waits = sender.push(payload, remote, port, from, extras, told, lenient);
  else {
    const bytes = gathered(payload);
    const parts = Math.max(1, Math.ceil(sizeOf(bytes) / segment));
    waits = sender.pushRun(bytes, segment, remote, port, from, extras, told && new Parts(parts, told), lenient);
  }
  if (port === 0 && !core.gathering) sender.flush();
  else if (waits) core.loop.added(sender, core.gathering || told !== undefined);
  else core.loop.answered();
}

/** Says so to whoever listens; throws where nobody would hear of a mistake of the program's own. */
function refuse(core: Core, error: Error, settle: Settle | undefined): void {
  if (settle === undefined) throw error;
  core.stats.sendErrors++;
  publishRefused(core.socket, error);
  settle.settle(error, 0);
}

/** dgram's errors name the host as the user did, not the address it was found at. */
function named(host: string | undefined, settle: Settle | undefined): Settle | undefined {
  if (settle === undefined || settle === IGNORE) return settle;
  return {
    settle: (error, bytes) =>
      settle.settle(
        error !== null && isSendError(error)
          ? systemError(error.code, error.errno, 'send', { ...error, address: host })
          : error,
        bytes,
      ),
  };
}

function sendError(name: string, address: string | undefined, port: number, localAddress?: string): Error {
  return systemError(name, uvErrno(name, 0), 'send', { address, port, localAddress });
}

function isSendError(error: Error): error is SystemError {
  return (error as SystemError).syscall === 'send';
}
