/** Socket options, checked once: from what the user wrote to what the rest reads. */
import { carried, type Read, readersOf } from '../datagram/carried';
import type { Wishes } from '../datagram/channel';
import { badType, invalidArgType, invalidArgValue, outOfRange } from '../errors';
import type { MtuDiscovery, OptionName, SocketKind } from '../platform/platform';
import type { AddressBlockList, SocketOptions, SocketType } from '../types';
import { type Instructions, instructions } from './filter';
import { type Acceptance, acceptance } from './in/accept';
import { Lookup } from './life/lookup';
import { STICKY_DEFAULTS, type StickySettings } from './out/sticky';

/** Which socket of a `reusePort` group gets a datagram. */
export type Steering = 'cpu' | Instructions;

export interface Settings {
  /** What they were made of, for a socket like this one. */
  readonly given: SocketType | SocketOptions;
  /** Made by recvfromto/register. */
  readonly registered: boolean;
  readonly type: SocketType;
  readonly kind: SocketKind;
  readonly wishes: Wishes;
  readonly gso: boolean;
  readonly gro: boolean | 'runs';
  /** undefined: for 'message', not for 'messages'. */
  readonly ownBuffers: boolean | undefined;
  readonly ingress: boolean;
  readonly batch: number;
  readonly maxDatagramSize: number;
  readonly recvBufferSize: number | undefined;
  readonly sendBufferSize: number | undefined;
  readonly lookup: Lookup;
  readonly signal: AbortSignal | undefined;
  readonly accept: Acceptance | undefined;
  readonly sticky: StickySettings | undefined;
  /** ms that a datagram may wait in the kernel's queue, undefined for as long as it likes. */
  readonly maxQueueTime: number | undefined;
  /** What rinfo is to tell beyond the destination. */
  readonly told: readonly OptionName[];
  /** The same as what reads it; undefined where there is nothing to read. */
  readonly extras: readonly Read[] | undefined;
  readonly replyMark: boolean;
  readonly steer: Steering | undefined;
  readonly receiveBlockList: AddressBlockList | undefined;
  readonly sendBlockList: AddressBlockList | undefined;
}

/** dgram's default is to let the kernel take what fits; ours too: the largest datagram there is, IPv4 or IPv6. */
export const LARGEST_DATAGRAM = 65535;

/** Words of RECVFROMTO in the environment: `gso=off,multicastAll=off`. They hold for every socket that does not say itself. */
function environment(): Environment {
  words ??= readEnvironment();
  return words;
}

interface Environment {
  readonly gso?: boolean;
  readonly multicastAll?: boolean;
}

/** Read once: asking for a variable takes as long as half of what else opening a socket takes. */
let words: Environment | undefined;

function readEnvironment(): Environment {
  const words = (process.env.RECVFROMTO ?? '').split(',').map((word) => word.trim().split('='));
  const switches = words.flatMap(([name, value]) =>
    (name === 'gso' || name === 'multicastAll') && (value === 'on' || value === 'off') ? [[name, value === 'on']] : [],
  );
  return Object.fromEntries(switches);
}

/** What dgram's programs say at most. Sockets that say no more share their settings, if they say the same. */
interface Plain {
  readonly type: SocketType;
  readonly ipv6Only: boolean;
  readonly reuseAddr: boolean | undefined;
  readonly reusePort: boolean;
}

/** By {@link placeOf}, of ordinary sockets and of those of recvfromto/register. */
const shared: (Settings | undefined)[] = [];
const sharedRegistered: (Settings | undefined)[] = [];

/**
 * A socket per question asks for the same options each time: they are checked, and kept, once.
 * @param registered is it for recvfromto/register? Sticky then, without gso unless it is asked for (a hypervisor's kernel may
 * corrupt what it cuts, P39: programs that never chose it must not depend on that), and rinfo looks like dgram's
 * @throws ERR_SOCKET_BAD_TYPE, ERR_INVALID_ARG_TYPE, ERR_INVALID_ARG_VALUE, ERR_OUT_OF_RANGE
 */
