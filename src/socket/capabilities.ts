/**
 * What this OS, kernel and runtime give recvfromto: what the platform's data says, tried on sockets that are opened,
 * asked and closed again without being bound. Whether the answers then arrive, `recvfromto doctor` proves.
 */
import { arch, platform as osName } from 'node:os';
import { type CarriedFeature, carried } from '../datagram/carried';
import { Channel, type Wishes } from '../datagram/channel';
import type { Engine } from '../datagram/engine';
import { engineFor } from '../datagram/engines';
import { errnoName } from '../datagram/failure';
import { hostSegments } from '../datagram/segmentation';
import { openHost } from '../ffi/index';
import type { OptionName, SocketKind } from '../platform/platform';
import { missing } from '../platform/settings';
import { type Finding, no, YES } from './finding';
import { both, type SettingFeature, settingFindings, taken } from './settings-findings';

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
  /** Many datagrams per system call. On macOS by a private one, where it has been compared with recvmsg. */
  readonly batchReceive: boolean;
  /** As many can be sent by one. */
  readonly batchSend: boolean;
  /** UDP_SEGMENT, UDP_SEND_MSG_SIZE: what is sent in runs is cut by the kernel. Without it `segmentSize` is cut by recvfromto. */
  readonly gso: boolean;
  /** UDP_GRO, with `gro` */
  readonly gro: boolean;
  /** `rinfo.ttl`, with `recvTTL` */
  readonly ttl: boolean;
  /** `rinfo.tos` and `rinfo.ecn`, with `recvTOS` */
  readonly tos: boolean;
  /** `rinfo.timestamp`, with `recvTimestamp`; `maxQueueTime` */
  readonly timestamp: boolean;
  /** `rinfo.drops`, with `recvDrops`; FreeBSD and NetBSD count how often the queue was full, in `stats()` */
  readonly drops: boolean;
  /** The `'icmp'` event, with `recvErrors` */
  readonly errors: boolean;
  /** `rinfo.mark`, with `recvMark`; `replyMark` */
  readonly recvMark: boolean;
  /** `rinfo.originalDestination`, with `transparent` */
  readonly originalDestination: boolean;
  /** `rinfo.fullSize` of what was cut. */
  readonly fullSize: boolean;
  /** `reusePort`: the kernel balances between sockets on one port. */
  readonly reusePort: boolean;
  /** `reusePort: { steer }` */
  readonly steer: boolean;
  /** The option of that name. */
  readonly bindToDevice: boolean;
  /** The option of that name, by this process. */
  readonly freebind: boolean;
  /** The option of that name, by this process. */
  readonly transparent: boolean;
  /** `multicastAll: false` */
  readonly multicastAll: boolean;
  /** `mtuDiscover: 'do'` and `'dont'` */
  readonly mtuDiscover: boolean;
  /** `pathMtu()`, and `mtu` of an EMSGSIZE error. */
  readonly pathMtu: boolean;
  /** `send()` with `txTime` */
  readonly txTime: boolean;
  /** `send()` with `mark`, by this process. */
  readonly mark: boolean;
  /** `setFilter()` */
  readonly filter: boolean;
  /** `blockSource()` and `unblockSource()` */
  readonly blockSource: boolean;
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

type Findings = Readonly<Record<keyof Features, Finding>>;

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
    const [first] = channels;
    if (first === undefined) return { ...nothing(String(opened.udp4)), ipv6: no(String(opened.udp6)) };
    // Throws where this runtime cannot wait for datagrams, which nothing else can make up for.
    engine.host.readiness.watch(first.fd, () => {}).close();
    return {
      ipv4: existence(opened.udp4),
      ipv6: existence(opened.udp6),
      // open() has asked for it, and has failed where it was refused.
      destination: YES,
      localAddress: YES,
      interface: both(channels, ({ kind }) => platform.requests[kind], 'is not told by these sockets'),
      dualStack: platform.quirks.dualStack
        ? existence(opened.dual)
        : no(`${platform.name} has no IPv4-mapped addresses`),
      batchReceive: batch(engine, 'recvmmsg'),
      batchSend: batch(engine, 'sendmmsg'),
      gso: segmentation(channels),
      fullSize: platform.quirks.truncTellsLength
        ? YES
        : no(`${platform.name} does not tell how long a datagram was that it cuts`),
      reusePort: reusePort(channels),
      ...carriedFindings(channels),
      ...(settingFindings(channels) satisfies Pick<Findings, SettingFeature>),
    };
  } finally {
    for (const one of Object.values(opened)) if (typeof one !== 'string') one.close();
  }
}

