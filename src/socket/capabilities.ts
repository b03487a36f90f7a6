/**
 * What this OS, kernel and runtime give recvfromto: what the platform's data says, tried on sockets that are opened,
 * asked and closed again without being bound. Whether the answers then arrive, `recvfromto doctor` proves.
 */
import { arch, platform as osName } from 'node:os';
import { carried } from '../datagram/carried';
import { Channel, type Wishes } from '../datagram/channel';
import { type Engine, engineFor } from '../datagram/engine';
import { errnoName } from '../datagram/failure';
import { hostSegments } from '../datagram/segmentation';
import { openHost } from '../ffi/index';
import type { OptionName, Request, SocketKind } from '../platform/platform';

/** Each is true or false; `notes` says why, or what is special about it. */
export interface Features {
  /** IPv4 sockets. */
  readonly ipv4: boolean;
  /** IPv6 sockets. */
  readonly ipv6: boolean;
  /** `rinfo.destination` */
  readonly destination: boolean;
  /** Answers leave from the address that was asked; `send()` heeds `localAddress`. */
  readonly localAddress: boolean;
  /** `rinfo.destination.interface` */
  readonly interface: boolean;
  /** One udp6 socket for both families. */
  readonly dualStack: boolean;
  /** Many datagrams per system call. */
  readonly batchReceive: boolean;
  /** As many can be sent by one. */
  readonly batchSend: boolean;
  /** UDP_SEGMENT */
  readonly gso: boolean;
  /** UDP_GRO */
  readonly gro: boolean;
  /** `rinfo.ttl`, with `recvTTL` */
  readonly ttl: boolean;
  /** `rinfo.tos` and `rinfo.ecn`, with `recvTOS` */
  readonly tos: boolean;
  /** `rinfo.timestamp`, with `recvTimestamp` */
  readonly timestamp: boolean;
  /** `rinfo.drops`, with `recvDrops` */
  readonly drops: boolean;
  /** The `'icmp'` event, with `recvErrors` */
  readonly errors: boolean;
  /** `reusePort`: the kernel balances between sockets on one port. */
  readonly reusePort: boolean;
}

/** What capabilities() gives: where we are, and what there is. */
export interface Capabilities extends Features {
  /** process.platform */
  readonly platform: string;
  /** process.arch */
  readonly arch: string;
  /** Who runs this program. */
  readonly runtime: 'node' | 'bun' | 'deno';
  /** Why a feature is missing, or where it is limited. */
  readonly notes: Readonly<Partial<Record<keyof Features, string>>>;
}

type Finding = { readonly given: boolean; readonly note?: string };
type Findings = Readonly<Record<keyof Features, Finding>>;

const YES: Finding = { given: true };
const no = (note: string): Finding => ({ given: false, note });
const NOT_OFFERED = no('not offered by recvfromto yet');

let known: Capabilities | undefined;

/** What this OS, kernel and runtime give. Found out once; the same frozen object each time. Never throws. */
export function capabilities(): Capabilities {
  known ??= report(findings());
  return known;
}

/** @param engine for tests; the host's own otherwise */
export function findings(engine?: Engine): Findings {
  try {
    return probe(engine ?? engineFor(openHost()));
  } catch (error) {
    // An OS, a CPU or a runtime without support, or Node's permission model: the reason for everything.
    return nothing((error as Error).message);
  }
}

function report(found: Findings): Capabilities {
  const { bun, deno } = process.versions as Record<string, string | undefined>;
  const runtime = bun !== undefined ? 'bun' : deno !== undefined ? 'deno' : 'node';
  const all = Object.entries(found) as [keyof Features, Finding][];
  const features = Object.fromEntries(all.map(([name, { given }]) => [name, given])) as unknown as Features;
  const notes = Object.fromEntries(all.flatMap(([name, { note }]) => (note === undefined ? [] : [[name, note]])));
  return Object.freeze({ platform: osName(), arch: arch(), runtime, ...features, notes: Object.freeze(notes) });
}

/** One opened socket of each kind, or why there is none. */
type Opened = Readonly<Record<SocketKind, Channel | string>>;