export function settings(given: SocketType | SocketOptions, registered = false): Settings {
  const plain = plainOf(given);
  if (plain === undefined) return settingsOf(given, registered);
  const known = registered ? sharedRegistered : shared;
  const place = placeOf(plain);
  // Whatever has been put on Object.prototype is no option of a socket that was asked for by its type.
  known[place] ??= settingsOf(Object.freeze(Object.assign(Object.create(null), plain)), registered, []);
  return known[place];
}

/** undefined where anything else is asked for, or what is no option of these at all. */
function plainOf(given: SocketType | SocketOptions): Plain | undefined {
  if (given === 'udp4' || given === 'udp6')
    return { type: given, ipv6Only: false, reuseAddr: undefined, reusePort: false };
  // Options may be inherited, too.
  if (given === null || typeof given !== 'object') return undefined;
  const prototype = Object.getPrototypeOf(given);
  if (prototype !== Object.prototype && prototype !== null) return undefined;
  for (const name of Object.getOwnPropertyNames(given)) {
    if (name === 'type' || name === 'ipv6Only' || name === 'reuseAddr' || name === 'reusePort') continue;
    if (given[name as keyof SocketOptions] !== undefined) return undefined;
  }
  const { type, ipv6Only, reuseAddr, reusePort } = given;
  if (type !== 'udp4' && type !== 'udp6') return undefined;
  if (reuseAddr !== undefined && typeof reuseAddr !== 'boolean') return undefined; // shown as it was given
  if (reusePort !== undefined && typeof reusePort !== 'boolean') return undefined; // what steers datagrams
  return { type, ipv6Only: Boolean(ipv6Only), reuseAddr, reusePort: Boolean(reusePort) };
}

function placeOf({ type, ipv6Only, reuseAddr, reusePort }: Plain): number {
  const reuse = reuseAddr === undefined ? 0 : reuseAddr ? 1 : 2;
  return reuse * 8 + (reusePort ? 4 : 0) + (ipv6Only ? 2 : 0) + (type === 'udp6' ? 1 : 0);
}

/** @param carriable what of {@link carried} may be among them */
function settingsOf(
  given: SocketType | SocketOptions,
  registered: boolean,
  carriable = Object.keys(carried) as OptionName[],
): Settings {
  const options: Partial<SocketOptions> = given !== null && typeof given === 'object' ? given : { type: given };
  const { type, lookup } = options;
  // dgram checks in this order
  for (const name of ['recvBufferSize', 'sendBufferSize'] as const) {
    if (options[name]) checkInteger(`options.${name}`, options[name], 0, 4294967295);
  }
  const receiveBlockList = checkBlockList('options.receiveBlockList', options.receiveBlockList);
  const sendBlockList = checkBlockList('options.sendBlockList', options.sendBlockList);
  if (lookup !== undefined && typeof lookup !== 'function') throw invalidArgType('lookup', 'of type function', lookup);
  if (type !== 'udp4' && type !== 'udp6') throw badType();
  if (options.signal !== undefined) checkSignal(options.signal);
  const told = carriable.filter((name) => carried[name].wanted(options));
  return {
    given,
    registered,
    type,
    kind: type === 'udp4' ? 'udp4' : options.ipv6Only ? 'udp6' : 'dual',
    wishes: wishes(options, told),
    gso: options.gso ?? environment().gso ?? !registered,
    gro: checkGro(options.gro),
    ownBuffers: options.ownBuffers === undefined ? undefined : Boolean(options.ownBuffers),
    ingress: checkReplyInterface(options.replyInterface) === 'ingress',
    batch: checkInteger('options.batch', options.batch ?? 64, 1, 1024),
    maxDatagramSize: checkInteger(
      'options.maxDatagramSize',
      options.maxDatagramSize ?? LARGEST_DATAGRAM,
      1,
      LARGEST_DATAGRAM,
    ),
    recvBufferSize: options.recvBufferSize,
    sendBufferSize: options.sendBufferSize,
    lookup: new Lookup(type === 'udp4' ? 4 : 6, lookup),
    signal: options.signal,
    accept: options.accept === undefined ? undefined : acceptance(options.accept),
    sticky: checkSticky(options.stickySource ?? (registered ? true : undefined)),
    maxQueueTime:
      options.maxQueueTime === undefined
        ? undefined
        : checkInteger('options.maxQueueTime', options.maxQueueTime, 1, Number.MAX_SAFE_INTEGER),
    told,
    extras: readersOf(told),
    replyMark: Boolean(options.replyMark),
    steer: checkSteer(options.reusePort),
    receiveBlockList,
    sendBlockList,
  };
}

