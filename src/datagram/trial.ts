/**
 * What an OS has by its documentation, on some of its releases only (Platform.tried; Windows): relied on where a datagram to
 * ourselves has shown it. A message that is refused, and one that is taken and does nothing, are the same here: not there.
 * Loaded where there is something to be tried, when the first socket is made.
 */
import { type Host, READABLE } from '../ffi/index';
import type { IntDeparture, OptionName, Platform } from '../platform/platform';
import { missing, type Tried } from '../platform/settings';
import { Channel, type Wishes } from './channel';
import { newArrived, readControl } from './control';
import type { Endpoint } from './endpoint';
import { Engine } from './engine';
import type { Extras } from './envelopes';
import { CONTROL_SPACE, Ring } from './ring';
import { SendRing } from './send-ring';
import { SOCKADDR_SPACE } from './sockaddr';

type Family = 'udp4' | 'udp6';

/** Bytes, more than any of these datagrams has. */
const PAYLOAD = 16;
/** ms that a datagram to ourselves may take. */
const PATIENCE = 100;
/** More than any trial brings; an error that never ends must not spin. */
const ROUNDS = 16;
/** Other than what the OS gives by itself. */
const TTL = 7;
const TOS = 0xb8;
const ECN = 1;
const PLAIN: Extras = { ifindex: 0, ttl: -1, tos: -1 };

/** `host` with what it has been shown to have. */
export function proved(host: Host): Host {
  const { tried } = host.platform;
  if (tried === undefined) return host;
  const engine = new Engine(host);
  const platform = withECN(engine, tried);
  const bench = new Bench(engine, platform);
  const trials = (['udp4', 'udp6'] as const).map((kind) => new Trial(bench, kind));
  try {
    const [udp4, udp6] = trials.map((trial) => trial.departures(tried));
    const segment = trials.some((trial) => trial.cuts(tried)) ? tried.segment : undefined;
    const ttl = { ...(udp4?.ttl && { udp4: udp4.ttl }), ...(udp6?.ttl && { udp6: udp6.ttl }) };
    const tos = { ...(udp4?.tos && { udp4: udp4.tos }), ...(udp6?.tos && { udp6: udp6.tos }) };
    return { ...host, platform: { ...platform, ttl, tos, ...(segment && { segment }) } };
  } finally {
    for (const trial of trials) trial.close();
  }
}

/** Where the whole TOS is not told, its ECN bits may be. */
function withECN(engine: Engine, { recvECN }: Tried): Platform {
  const { platform } = engine.host;
  const { recvTOS } = platform.carried;
  if (recvECN === undefined || missing(recvTOS)) return platform;
  const channel = new Channel(engine, 'udp4');
  const takes = (asked: typeof recvECN) =>
    asked.udp4.every(({ level, name }) => channel.setInt(level, name, 1) === 0) && channel.fd >= 0;
  channel.open(wishes());
  const bitsAlone = !takes(recvTOS) && takes(recvECN);
  channel.close();
  if (!bitsAlone) return platform;
  return {
    ...platform,
    carried: { ...platform.carried, recvTOS: recvECN },
    optionRequests: { ...platform.optionRequests, recvTOS: recvECN },
  };
}

const wishes = (...asked: OptionName[]): Wishes => ({ reuseAddr: false, reusePort: false, asked });

/** What all trials send and receive with: made once, because the first socket of a process waits for it. */
class Bench {
  readonly engine: Engine;
  /** What the ring writes by; trials change it. */
  readonly platform: { -readonly [Key in keyof Platform]: Platform[Key] };
  readonly out: SendRing;
  readonly in: Ring;

  constructor(engine: Engine, platform: Platform) {
    const { syscalls } = engine.host;
    this.engine = engine;
    this.platform = { ...platform };
    this.out = new SendRing(this.platform, syscalls, engine.sockaddrs);
    this.in = new Ring(platform, syscalls, 1, CONTROL_SPACE, PAYLOAD);
    this.in.pointAtPayload(0, 0, PAYLOAD);
  }
}

/** A socket that sends to itself. */
class Trial {
  readonly #bench: Bench;
  readonly #kind: Family;
  readonly #channel: Channel;
  readonly #arrived = newArrived();
  /** undefined where this host gives no such socket. */
  readonly #itself: Endpoint | undefined;

  constructor(bench: Bench, kind: Family) {
    this.#bench = bench;
    this.#kind = kind;
    this.#channel = new Channel(bench.engine, kind);
    const loopback = bench.engine.names.endpoint(kind === 'udp4' ? '127.0.0.1' : '::1');
    const open = loopback !== undefined && this.#channel.open(wishes()) === 0;
    const bound = open && this.#ask() && this.#channel.bind(loopback, 0) === 0;
    this.#itself = bound ? loopback : undefined;
  }

