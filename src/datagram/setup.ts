/**
 * What a descriptor is made beyond what all sockets are, before it is bound: one interface, foreign addresses, groups,
 * fragmentation. Each is data of the OS (platform/settings.ts). What an OS cannot is refused, with the reason: a socket
 * that hears more than it was told to would be worse than none.
 */
import type { Request } from '../platform/platform';
import { type DeviceOption, type MtuDiscovery, missing } from '../platform/settings';
import type { Channel } from './channel';
import { notSupported } from './failure';

/** undefined: as the OS has it. */
export interface Setup {
  readonly bindToDevice?: string | undefined;
  readonly freebind?: boolean | undefined;
  readonly transparent?: boolean | undefined;
  readonly multicastAll?: boolean | undefined;
  readonly mtuDiscover?: MtuDiscovery | undefined;
}

/** What went wrong, with the end of a sentence that begins with the option. */
export interface Refusal {
  /** -errno */
  readonly result: number;
  readonly because: string;
}

/** → undefined when all of it is set */
export function setUp(channel: Channel, wishes: Setup): Refusal | undefined {
  const { platform } = channel.engine.host; // its settings are made when they are first read: few sockets need them
  const { bindToDevice, freebind, transparent, multicastAll, mtuDiscover } = wishes;
  return (
    (bindToDevice === undefined ? undefined : toDevice(channel, bindToDevice)) ??
    (freebind ? ask(channel, 'freebind', platform.settings.freebind) : undefined) ??
    (transparent ? ask(channel, 'transparent', platform.settings.transparent) : undefined) ??
    (multicastAll === false && !missing(platform.settings.onlyOwnGroups)
      ? ask(channel, 'multicastAll: false', platform.settings.onlyOwnGroups)
      : undefined) ??
    (mtuDiscover === undefined ? undefined : ask(channel, 'mtuDiscover', platform.settings.mtuDiscover[mtuDiscover]))
  );
}

/** Has groups that other sockets have joined to be left out by us, because this OS cannot? */
export function filtersGroups(channel: Channel, wishes: Setup): boolean {
  return wishes.multicastAll === false && missing(channel.engine.host.platform.settings.onlyOwnGroups);
}

/** The index of the only interface that is to be heard, where this OS does not see to it itself; else 0. */
export function filtersDevice({ engine }: Channel, { bindToDevice }: Setup): number {
  if (bindToDevice === undefined) return 0;
  const offer = engine.host.platform.settings.bindToDevice;
  if (missing(offer) || offer.hears) return 0;
  return engine.names.interfaces.indexOf(bindToDevice);
}

type Offer =
  | { readonly ask: Readonly<Record<Channel['kind'], readonly Request[]>>; readonly needs?: string }
  | { readonly because: string };

function ask(channel: Channel, option: string, offer: Offer): Refusal | undefined {
  if (missing(offer)) return absent(channel, option, offer.because);
  for (const { level, name, value, optional } of offer.ask[channel.kind]) {
    const result = channel.setInt(level, name, value ?? 1);
    if (result < 0 && optional !== true) return refused(channel, result, option, offer.needs);
  }
  return undefined;
}

function toDevice(channel: Channel, device: string): Refusal | undefined {
  const offer = channel.engine.host.platform.settings.bindToDevice;
  if (missing(offer)) return absent(channel, 'bindToDevice', offer.because);
  for (const option of offer.ask[channel.kind]) {
    const result = setDevice(channel, option, device);
    if (result < 0) return refused(channel, result, 'bindToDevice', 'CAP_NET_RAW before Linux 5.7');
  }
  return undefined;
}

function setDevice(channel: Channel, { level, name, takes }: DeviceOption, device: string): number {
  const { names, host } = channel.engine;
  if (takes === 'name') return channel.setBytes(level, name, Buffer.from(`${device}\0`));
  const index = names.interfaces.indexOf(device);
  if (index === 0) return -(host.platform.errno.ENODEV ?? host.platform.errno.ENXIO);
  if (takes === 'index') return channel.setInt(level, name, index);
  const value = Buffer.alloc(4);
  value.writeUInt32BE(index);
  return channel.setBytes(level, name, value);
}

/** What this OS has not. */
function absent(channel: Channel, option: string, because: string): Refusal {
  return { result: notSupported(channel.engine.host.platform), because: `${option}: ${because}` };
}

/** EPERM names the privilege. */
function refused(channel: Channel, result: number, option: string, needs: string | undefined): Refusal {
  const { EPERM, EACCES } = channel.engine.host.platform.errno;
  const forbidden = result === -EPERM || result === -EACCES;
  return { result, because: forbidden && needs !== undefined ? `${option} needs ${needs}` : `${option} was refused` };
}
