/**
 * From what the user asked for to a datagram in the send ring: looks names up, finds the source, and refuses what must
 * not leave (refusal.ts). One per open descriptor.
 */
import type { Channel } from '../datagram/channel';
import type { Endpoint } from '../datagram/endpoint';
import type { Extras } from '../datagram/envelopes';
import { uvErrno } from '../datagram/failure';
import type { Payload, Settle } from '../datagram/send-ring';
import type { Sender } from '../datagram/sender';
import {
  alreadyConnected,
  badPort,
  invalidAddress,
  ipBlocked,
  type SystemError,
  sourceMismatch,
  systemError,
  unanswerable,
} from '../errors';
import type { RemoteInfo, SocketStats } from '../types';
import { type Choice, NOTHING } from './choice';
import { LastAnswer } from './last-answer';
import type { Found, Lookup } from './lookup';
import type { Settings } from './options';
import { isBound, isSame, leak, misfit, silence } from './refusal';
import type { Sticky } from './sticky';
import type { Turn } from './turn';

/** Interfaces remembered: containers come and go, and each has an index of its own. */
const MAX_INTERFACES = 256;

export class Dispatch {
  /** While connect() looks its address up, sends have to wait a tick to come after it. */
  connecting = false;
  /** The peer of a connected socket. */
  #peer: Endpoint | undefined;
  #peerPort = 0;
  readonly #channel: Channel;
  readonly #sender: Sender;
  readonly #settings: Settings;
  readonly #turn: Turn;
  readonly #lookup: Lookup;
  readonly #stats: SocketStats;
  readonly #sticky: Sticky | undefined;
  readonly #lookupFailed: (error: Error) => void;
  readonly #byInterface = new Map<number, Extras>();
  readonly #lastAnswer = new LastAnswer();

  constructor(
    channel: Channel,
    sender: Sender,
    settings: Settings,
    turn: Turn,
    lookup: Lookup,
    stats: SocketStats,
    sticky: Sticky | undefined,
    lookupFailed: (error: Error) => void,
  ) {
    this.#channel = channel;
    this.#sender = sender;
    this.#settings = settings;
    this.#turn = turn;
    this.#lookup = lookup;
    this.#stats = stats;
    this.#sticky = sticky;
    this.#lookupFailed = lookupFailed;
  }

  connected(peer: Endpoint, port: number): void {
    this.connecting = false;
    this.#peer = peer;
    this.#peerPort = port;
    this.#lastAnswer.forget();
  }

  disconnected(): void {
    this.#peer = undefined;
  }

  /** The channel is bound to another address. */
  rebound(): void {
    this.#lastAnswer.forget();
  }