  /** TTL and TOS, by what the release takes. */
  #ask(): boolean {
    const { recvTTL, recvTOS } = this.#bench.platform.carried;
    for (const asked of [recvTTL, recvTOS]) {
      if (missing(asked)) continue;
      for (const { level, name } of asked[this.#kind]) this.#channel.setInt(level, name, 1);
    }
    return true;
  }

  /** The messages that do what they say. */
  departures({ ttl, tos, ecn }: Tried): { readonly ttl?: IntDeparture; readonly tos?: IntDeparture } {
    const shows = (what: 'ttl' | 'tos', message: IntDeparture | undefined, value: number) => {
      if (message === undefined) return undefined;
      const heard = this.#send({ [what]: { [this.#kind]: message } }, 'x', { ...PLAIN, [what]: value });
      return heard.length === 1 && heard[0]?.[what] === value ? message : undefined;
    };
    const shown = { ttl: shows('ttl', ttl?.[this.#kind], TTL), tos: shows('tos', tos?.[this.#kind], TOS) };
    const bits = shown.tos === undefined ? ecn?.[this.#kind] : undefined;
    return { ttl: shown.ttl, tos: shown.tos ?? shows('tos', bits && { ...bits, bits: 3 }, ECN) };
  }

  /** Is one payload cut into datagrams? */
  cuts({ segment }: Tried): boolean {
    if (segment === undefined) return false;
    const heard = this.#send({ segment }, 'aab', undefined, 2);
    return heard.map(({ text }) => text).join() === 'aa,b';
  }

  close(): void {
    this.#channel.close();
  }

  /** @param having what the platform has for this once. → what has come of it */
  #send(having: Partial<Platform>, text: string, extras: Extras | undefined, segment = text.length): readonly Heard[] {
    const { platform } = this.#bench;
    const before = { ttl: platform.ttl, tos: platform.tos, segment: platform.segment };
    Object.assign(platform, having);
    const sent = this.#push(text, extras, segment);
    Object.assign(platform, before);
    // What comes behind it says that nothing more will come, and is asked for nothing.
    return sent && this.#push(END, undefined, END.length) ? this.#received() : [];
  }

  /** Has the kernel taken it? */
  #push(text: string, extras: Extras | undefined, size: number): boolean {
    const { engine, out, platform } = this.#bench;
    if (this.#itself === undefined) return false;
    const { fd, port } = this.#channel;
    const payload = Buffer.from(text);
    for (let at = 0; at < payload.length; at += size) {
      const part = payload.subarray(at, at + size);
      const joins = size < payload.length;
      out.write(part, part.length, this.#itself, port, undefined, extras, undefined, false, joins);
    }
    const { count } = out;
    const sent = engine.host.syscalls.sendmmsg(fd, out.messages, 0, count, platform.constants.MSG_DONTWAIT);
    out.settled = count;
    out.clear();
    return sent === count;
  }

  #received(): readonly Heard[] {
    const { syscalls } = this.#bench.engine.host;
    const heard: Heard[] = [];
    for (let rounds = 0; rounds < ROUNDS; rounds++) {
      const one = this.#receive();
      if (one === undefined && syscalls.poll(this.#channel.fd, READABLE, PATIENCE) <= 0) return [];
      if (one?.text === END) return heard;
      if (one !== undefined) heard.push(one);
    }
    return [];
  }

  /** undefined where nothing waits. */
  #receive(): Heard | undefined {
    const { engine, platform } = this.#bench;
    const { layout, messageWords, messages, payload, control } = this.#bench.in;
    messageWords[layout.namelen >>> 2] = SOCKADDR_SPACE;
    messageWords[layout.controllen >>> 2] = CONTROL_SPACE;
    messageWords[layout.flags >>> 2] = 0;
    const got = engine.host.syscalls.recvmmsg(this.#channel.fd, messages, 1, platform.constants.MSG_DONTWAIT);
    if (got !== 1) return undefined;
    const length = Math.max(0, Math.min(messageWords[layout.controllen >>> 2], CONTROL_SPACE));
    readControl(platform.cmsg, platform.arrivals, control, 0, length, this.#arrived);
    const size = Math.min(messageWords[layout.len >>> 2], PAYLOAD);
    return { text: payload.toString('latin1', 0, size), ttl: this.#arrived.ttl, tos: this.#arrived.tos };
  }
}

const END = 'end';

interface Heard {
  readonly text: string;
  /** -1 where it was not told. */
  readonly ttl: number;
  readonly tos: number;
}
