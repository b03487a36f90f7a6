/**
 * What an OS has by its documentation, on some of its releases only (Platform.tried; Windows): relied on where a datagram to
 * ourselves has shown it. A message that is refused, and one that is taken and does nothing, are the same here: not there.
 * Loaded where there is something to be tried, when the first socket is made.
 */
import { type Host, READABLE } from '../ffi/index';
import type { IntDeparture, OptionName, Platform } from '../platform/platform';
import { missing, type Tried } from '../platform/settings';
import { carried, type Read, readersOf } from './carried';
import { Channel, type Wishes } from './channel';
import type { Endpoint } from './endpoint';
import { Engine } from './engine';
import type { Extras } from './envelopes';
import { SendRing } from './send-ring';

type Family = 'udp4' | 'udp6';

/** ms that a datagram to ourselves may take. */
const PATIENCE = 100;
/** Other than what the OS gives by itself. */
const TTL = 7;
const TOS = 0xb8;
const ECN = 1;
const PLAIN: Extras = { ifindex: 0, ttl: -1, tos: -1 };

/** `host` with what it has been shown to have. */
export function proved(host: Host): Host {
  const { tried } = host.platform;
  if (tried === undefined) return host;
  const platform = withECN(host, tried);
  const families = (['udp4', 'udp6'] as const).map((kind) => new Trial({ ...host, platform }, kind));
  try {
    const [udp4, udp6] = families.map((trial) => trial.departures(tried));
    const segment = families.some((trial) => trial.cuts(tried)) ? tried.segment : undefined;
    const ttl = { ...(udp4?.ttl && { udp4: udp4.ttl }), ...(udp6?.ttl && { udp6: udp6.ttl }) };
    const tos = { ...(udp4?.tos && { udp4: udp4.tos }), ...(udp6?.tos && { udp6: udp6.tos }) };
    return { ...host, platform: { ...platform, ttl, tos, ...(segment && { segment }) } };
  } finally {
    for (const trial of families) trial.close();
  }
}

/** Where the whole TOS is not told, its ECN bits may be. */
function withECN(host: Host, { recvECN }: Tried): Platform {
  const { platform } = host;
  const { recvTOS } = platform.carried;
  if (recvECN === undefined || missing(recvTOS)) return platform;
  const takes = (kind: Family, asked: typeof recvECN) => {
    const channel = new Channel(new Engine(host), kind);
    const taken =
      channel.open(NOTHING) === 0 && asked[kind].every(({ level, name }) => channel.setInt(level, name, 1) === 0);
    channel.close();
    return taken;
  };
  if (takes('udp4', recvTOS) || !takes('udp4', recvECN)) return platform;
  return {
    ...platform,
    carried: { ...platform.carried, recvTOS: recvECN },
    optionRequests: { ...platform.optionRequests, recvTOS: recvECN },
  };
}

const wishes = (...asked: OptionName[]): Wishes => ({
  ...(Object.fromEntries(Object.keys(carried).map((name) => [name, asked.includes(name as OptionName)])) as Record<
    OptionName,
    boolean
  >),
  reuseAddr: false,
  reusePort: false,
  asked,
});
const NOTHING = wishes();
const TOLD = wishes('recvTTL', 'recvTOS');

/** A socket that sends to itself. */
class Trial {
  readonly #host: Host;
  readonly #kind: Family;
  readonly #engine: Engine;
  readonly #channel: Channel;
  readonly #extras: readonly Read[];
  /** undefined where this host gives no such socket. */
  readonly #itself: Endpoint | undefined;

  constructor(host: Host, kind: Family) {
    this.#host = host;
    this.#kind = kind;
    this.#engine = new Engine(host);
    this.#channel = new Channel(this.#engine, kind);
    this.#extras = readersOf(TOLD) ?? [];
    const loopback = this.#engine.names.endpoint(kind === 'udp4' ? '127.0.0.1' : '::1');
    const open = loopback !== undefined && this.#channel.open(TOLD) === 0 && this.#channel.bind(loopback, 0) === 0;
    this.#itself = open ? loopback : undefined;
  }

  /** The messages that do what they say. */
  departures({ ttl, tos, ecn }: Tried): { readonly ttl?: IntDeparture; readonly tos?: IntDeparture } {
    const shows = (what: 'ttl' | 'tos', message: IntDeparture | undefined, value: number) => {
      if (message === undefined) return undefined;
      const platform = { ...this.#host.platform, [what]: { [this.#kind]: message } };
      const heard = this.#send(platform, 'x', { ...PLAIN, [what]: value });
      return heard.length === 1 && heard[0]?.[what] === value ? message : undefined;
    };
    const shown = { ttl: shows('ttl', ttl?.[this.#kind], TTL), tos: shows('tos', tos?.[this.#kind], TOS) };
    const bits = shown.tos === undefined ? ecn?.[this.#kind] : undefined;
    return { ttl: shown.ttl, tos: shown.tos ?? shows('tos', bits && { ...bits, bits: 3 }, ECN) };
  }

  /** Is one payload cut into datagrams? */
  cuts({ segment }: Tried): boolean {
    if (segment === undefined) return false;
    const heard = this.#send({ ...this.#host.platform, segment }, 'aab', undefined, 2);
    return heard.map(({ text }) => text).join() === 'aa,b';
  }

  close(): void {
    this.#channel.close();
  }

  /** → what has come of it */
  #send(platform: Platform, text: string, extras: Extras | undefined, segment = text.length): readonly Heard[] {
    if (this.#itself === undefined) return [];
    const { syscalls } = this.#host;
    const { fd, port } = this.#channel;
    const send = (bytes: string, wanted: Platform, more: Extras | undefined, size: number) => {
      const ring = new SendRing(wanted, syscalls, this.#engine.sockaddrs);
      const payload = Buffer.from(bytes);
      const to = this.#itself as Endpoint;
      for (let at = 0; at < payload.length; at += size) {
        const part = payload.subarray(at, at + size);
        ring.write(part, part.length, to, port, undefined, more, undefined, false, wanted.segment !== undefined);
      }
      return syscalls.sendmmsg(fd, ring.messages, 0, ring.count, platform.constants.MSG_DONTWAIT) === ring.count;
    };
    if (!send(text, platform, extras, segment)) return [];
    // What comes behind it says that nothing more will come, and is asked for nothing.
    return send(END, this.#host.platform, undefined, END.length) ? this.#received() : [];
  }

  #received(): readonly Heard[] {
    const { syscalls } = this.#host;
    const receiver = this.#engine.receiver(1, 64);
    const heard: Heard[] = [];
    const reading = {
      port: this.#channel.port,
      mapped: false,
      hidden: false,
      extras: this.#extras,
      stats: {} as never,
    };
    for (const end = Date.now() + PATIENCE; Date.now() <= end; ) {
      if (receiver.receive(this.#channel.fd, 1) !== 1) {
        syscalls.poll(this.#channel.fd, READABLE, PATIENCE);
        continue;
      }
      const { size, ttl, tos } = receiver.rinfo(0, reading);
      const text = String(receiver.message(0, size, true));
      if (text === END) return heard;
      heard.push({ text, ttl, tos });
    }
    return [];
  }
}

const END = 'end';

interface Heard {
  readonly text: string;
  readonly ttl: number | undefined;
  readonly tos: number | undefined;
}
