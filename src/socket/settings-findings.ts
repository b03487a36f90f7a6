/**
 * Which options of sockets this OS, this kernel and this process' privileges give: a row of the platform's settings each,
 * tried on sockets that are never bound.
 */
import type { Channel } from '../datagram/channel';
import { errnoName } from '../datagram/failure';
import type { Asked, Request } from '../platform/platform';
import { type Because, type MtuDiscovery, missing, type Setting, type Settings } from '../platform/settings';
import { attach, programOf } from './filter';
import { type Finding, no, YES } from './finding';

type Channels = readonly Channel[];

/** Those of an OS's settings that are an option or a method of sockets, by its name in capabilities(). */
const FEATURE_OF = {
  bindToDevice: 'bindToDevice',
  freebind: 'freebind',
  transparent: 'transparent',
  onlyOwnGroups: 'multicastAll',
  mtuDiscover: 'mtuDiscover',
  pathMtu: 'pathMtu',
  txTime: 'txTime',
  mark: 'mark',
  filter: 'filter',
  steer: 'steer',
  blockSource: 'blockSource',
} as const satisfies Readonly<Record<Exclude<keyof Settings, 'errorQueue' | 'overflow'>, string>>;

export type SettingFeature = (typeof FEATURE_OF)[keyof typeof FEATURE_OF];

/** @param channels of both families, one at least: they are changed, and not to be used for anything else */
export function settingFindings(channels: Channels): Readonly<Record<SettingFeature, Finding>> {
  const { engine } = channels[0];
  const { settings } = engine.host.platform;
  const { onlyOwnGroups, pathMtu, mark, filter, steer, txTime, blockSource } = settings;
  return {
    bindToDevice: bindToDevice(channels, settings.bindToDevice),
    freebind: taken(channels, settings.freebind),
    transparent: taken(channels, settings.transparent),
    multicastAll: missing(onlyOwnGroups)
      ? { given: true, note: `${onlyOwnGroups.because}: recvfromto leaves out what comes for other groups` }
      : taken(channels, onlyOwnGroups),
    mtuDiscover: mtuDiscover(channels, settings.mtuDiscover),
    pathMtu: missing(pathMtu) ? no(pathMtu.because) : families(channels, (channel) => pathMtuOf(channel)),
    txTime: missing(txTime) ? no(txTime.because) : families(channels, (channel) => channel.enableTxTime()),
    mark: missing(mark)
      ? no(mark.because)
      : families(channels, (channel) => channel.setInt(mark.option.level, mark.option.name, 0), mark.needs),
    filter: missing(filter)
      ? no(filter.because)
      : families(channels, (channel) => attach(channel, filter.attach, ACCEPT_ALL)),
    steer: missing(steer) ? no(steer.because) : families(channels, (channel) => steered(channel, steer)),
    // Nothing is joined here that could be heard without one source.
    blockSource: missing(blockSource) ? no(blockSource.because) : YES,
  };
}

/** BPF_RET | BPF_K: the whole datagram. */
const ACCEPT_ALL = [[0x06, 0, 0, 0xffff_ffff]] as const;

/** Does the kernel take what there is to ask for, on sockets of both families? */
export function taken(channels: Channels, offer: Asked | Setting | Because): Finding {
  if (missing(offer)) return no(offer.because);
  const [asked, needs] = 'ask' in offer ? [offer.ask, offer.needs] : [offer, undefined];
  return both(channels, ({ kind }) => asked[kind], undefined, needs);
}

/** @param otherwise why it is refused; else what the kernel says, and what it `needs` */
export function both(
  channels: Channels,
  requestsOf: (channel: Channel) => readonly Request[],
  otherwise?: string,
  needs?: string,
): Finding {
  const concerned = channels.filter((channel) => requestsOf(channel).length > 0);
  if (concerned.length === 0) return no(otherwise ?? 'not on the sockets that this host gives');
  const ask = (channel: Channel) => {
    for (const { level, name, value = 1, optional } of requestsOf(channel)) {
      const result = channel.setInt(level, name, value);
      if (result < 0 && optional !== true) return result;
    }
    return 0;
  };
  const found = families(concerned, ask, needs, otherwise);
  const only = concerned.length < channels.length && found.given && found.note === undefined;
  return only ? { given: true, note: `IPv${concerned[0].family} only` } : found;
}

/** `ask` → -errno where the kernel refuses it. Given where one family is. */
function families(channels: Channels, ask: (channel: Channel) => number, needs?: string, otherwise?: string): Finding {
  const results = channels.map((channel) => ask(channel));
  const [first] = channels.filter((_, i) => results[i] >= 0);
  if (first === undefined) return no(otherwise ?? refused(channels[0], results[0], needs));
  return results.every((result) => result >= 0) ? YES : { given: true, note: `IPv${first.family} only` };
}

function refused({ engine }: Channel, result: number, needs: string | undefined): string {
  const { platform } = engine.host;
  const { EPERM, EACCES } = platform.errno;
  const forbidden = result === -EPERM || result === -EACCES;
  return forbidden && needs !== undefined
    ? `needs ${needs}`
    : `this kernel refuses it (${errnoName(platform, result)})`;
}

/** No interface, which each is bound to anyway. */
function bindToDevice(channels: Channels, offer: Settings['bindToDevice']): Finding {
  if (missing(offer)) return no(offer.because);
  const ask = (channel: Channel) => {
    for (const { level, name, takes } of offer.ask[channel.kind]) {
      const result = takes === 'name' ? channel.setBytes(level, name, Buffer.of(0)) : channel.setInt(level, name, 0);
      if (result < 0) return result;
    }
    return 0;
  };
  const found = families(channels, ask, 'CAP_NET_RAW before Linux 5.7');
  if (!found.given || offer.hears) return found;
  return { given: true, note: 'the OS binds what is sent: recvfromto leaves out what comes in by other interfaces' };
}

function mtuDiscover(channels: Channels, offers: Settings['mtuDiscover']): Finding {
  const found = taken(channels, offers.do);
  const without = (Object.keys(offers) as MtuDiscovery[]).flatMap((name) => {
    const offer = offers[name];
    return missing(offer) ? [{ name, because: offer.because }] : [];
  });
  if (!found.given || without.length === 0) return found;
  const names = without.map(({ name }) => `'${name}'`).join(' and ');
  const note = `not ${names}: ${without[0].because}`;
  return { given: true, note: found.note === undefined ? note : `${found.note}; ${note}` };
}

/** Of this host's own address: it is connected to, and nothing is sent. */
function pathMtuOf({ engine, family }: Channel): number {
  const loopback = engine.names.endpoint(family === 4 ? '127.0.0.1' : '::1');
  return loopback === undefined ? -engine.host.platform.errno.EINVAL : engine.pathMtu(loopback);
}

/** Linux takes it from a socket that shares its port alone. */
function steered(channel: Channel, option: { readonly level: number; readonly name: number }): number {
  const { constants, quirks } = channel.engine.host.platform;
  const shared = channel.setInt(constants.SOL_SOCKET, quirks.reusePort, 1);
  return shared < 0 ? shared : attach(channel, option, programOf('cpu'));
}