/** A row of the option table each. */
function carriedFindings(channels: readonly Channel[]): Pick<Findings, CarriedFeature> {
  const { platform } = channels[0].engine.host;
  const names = Object.keys(carried) as OptionName[];
  const entries = names.map((name) => [carried[name].feature, taken(channels, platform.carried[name])]);
  const found = Object.fromEntries(entries) as Pick<Findings, CarriedFeature>;
  return found.drops.given ? found : { ...found, drops: overflow(channels) ?? found.drops };
}

/** Where datagrams that are dropped are not counted a full queue may be told. */
function overflow(channels: readonly Channel[]): Finding | undefined {
  const offer = channels[0].engine.host.platform.settings.overflow;
  if (missing(offer)) return undefined;
  const requests = offer.ask[channels[0].kind].map(({ level, name, value }) => ({ level, name, value: value ?? 1 }));
  const { given } = both(channels, () => requests);
  return given ? { given, note: 'counts how often the queue was full, in `stats().droppedByKernel` alone' } : undefined;
}

/** A socket that is asked for nothing beyond the destination. */
const PLAIN: Wishes = { reuseAddr: false, reusePort: false, asked: [] };

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

function batch({ host }: Engine, call: 'recvmmsg' | 'sendmmsg'): Finding {
  if (host.platform.privateBatch !== undefined && call === 'recvmmsg') return privateBatch(host);
  if (host.platform.mmsg === undefined) return no(`${host.platform.name} has no such call`);
  return host.syscalls.refused?.has(call) ? no(`${call} is refused to this process: a sandbox, or an old kernel`) : YES;
}

/** Relied on where it has been compared with recvmsg, which is done now if it has not been. */
function privateBatch({ syscalls }: Engine['host']): Finding {
  const { unproved } = syscalls;
  return unproved === undefined ? YES : no(unproved);
}

function reusePort(channels: readonly Channel[]): Finding {
  const { name, constants, quirks } = channels[0].engine.host.platform;
  const { reusePort } = quirks;
  if (reusePort === undefined) return no(`${name} does not balance between sockets on one port`);
  return both(channels, () => [{ level: constants.SOL_SOCKET, name: reusePort }]);
}

/**
 * The socket option takes what the control message takes; set on a socket that never sends, it says whether the kernel
 * knows it. Linux since 4.18.
 */
function segmentation(channels: readonly Channel[]): Finding {
  const { name, segment, tried } = channels[0].engine.host.platform;
  if (segment === undefined && tried?.segment !== undefined)
    return no(`this release of ${name} was not seen to cut datagrams`);
  if (segment === undefined) return no(`recvfromto does not ask ${name} to cut datagrams`);
  if (!hostSegments())
    return no('this kernel corrupts what it cuts (Linux 7.0 to 7.1.4), or may not be asked which it is');
  return both(channels, () => [{ level: segment.level, name: segment.type }], 'this kernel is older than Linux 4.18');
}

/** All of them: tsc names one that is missing. */
const FEATURES: Readonly<Record<keyof Features, true>> = {
  ipv4: true,
  ipv6: true,
  destination: true,
  localAddress: true,
  interface: true,
  dualStack: true,
  batchReceive: true,
  batchSend: true,
  gso: true,
  gro: true,
  ttl: true,
  tos: true,
  timestamp: true,
  drops: true,
  errors: true,
  recvMark: true,
  originalDestination: true,
  fullSize: true,
  reusePort: true,
  steer: true,
  bindToDevice: true,
  freebind: true,
  transparent: true,
  multicastAll: true,
  mtuDiscover: true,
  pathMtu: true,
  txTime: true,
  mark: true,
  filter: true,
  blockSource: true,
};

function nothing(note: string): Findings {
  return Object.fromEntries(Object.keys(FEATURES).map((name) => [name, no(note)])) as unknown as Findings;
}
