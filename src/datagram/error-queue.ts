/**
 * Reads a descriptor's error queue (Linux, IP_RECVERR and IPV6_RECVERR): what ICMP, or this host, answered to what was sent.
 * One record a call; reading them also takes back the error that the next send would be refused with. ip(7)
 */
import type { ArrivedError, ErrorQueue } from '../platform/settings';
import type { AddressInfo } from '../types';
import { newArrived, readControl, walk } from './control';
import type { Engine } from './engine';
import { Ring } from './ring';
import { newRemote, SOCKADDR_SPACE } from './sockaddr';

/** A sock_extended_err with a sockaddr_in6 behind it, for each family, and where the answer came to. */
const CONTROL = 512;
/** Of what was sent, as the answer quotes it. Not looked at. */
const PAYLOAD = 64;

/** One record. */
export interface QueuedError {
  /** errno's number, positive. */
  readonly errno: number;
  /** Who says so: a router or host by ICMP, or this host's own stack. */
  readonly origin: 'icmp' | 'icmp6' | 'local' | 'other';
  /** ICMP's own numbers. */
  readonly type: number;
  readonly code: number;
  /** To whom the datagram was sent. */
  readonly remote: AddressInfo;
  /** Who complained, where that is known. */
  readonly offender: string | undefined;
  /** The address of this host that the answer came to. */
  readonly localAddress: string | undefined;
  /** The path MTU, with EMSGSIZE. */
  readonly mtu: number | undefined;
}

export class ErrorQueueReader {
  readonly #engine: Engine;
  readonly #queue: ErrorQueue;
  readonly #ring: Ring;
  readonly #arrived = newArrived();
  readonly #remote = newRemote();
  readonly #error: ArrivedError = {
    errno: 0,
    origin: 0,
    type: 0,
    code: 0,
    info: 0,
    data: 0,
    offenderFamily: 0,
    offender0: 0,
    offender1: 0,
    offender2: 0,
    offender3: 0,
  };

  constructor(engine: Engine, queue: ErrorQueue) {
    const { platform, syscalls } = engine.host;
    this.#engine = engine;
    this.#queue = queue;
    this.#ring = new Ring(platform, syscalls, 1, CONTROL, PAYLOAD);
    this.#ring.pointAtPayload(0, 0, PAYLOAD);
  }

  /** Takes the oldest record. → undefined when there is none. @param port, mapped of the socket, as in Reading */
  take(fd: number, port: number, mapped: boolean): QueuedError | undefined {
    const { platform, syscalls } = this.#engine.host;
    const { messageWords, layout, messages, control } = this.#ring;
    messageWords[layout.namelen >>> 2] = SOCKADDR_SPACE;
    messageWords[layout.controllen >>> 2] = CONTROL;
    messageWords[layout.flags >>> 2] = 0;
    const flags = this.#queue.flag | platform.constants.MSG_DONTWAIT;
    if (syscalls.recvmmsg(fd, messages, 1, flags) !== 1) return undefined;
    const error = this.#error;
    error.errno = 0;
    error.offenderFamily = 0;
    error.info = 0;
    const length = Math.max(0, Math.min(messageWords[layout.controllen >>> 2], CONTROL));
    walk(platform.cmsg, this.#queue.arrivals, control, 0, length, error);
    readControl(platform.cmsg, platform.arrivals, control, 0, length, this.#arrived);
    const tooBig = error.errno === platform.errno.EMSGSIZE;
    return {
      errno: error.errno,
      origin: this.#origin(),
      type: error.type,
      code: error.code,
      remote: this.#remoteOf(),
      offender: this.#offender(),
      localAddress: this.#engine.names.arrival(this.#arrived, port, mapped).localAddress,
      mtu: tooBig && error.info > 0 ? error.info : undefined,
    };
  }

  #origin(): QueuedError['origin'] {
    const { icmp, icmp6, local } = this.#queue.origins;
    const { origin } = this.#error;
    return origin === icmp ? 'icmp' : origin === icmp6 ? 'icmp6' : origin === local ? 'local' : 'other';
  }

  #remoteOf(): AddressInfo {
    const { names, nameWords } = this.#ring;
    this.#engine.sockaddrs.read(names, nameWords, 0, this.#remote);
    const { text, family } = this.#engine.names.endpointOf(this.#remote);
    return { address: text, family: family === 4 ? 'IPv4' : 'IPv6', port: this.#remote.port };
  }

  #offender(): string | undefined {
    const { offenderFamily: family, offender0, offender1, offender2, offender3 } = this.#error;
    if (family === 0) return undefined;
    const words = family === 4 ? [offender0, 0, 0, 0] : [offender0, offender1, offender2, offender3];
    const [word0, word1, word2, word3] = words;
    const end = this.#engine.names.endpointOf({ family, word0, word1, word2, word3, scope: 0 });
    return end.unspecified ? undefined : end.text;
  }
}
