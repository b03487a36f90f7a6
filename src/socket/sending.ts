/**
 * The half of Socket that sends: what it says is taken apart and checked here, and sent by out/. A base class, so that each half
 * reads on its own.
 */
import { failure } from '../datagram/failure';
import { invalidAddress, invalidArgType } from '../errors';
import type { Message, OutgoingDatagram, ReplyTo, SendCallback, SendOptions, SendSyncOptions } from '../types';
import { optionArguments, payloadOf, sendArguments, sendtoArguments } from './arguments';
import { BOUND, CONNECTED, kState } from './core';
import { whenSending } from './life/when';
import { Callback, Tally } from './out/callback';
import { choice, NOTHING } from './out/choice';
import { reply, send } from './out/send';
import { sendSync } from './out/send-sync';
import { Tuned } from './tuned';

export abstract class Sending extends Tuned {
  send(msg: Message | readonly Message[], options: SendOptions, callback?: SendCallback): void;
  send(msg: Message | readonly Message[], port: number, address?: string | null, callback?: SendCallback): void;
  send(msg: Message | readonly Message[], port: number, callback?: SendCallback): void;
  send(msg: Message | readonly Message[], callback?: SendCallback): void;
  send(
    msg: Message,
    offset: number,
    length: number,
    port: number,
    address?: string | null,
    callback?: SendCallback,
  ): void;
  send(msg: Message, offset: number, length: number, port: number, callback?: SendCallback): void;
  send(msg: Message, offset: number, length: number, callback?: SendCallback): void;
  /**
   * Every overload of dgram's, and one with options. On a bound socket the bytes are copied before this returns. Errors
   * of the kernel come to the callback; without one they are dropped, as in dgram, and counted.
   * @throws ERR_INVALID_ARG_TYPE, ERR_BUFFER_OUT_OF_BOUNDS, ERR_SOCKET_BAD_PORT, ERR_SOCKET_DGRAM_NOT_RUNNING,
   * ERR_SOCKET_DGRAM_IS_CONNECTED, ERR_INVALID_IP_ADDRESS (localAddress), ERR_RECVFROMTO_SOURCE_MISMATCH
   */
  send(...args: unknown[]): void {
    const core = this[kState];
    const { payload, port, address, options, callback } = sendArguments(core.connectState === CONNECTED, args);
    const chosen = options === undefined ? NOTHING : choice(core.engine, core.channel.family, options);
    const settle = callback && new Callback(callback, core.peer !== undefined);
    const { tells } = core;
    if (core.bindState === BOUND && !core.closed) send(core, payload, port, address, chosen, settle, tells);
    else whenSending(core, () => send(core, payload, port, address, chosen, settle, tells), settle, tells);
  }

  /** send() with all its arguments, from before it had overloads. */
  sendto(msg: Message, offset: number, length: number, port: number, address: string, callback?: SendCallback): void {
    sendtoArguments(offset, length, port, address);
    this.send(msg, offset, length, port, address, callback);
  }

  /**
   * Answers `rinfo.address:rinfo.port` from `rinfo.localAddress`: right for unicast, broadcast, multicast, IPv4-mapped
   * and link-local requests. What cannot be answered (port 0, a group as the sender, this socket itself) is an error
   * in the callback and never sent.
   * @throws ERR_INVALID_ARG_TYPE, ERR_SOCKET_DGRAM_NOT_RUNNING; ERR_INVALID_IP_ADDRESS, ERR_SOCKET_BAD_PORT for what is
   * no rinfo
   */
  reply(msg: Message | readonly Message[], rinfo: ReplyTo, callback?: SendCallback): void {
    if (rinfo === null || typeof rinfo !== 'object') throw invalidArgType('rinfo', 'of type object', rinfo);
    const core = this[kState];
    const payload = payloadOf(msg);
    const settle = typeof callback === 'function' ? new Callback(callback, core.peer !== undefined) : undefined;
    if (core.bindState === BOUND && !core.closed) reply(core, payload, rinfo, settle);
    else whenSending(core, () => reply(core, payload, rinfo, settle), settle, true);
  }

  /**
   * Sends many datagrams with as few system calls as the OS allows. One that fails never stops the others.
   * `callback(error, sent)`: the first error or null, and how many datagrams the kernel took.
   * @throws as send(), for the first datagram that is malformed; none has been sent then. ERR_INVALID_ARG_TYPE
   */
  sendMany(datagrams: Iterable<OutgoingDatagram>, callback?: (error: Error | null, sent: number) => void): void {
    if (typeof datagrams?.[Symbol.iterator] !== 'function') {
      throw invalidArgType('datagrams', 'an instance of Iterable', datagrams);
    }
    const core = this[kState];
    const connected = core.connectState === CONNECTED;
    const all = Array.from(datagrams, (datagram) => {
      const { payload, port, address } = optionArguments(connected, datagram.msg, datagram, undefined);
      return { payload, port, address, chosen: choice(core.engine, core.channel.family, datagram) };
    });
    const tally = new Tally(all.length, typeof callback === 'function' ? callback : undefined);
    const unsent = { settle: (error: Error | null) => tally.settleAll(error) };
    if (all.length === 0) {
      whenSending(core, () => tally.settleAll(null), unsent, true, 0);
      return;
    }
    const sendAll = () => {
      core.gathering = true;
      for (const { payload, port, address, chosen } of all) {
        try {
          send(core, payload, port, address, chosen, tally, true);
        } catch (error) {
          core.stats.sendErrors++; // a look-up or a block list of the program: one never stops the others
          tally.settle(error as Error);
        }
      }
      core.gathering = false;
      if (core.peer !== undefined) core.sender?.flush();
    };
    whenSending(core, sendAll, unsent, true, all.length);
  }

  /**
   * Sends one datagram before it returns, behind what was sent before: for scripts, and for last words. The socket has to be
   * bound, by bindSync() if need be.
   * @returns bytes
   * @throws as send(); EBADF before bind(), EAGAIN where the kernel's queue is full, and every other error of the kernel;
   * ERR_INVALID_IP_ADDRESS for a name: nothing is looked up
   */
  sendSync(msg: Message | readonly Message[], options: SendSyncOptions = {}): number {
    const core = this[kState];
    core.openChannel();
    if (options === null || typeof options !== 'object') throw invalidArgType('options', 'of type object', options);
    const connected = core.connectState === CONNECTED;
    const { payload, port, address } = optionArguments(connected, msg, options, undefined);
    const chosen = choice(core.engine, core.channel.family, options);
    core.openChannel(); // a getter of the options may have closed it
    if (core.bindState !== BOUND)
      throw failure(core.engine.host.platform, -core.engine.host.platform.errno.EBADF, 'send');
    return sendSync(core, payload, port, address, chosen);
  }

  /**
   * The address of this host that the kernel would send from to `address`, a literal: for SIP's Via, SSDP's LOCATION. Sends
   * nothing. A socket that is bound to one address sends from that.
   * @throws ERR_INVALID_IP_ADDRESS; the kernel's error, such as ENETUNREACH
   */
  sourceFor(address: string): string {
    const core = this[kState];
    const { names } = core.engine;
    const remote = names.endpoint(address);
    if (remote === undefined) throw invalidAddress(address);
    const { bound, wildcard } = core.openChannel();
    if (bound !== undefined && !wildcard) return names.endpointOf(bound).text;
    const source = core.engine.sourceFor(remote);
    if (typeof source === 'number') throw failure(core.engine.host.platform, source, 'connect', { address });
    return names.endpointOf(source).text;
  }
}