  /**
   * @param faithful does `settle` hear of a close() during the look-up? dgram's send() forgets it then
   * @throws ERR_RECVFROMTO_SOURCE_MISMATCH where nobody would hear of it otherwise
   */
  send(
    payload: Payload,
    port: number,
    host: string | undefined,
    choice: Choice,
    settle: Settle | undefined,
    faithful: boolean,
  ): void {
    if (this.#peer !== undefined) {
      this.#push(payload, this.#peer, 0, choice, settle);
      return;
    }
    const literal = this.#lookup.literal(host);
    if (literal !== undefined && !this.connecting) {
      this.#toAddress(payload, port, literal, choice, literal === host ? settle : named(host, settle));
      return;
    }
    const found: Found = (error, address) => {
      if (this.#channel.fd < 0) {
        // Closed in the meantime: counted, whoever hears of it.
        this.#refuse(sendError('ECANCELED', host, port), (faithful && settle) || ignore);
      } else if (this.#peer !== undefined) {
        // Connected in the meantime: libuv sends nothing to anybody else.
        this.#refuse(sendError('EISCONN', host, port), settle ?? ignore);
      } else if (!error) this.#toFound(payload, port, address, choice, named(host, settle));
      else if (settle === undefined) process.nextTick(this.#lookupFailed, error);
      else process.nextTick(settle, error);
    };
    this.#lookup.later(host, this.#sticky === undefined ? found : this.#sticky.carry(found));
  }

  /** @throws ERR_INVALID_IP_ADDRESS, ERR_SOCKET_BAD_PORT for what is no rinfo */
  reply(payload: Payload, rinfo: RemoteInfo, settle: Settle | undefined): void {
    const { names } = this.#channel.engine;
    const last = this.#lastAnswer;
    const known = last.peerOf(rinfo, names.generation);
    if (known !== undefined) {
      this.#queue(payload, known, last.port, last.from, last.extras, settle, false);
      return;
    }
    const { address, port, localAddress } = rinfo;
    if (typeof port !== 'number' || port !== (port & 0xffff)) throw badPort(port, true);
    const remote = names.endpoint(address);
    if (remote === undefined) throw invalidAddress(address);
    const source = localAddress === undefined ? undefined : names.endpoint(localAddress);
    if (localAddress !== undefined && source === undefined) throw invalidAddress(localAddress);
    const refusal = this.#unanswerable(remote, port);
    if (refusal !== undefined) this.#refuse(refusal, settle ?? ignore);
    else if (this.#peer !== undefined) this.#push(payload, this.#peer, 0, NOTHING, settle);
    else {
      const extras = this.#replyExtras(remote, rinfo);
      const from = this.#push(payload, remote, port, { source, extras }, settle ?? ignore);
      // A block list may be changed by the program at any time, and a zone may be another interface by now.
      const zoned = remote.scope !== 0 || (from?.scope ?? 0) !== 0;
      if (from === null || zoned || this.#settings.sendBlockList !== undefined) last.forget();
      else last.learn(rinfo, names.generation, remote, from, extras);
    }
  }

  /** Why an answer to `remote` is not sent, if so. */
  #unanswerable(remote: Endpoint, port: number): Error | undefined {
    const because = silence(this.#channel, remote, port);
    if (because !== undefined) return unanswerable(remote.text, port, because);
    // On a connected socket an answer to somebody who was heard before would reach the peer instead.
    if (this.#peer !== undefined && !(port === this.#peerPort && isSame(remote, this.#peer))) return alreadyConnected();
    return this.#unreachable(remote, remote.text, port);
  }

  #toFound(payload: Payload, port: number, address: string, choice: Choice, settle: Settle | undefined): void {
    try {
      this.#toAddress(payload, port, address, choice, settle);
    } catch (error) {
      process.nextTick(this.#lookupFailed, error as Error); // nobody of the program's is on the stack any more
    }
  }

  #toAddress(payload: Payload, port: number, address: string, choice: Choice, settle: Settle | undefined): void {
    const remote = this.#channel.engine.names.endpoint(address);
    const refusal = this.#unreachable(remote, address, port);
    if (remote === undefined || refusal !== undefined) {
      this.#refuse(refusal as Error, settle ?? ignore);
    } else if (this.#sticky !== undefined && choice.source === undefined) {
      this.#queue(payload, remote, port, this.#heardOn(remote, port), choice.extras, settle, true);
    } else {
      this.#push(payload, remote, port, choice, settle);
    }
  }

  /** Why nothing is sent to `remote`, if so. @param address as the user wrote it */
  #unreachable(remote: Endpoint | undefined, address: string, port: number): Error | undefined {
    if (this.#settings.sendBlockList?.check(address, address.includes(':') ? 'ipv6' : 'ipv4'))
      return ipBlocked(address);
    if (remote !== undefined && remote.family === this.#channel.family) return undefined;
    return sendError('EINVAL', address, port); // what libuv says to an address of the other family
  }

  /** → the source that it is sent from, undefined where there is nothing to say, null where it is refused */
  #push(
    payload: Payload,
    remote: Endpoint,
    port: number,
    choice: Choice,
    settle: Settle | undefined,
  ): Endpoint | undefined | null {
    const { source } = choice;
    let from: Endpoint | undefined;
    if (source !== undefined) {
      const why = misfit(this.#channel, source, remote);
      if (why !== undefined) {
        this.#refuse(sourceMismatch(source.text, remote.text, why), settle);
        return null;
      }
      // Bound to this very address, there is nothing to say.
      if (!isBound(this.#channel, source)) {
        if (!this.#channel.wildcard && this.#channel.engine.host.platform.quirks.sourceOnlyFromWildcard) {
          this.#refuse(sendError('EADDRNOTAVAIL', remote.text, port, source.text), settle ?? ignore);
          return null;
        }
        from = source;
      }
    }
    this.#queue(payload, remote, port, from, choice.extras, settle, false);
    return from;
  }

  #queue(
    payload: Payload,
    remote: Endpoint,
    port: number,
    from: Endpoint | undefined,
    extras: Extras | undefined,
    settle: Settle | undefined,
    lenient: boolean,
  ): void {
    this.#sender.push(payload, remote, port, from, extras, settle === ignore ? undefined : settle, lenient);
    this.#turn.added(this.#sender);
  }

  /** The source that sticky sockets send from. One bound to an address has it already, and must not get another's. */
  #heardOn(remote: Endpoint, port: number): Endpoint | undefined {
    if (!this.#channel.wildcard) return undefined;
    const source = this.#sticky?.source(remote, port);
    return source === undefined || leak(this.#channel, source, remote) !== undefined ? undefined : source;
  }

  /** Routing chooses the interface, unless the user wants the ingress one, or the peer's address needs it (docs/rules.md, 5). */
  #replyExtras(remote: Endpoint, { destination }: RemoteInfo): Extras | undefined {
    const ifindex = destination?.ifindex ?? 0;
    // A program may have written it: C takes nothing else
    if (typeof ifindex !== 'number' || ifindex <= 0 || (ifindex | 0) !== ifindex) return undefined;
    if (!this.#settings.ingress && !(remote.linkLocal && remote.scope === 0)) return undefined;
    let extras = this.#byInterface.get(ifindex);
    if (extras === undefined) {
      if (this.#byInterface.size >= MAX_INTERFACES) this.#byInterface.clear();
      extras = { ifindex, ttl: -1, tos: -1 };
      this.#byInterface.set(ifindex, extras);
    }
    return extras;
  }

  /** Says so to whoever listens; throws where nobody would hear of a mistake of the program's own. */
  #refuse(error: Error, settle: Settle | undefined): void {
    if (settle === undefined) throw error;
    this.#stats.sendErrors++;
    if (settle !== ignore) process.nextTick(settle, error);
  }
}

/** dgram's errors name the host as the user did, not the address it was found at. */
function named(host: string | undefined, settle: Settle | undefined): Settle | undefined {
  if (settle === undefined) return undefined;
  const fail = settle as (error: Error) => void; // an error comes alone
  return (error, bytes) => {
    if (error === null) settle(null, bytes);
    else fail(isSendError(error) ? systemError(error.code, error.errno, 'send', { ...error, address: host }) : error);
  };
}

function sendError(name: string, address: string | undefined, port: number, localAddress?: string): Error {
  return systemError(name, uvErrno(name, 0), 'send', { address, port, localAddress });
}

function isSendError(error: Error): error is SystemError {
  return (error as SystemError).syscall === 'send';
}

/** Stands for "no callback" where a refusal must not throw: what the network caused is counted and dropped. */
const ignore: Settle = () => {};