/** What the kernel is asked for when a descriptor is opened. */
function wishes(options: Partial<SocketOptions>, told: readonly OptionName[]): Wishes {
  // With a time limit for the queue it has to be known how long each has waited.
  const isTimed = options.maxQueueTime !== undefined && !told.includes('recvTimestamp');
  return {
    reuseAddr: options.reuseAddr,
    reusePort: Boolean(options.reusePort),
    asked: isTimed ? [...told, 'recvTimestamp'] : told,
    bindToDevice: checkDevice(options.bindToDevice),
    freebind: Boolean(options.freebind),
    transparent: Boolean(options.transparent),
    multicastAll: options.multicastAll ?? environment().multicastAll,
    mtuDiscover: checkMtuDiscover(options.mtuDiscover),
  };
}

/** → `value`. @throws ERR_INVALID_ARG_TYPE, ERR_OUT_OF_RANGE */
export function checkInteger(name: string, value: unknown, min: number, max: number): number {
  if (typeof value !== 'number') throw invalidArgType(name, 'of type number', value);
  if (!Number.isInteger(value)) throw outOfRange(name, 'an integer', value);
  if (value < min || value > max) throw outOfRange(name, `>= ${min} && <= ${max}`, value);
  return value;
}

function checkSticky(value: unknown): StickySettings | undefined {
  if (value === undefined || value === null || value === false) return undefined;
  if (value === true) return STICKY_DEFAULTS;
  if (typeof value !== 'object') throw invalidArgType('options.stickySource', 'of type boolean or object', value);
  const { max = STICKY_DEFAULTS.max, ttl = STICKY_DEFAULTS.ttl, follow } = value as Partial<StickySettings>;
  if (follow !== undefined && follow !== 'route') {
    throw invalidArgValue('options.stickySource.follow', follow, "must be 'route'");
  }
  return {
    max: checkInteger('options.stickySource.max', max, 1, 2 ** 24 - 1), // 268 MB for IPv4
    ttl: checkInteger('options.stickySource.ttl', ttl, 1, Number.MAX_SAFE_INTEGER),
    follow,
  };
}

function checkDevice(value: unknown): string | undefined {
  if (value === undefined || value === null) return undefined;
  if (typeof value !== 'string') throw invalidArgType('options.bindToDevice', 'of type string', value);
  if (value !== '' && !value.includes('\0')) return value;
  throw invalidArgValue('options.bindToDevice', value, 'is not the name of an interface');
}

const MTU_DISCOVER = ['do', 'dont', 'want', 'probe'] as const;

function checkMtuDiscover(value: unknown): MtuDiscovery | undefined {
  if (value === undefined) return undefined;
  const known = MTU_DISCOVER.find((one) => one === value);
  if (known !== undefined) return known;
  throw invalidArgValue('options.mtuDiscover', value, "must be 'do', 'dont', 'want' or 'probe'");
}

function checkSteer(value: unknown): Steering | undefined {
  if (value === null || typeof value !== 'object') return undefined;
  const { steer } = value as { steer?: unknown };
  return steer === undefined || steer === 'cpu' ? steer : instructions('options.reusePort.steer', steer);
}

function checkGro(value: unknown): boolean | 'runs' {
  return value === 'runs' ? value : Boolean(value);
}

function checkReplyInterface(value: unknown): 'route' | 'ingress' {
  if (value === undefined || value === 'route' || value === 'ingress') return value ?? 'route';
  throw invalidArgValue('options.replyInterface', value, "must be 'route' or 'ingress'");
}

/** Duck-typed: under Jest an AbortSignal of another realm is no instance of ours. */
function checkSignal(signal: unknown): void {
  if (signal !== null && typeof signal === 'object' && 'aborted' in signal) return;
  throw invalidArgType('options.signal', 'an instance of AbortSignal', signal);
}

function checkBlockList(name: string, list: unknown): AddressBlockList | undefined {
  if (!list) return undefined;
  if (typeof (list as AddressBlockList).check === 'function') return list as AddressBlockList;
  throw invalidArgType(name, 'an net.BlockList', list);
}