function probe(engine: Engine): Findings {
  const { platform } = engine.host;
  const opened: Opened = { udp4: open(engine, 'udp4'), udp6: open(engine, 'udp6'), dual: open(engine, 'dual') };
  const channels = [opened.udp4, opened.udp6].filter((one) => typeof one !== 'string');
  try {
    // Throws where this runtime cannot wait for datagrams, which nothing else can make up for.
    if (channels[0] !== undefined) engine.host.readiness.watch(channels[0].fd, () => {}).close();
    const some = channels.length > 0 ? YES : no(String(opened.udp4));
    const silent = `${platform.name} does not tell it`;
    const mmsg = platform.mmsg !== undefined ? YES : no(`${platform.name} has no such call`);
    return {
      ipv4: existence(opened.udp4),
      ipv6: existence(opened.udp6),
      // open() has asked for it, and has failed where it was refused.
      destination: some,
      localAddress: some,
      interface: both(channels, ({ kind }) => platform.requests[kind], silent),
      dualStack: platform.quirks.dualStack
        ? existence(opened.dual)
        : no(`${platform.name} has no IPv4-mapped addresses`),
      batchReceive: mmsg,
      batchSend: mmsg,
      gso: segmentation(channels),
      gro: both(channels, requestsOf('gro'), `${platform.name} does not glue datagrams together`),
      ttl: both(channels, requestsOf('recvTTL'), silent),
      tos: both(channels, requestsOf('recvTOS'), silent),
      timestamp: both(channels, requestsOf('recvTimestamp'), silent),
      drops: both(channels, requestsOf('recvDrops'), silent),
      errors: NOT_OFFERED,
      reusePort: both(channels, reusePort, `${platform.name} does not balance between sockets on one port`),
    };
  } finally {
    for (const one of Object.values(opened)) if (typeof one !== 'string') one.close();
  }
}

/** A socket that is asked for nothing beyond the destination. */
const PLAIN: Wishes = {
  reuseAddr: false,
  reusePort: false,
  ...(Object.fromEntries(Object.keys(carried).map((name) => [name, false])) as Record<OptionName, boolean>),
};

function open(engine: Engine, kind: SocketKind): Channel | string {
  const channel = new Channel(engine, kind);
  const result = channel.open(PLAIN);
  if (result === 0) return channel;
  const family = kind === 'udp4' ? 'IPv4' : kind === 'udp6' ? 'IPv6' : 'dual-stack';
  return `this host gives no ${family} socket (${errnoName(engine.host.platform, result)})`;
}

function existence(one: Channel | string): Finding {
  return typeof one === 'string' ? no(one) : YES;
}

function requestsOf(option: OptionName) {
  return ({ engine, kind }: Channel) => engine.host.platform.optionRequests[option]?.[kind] ?? [];
}

function reusePort({ engine }: Channel): Request[] {
  const { constants, quirks } = engine.host.platform;
  return quirks.reusePort === undefined ? [] : [{ level: constants.SOL_SOCKET, name: quirks.reusePort }];
}

/**
 * The socket option takes what the control message takes; set on a socket that never sends, it says whether the kernel
 * knows it. Linux since 4.18.
 */
function segmentation(channels: readonly Channel[]): Finding {
  const { name, segment } = channels[0]?.engine.host.platform ?? {};
  if (segment === undefined) return no(`recvfromto does not ask ${name ?? 'a host without sockets'} to cut datagrams`);
  if (!hostSegments())
    return no('this kernel corrupts what it cuts (Linux 7.0 to 7.1.4), or may not be asked which it is');
  return both(channels, () => [{ level: segment.level, name: segment.type }], 'this kernel is older than Linux 4.18');
}

/** Does the kernel take what there is to ask for, on sockets of both families? */
function both(
  channels: readonly Channel[],
  requestsOf: (channel: Channel) => readonly Request[],
  otherwise: string,
): Finding {
  const taking = channels.filter((channel) => {
    const requests = requestsOf(channel);
    return requests.length > 0 && requests.every(({ level, name }) => channel.setInt(level, name, 1) === 0);
  });
  const [first] = taking;
  if (first === undefined) return no(otherwise);
  return taking.length === channels.length ? YES : { given: true, note: `IPv${first.family} only` };
}

const FEATURES = [
  ...['ipv4', 'ipv6', 'destination', 'localAddress', 'interface', 'dualStack', 'batchReceive', 'batchSend'],
  ...['gso', 'gro', 'ttl', 'tos', 'timestamp', 'drops', 'errors', 'reusePort'],
] as (keyof Features)[];

function nothing(note: string): Findings {
  return Object.fromEntries(FEATURES.map((name) => [name, no(note)])) as unknown as Findings;
}
