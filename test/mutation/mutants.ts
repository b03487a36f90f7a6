/**
 * Every way in which one OS's data can be wrong by one step: each offset and size off by 4, each number off by one or
 * exchanged with its neighbour, each control message, request and quirk wrong, missing or out of order. A mutant changes
 * the Platform object in place and changes it back.
 */
import { android } from '../../src/platform/android';
import { darwin } from '../../src/platform/darwin';
import { freebsd } from '../../src/platform/freebsd';
import { linux } from '../../src/platform/linux';
import { netbsd } from '../../src/platform/netbsd';
import { openbsd } from '../../src/platform/openbsd';
import { specDstDeparture } from '../../src/platform/pktinfo';
import type { Arrival, Departure, IntDeparture, Platform, Request } from '../../src/platform/platform';
import { missing } from '../../src/platform/settings';
import { win32 } from '../../src/platform/win32';

export interface Mutant {
  readonly name: string;
  /** → undoes it */
  apply(): () => void;
}

const make: Record<string, (arch: string) => Platform | undefined> = {
  linux,
  android,
  darwin,
  freebsd,
  openbsd,
  netbsd,
  win32,
};

/** Writable all the way down: what a mutant may do and nobody else. */
type Loose = Record<string, unknown>;

export function* mutants(platform: Platform): Generator<Mutant> {
  yield* structs(platform);
  yield* numbers(platform, 'message', [4, -4]);
  yield* numbers(platform, 'message.iovec', [4, -4]);
  yield* numbers(platform, 'cmsg', [4, -4]);
  yield* numbers(platform, 'constants', [1, -1]);
  yield* neighbours(platform, 'constants');
  yield* numbers(platform, 'errno', [1, -1]);
  yield* neighbours(platform, 'errno');
  yield* identity(platform);
  yield* arrivals(platform);
  yield* departures(platform);
  yield* extras(platform);
  yield* quirks(platform);
  yield* requests(platform, 'requests', platform.requests);
  for (const [option, kinds] of Object.entries(platform.optionRequests)) {
    yield* requests(platform, `optionRequests.${option}`, kinds);
    yield remove(platform, 'optionRequests', option);
  }
  for (const [option, offer] of Object.entries(platform.carried)) yield* offers(platform, 'carried', option, offer);
  for (const [setting, offer] of Object.entries(platform.settings)) yield* offers(platform, 'settings', setting, offer);
  for (const path of ['tried', 'privateBatch'] as const) {
    if (platform[path] === undefined) continue;
    yield set(platform, '', path, undefined);
    yield* anything(platform, path, platform[path]);
  }
}

/** What an OS has or has not: the reason taken away, and everything that stands there off by one. */
function* offers(platform: Platform, path: string, key: string, offer: object): Generator<Mutant> {
  if (missing(offer)) {
    yield set(
      platform,
      path,
      key,
      { ask: { udp4: [], udp6: [], dual: [] }, udp4: [], udp6: [], dual: [] },
      'there is one',
    );
  } else {
    yield set(platform, path, key, { because: 'Nobody has one' }, 'there is none');
    yield* anything(platform, `${path}.${key}`, offer);
  }
}

/** Numbers off by one, flags turned, words changed, list members left out, however deep they stand. */
function* anything(platform: Platform, path: string, object: object): Generator<Mutant> {
  for (const [key, value] of Object.entries(object) as [string, unknown][]) {
    const word = typeof value === 'string' && key !== 'needs' && key !== 'because'; // those are for people
    if (typeof value === 'number') for (const step of [1, -1]) yield set(platform, path, key, value + step);
    if (typeof value === 'boolean') yield set(platform, path, key, !value);
    if (word) yield set(platform, path, key, key === 'takes' ? (value === 'name' ? 'index' : 'name') : `${value}x`);
    if (typeof value === 'function') yield set(platform, path, key, () => {}, 'nothing');
    if (typeof value !== 'object' || value === null) continue;
    yield* anything(platform, `${path}.${key}`, value);
    if (!Array.isArray(value)) continue;
    for (const [i] of value.entries()) yield set(platform, path, key, value.toSpliced(i, 1), `without [${i}]`);
    if (value.length > 1) yield set(platform, path, key, [...value].reverse(), 'reversed');
  }
}

function at(platform: Platform, path: string): Loose {
  return path.split('.').reduce((object, key) => object[key] as Loose, platform as unknown as Loose);
}

/** `path.key` becomes `value`. */
function set(platform: Platform, path: string, key: string | number, value: unknown, label?: string): Mutant {
  const describe = typeof value === 'function' || typeof value === 'object' ? 'other' : String(value);
  return {
    name: `${path === '' ? '' : `${path}.`}${key} = ${label ?? describe}`,
    apply() {
      const object = path === '' ? (platform as unknown as Loose) : at(platform, path);
      const before = object[key];
      object[key] = value;
      return () => {
        object[key] = before;
      };
    },
  };
}

function remove(platform: Platform, path: string, key: string): Mutant {
  return {
    name: `${path}.${key} removed`,
    apply() {
      const object = at(platform, path);
      const before = { ...object };
      delete object[key];
      return () => {
        // In the order they had: some of it is looked at.
        for (const each of Object.keys(object)) delete object[each];
        Object.assign(object, before);
      };
    },
  };
}

function* numbers(platform: Platform, path: string, steps: readonly number[]): Generator<Mutant> {
  for (const [key, value] of Object.entries(at(platform, path))) {
    if (typeof value === 'boolean') yield set(platform, path, key, !value);
    if (typeof value !== 'number') continue;
    if (key === 'align') {
      yield set(platform, path, key, value * 2);
      yield set(platform, path, key, value / 2);
      continue;
    }
    // Nothing stands before its beginning: no slip of the pen makes an offset negative.
    for (const step of steps) if (value + step >= 0 || steps[0] === 1) yield set(platform, path, key, value + step);
  }
}

/** Two numbers exchanged, as a slip of the pen in a table does. */
function* neighbours(platform: Platform, path: string): Generator<Mutant> {
  const object = at(platform, path);
  const keys = Object.keys(object);
  for (const [i, key] of keys.entries()) {
    const other = keys[i + 1];
    if (other === undefined || object[key] === object[other]) continue;
    yield {
      name: `${path}.${key} and ${other} exchanged`,
      apply() {
        const { [key]: one, [other]: two } = object;
        Object.assign(object, { [key]: two, [other]: one });
        return () => void Object.assign(object, { [key]: one, [other]: two });
      },
    };
  }
}

/** A field elsewhere or a struct of another size, and everything that the platform reads off it. */
function* structs(platform: Platform): Generator<Mutant> {
  for (const [name, type] of Object.entries(platform.structs)) {
    for (const step of [4, -4]) {
      for (const [field, place] of Object.entries(type.fields)) {
        if (place.offset + step < 0) continue;
        yield rebuilt(platform, name, `${name}.${field} at ${place.offset + step}`, place, 'offset', step);
      }
      yield rebuilt(platform, name, `sizeof ${name} = ${type.size + step}`, type, 'size', step);
    }
  }
}

function rebuilt(platform: Platform, struct: string, name: string, object: object, key: string, step: number): Mutant {
  return {
    name,
    apply() {
      const place = object as Record<string, number>;
      const before = { ...platform };
      const value = place[key];
      place[key] = value + step;
      try {
        const anew = make[platform.name](platform.arch) as Platform;
        // Types that are declared anew each time (mmsghdr) would come back as they were.
        Object.assign(platform, anew, { structs: { ...anew.structs, [struct]: before.structs[struct] } });
      } catch {
        // A layout that cannot be built is caught where it is built.
      }
      return () => {
        place[key] = value;
        Object.assign(platform, before);
      };
    },
  };
}

function* identity(platform: Platform): Generator<Mutant> {
  yield set(platform, '', 'saLen', !platform.saLen);
  yield set(platform, '', 'mmsg', platform.mmsg === undefined ? { count: 'unsigned int' } : undefined);
  if (platform.mmsg !== undefined) {
    yield set(platform, 'mmsg', 'count', platform.mmsg.count === 'size_t' ? 'unsigned int' : 'size_t');
    yield set(platform, 'mmsg', 'max', platform.mmsg.max === undefined ? 1024 : undefined);
    yield set(platform, 'mmsg', 'lateError', platform.mmsg.lateError === 'kept' ? 'lost' : 'kept');
  }
}

function* arrivals(platform: Platform): Generator<Mutant> {
  for (const [i, arrival] of platform.arrivals.entries()) {
    const { level, type, size } = arrival;
    const where = `arrivals.${i}`;
    for (const step of [1, -1]) {
      yield set(platform, where, 'level', level + step);
      yield set(platform, where, 'type', type + step);
    }
    yield set(platform, where, 'size', size + 4);
    if (size > 4) yield set(platform, where, 'size', size - 4);
    yield set(platform, where, 'read', () => {}, 'nothing');
    for (const step of [4, -4]) yield set(platform, where, 'read', shifted(arrival, step), `shifted by ${step}`);
    yield without(platform, 'arrivals', i);
  }
}

function shifted({ read }: Arrival, step: number): Arrival['read'] {
  return (control, payload, arrived) => read(control, payload + step, arrived);
}

function without(platform: Platform, path: string, index: number): Mutant {
  return {
    name: `${path}[${index}] removed`,
    apply() {
      const list = at(platform, path) as unknown as unknown[];
      const before = [...list];
      list.splice(index, 1);
      return () => void list.splice(0, list.length, ...before);
    },
  };
}

function* departures(platform: Platform): Generator<Mutant> {
  const { departures: all, constants } = platform;
  const struct =
    'ipi_spec_dst' in (platform.structs.in_pktinfo?.fields ?? {}) ? platform.structs.in_pktinfo : undefined;
  for (const [kind, departure] of Object.entries(all) as [string, Departure][]) {
    // One object may serve two kinds: each mutant is that kind's alone.
    const other = (label: string, change: Partial<Departure>) =>
      set(platform, 'departures', kind, { ...departure, ...change }, label);
    for (const step of [1, -1]) {
      yield other(`level ${step}`, { level: departure.level + step });
      yield other(`type ${step}`, { type: departure.type + step });
      yield other(`size ${4 * step}`, { size: departure.size + 4 * step });
    }
    yield other('carriesIfindex', { carriesIfindex: !departure.carriesIfindex });
    yield other('ifindexAlone', { ifindexAlone: !departure.ifindexAlone });
    yield other('writes nothing', { write: () => {} });
    if (struct !== undefined && kind !== 'udp6') {
      const carries = !departure.carriesIfindex;
      yield other(
        `interface ${carries ? 'carried' : 'left out'}`,
        specDstDeparture(departure, struct as never, carries),
      );
    }
    for (const step of [4, -4]) {
      yield other(`writes at ${step}`, {
        write: (control, payload, source) => departure.write(control, payload + step, source),
      });
    }
    yield other('without an interface', {
      write: (control, payload, source) => departure.write(control, payload, { ...source, ifindex: 0 }),
    });
    yield other('with interface 1', {
      write: (control, payload, source) => departure.write(control, payload, { ...source, ifindex: 1 }),
    });
  }
  yield set(platform, 'departures', 'mapped', all.mapped === undefined ? all.udp4 : undefined);
  yield set(platform, 'departures', 'mapped', all.udp6, "IPv6's");
  yield set(platform, 'departures', 'udp6', all.udp4, "IPv4's");
  yield set(platform, 'departures', 'udp4', all.udp6, "IPv6's");
  const { IP_RECVDSTADDR } = constants;
  if (IP_RECVDSTADDR !== undefined && IP_RECVDSTADDR !== all.udp4.type) {
    yield set(platform, 'departures', 'udp4', { ...all.udp4, type: IP_RECVDSTADDR, size: 4 }, 'IP_RECVDSTADDR');
  }
}

function* extras(platform: Platform): Generator<Mutant> {
  for (const what of ['ttl', 'tos'] as const) {
    for (const kind of ['udp4', 'udp6'] as const) {
      const message = platform[what][kind];
      if (message === undefined) {
        const level = kind === 'udp4' ? platform.constants.IPPROTO_IP : platform.constants.IPPROTO_IPV6;
        const type =
          kind === 'udp4'
            ? platform.constants[what === 'ttl' ? 'IP_TTL' : 'IP_TOS']
            : platform.constants[what === 'ttl' ? 'IPV6_HOPLIMIT' : 'IPV6_TCLASS'];
        yield set(platform, what, kind, { level, type, size: 4 }, 'as elsewhere');
        continue;
      }
      const other = (label: string, change: Partial<IntDeparture>) =>
        set(platform, what, kind, { ...message, ...change }, label);
      for (const step of [1, -1]) {
        yield other(`level ${step}`, { level: message.level + step });
        yield other(`type ${step}`, { type: message.type + step });
      }
      yield other('size', { size: message.size === 4 ? 1 : 4 });
      yield set(platform, what, kind, undefined);
    }
  }
}

function* quirks(platform: Platform): Generator<Mutant> {
  const { SO_REUSEADDR, SO_REUSEPORT } = platform.constants;
  for (const [name, value] of Object.entries(platform.quirks)) {
    if (typeof value === 'boolean') yield set(platform, 'quirks', name, !value);
    if (typeof value === 'number') yield* otherNumbers(platform, name, value);
    if (!Array.isArray(value)) continue;
    if (value.length > 0) yield set(platform, 'quirks', name, [], 'nothing');
    for (const one of value)
      yield set(
        platform,
        'quirks',
        name,
        value.filter((each) => each !== one),
        `without ${one}`,
      );
    for (const one of ['ENOBUFS', 'EADDRNOTAVAIL']) {
      if (!value.includes(one)) yield set(platform, 'quirks', name, [...value, one], `with ${one}`);
    }
  }
  if (platform.quirks.reusePort === undefined) {
    yield set(platform, 'quirks', 'reusePort', SO_REUSEPORT ?? SO_REUSEADDR);
  } else {
    yield set(platform, 'quirks', 'reusePort', undefined);
  }
}

function* otherNumbers(platform: Platform, name: string, value: number): Generator<Mutant> {
  const { SO_REUSEADDR, SO_REUSEPORT } = platform.constants;
  if (name === 'ipMulticastOptionSize') yield set(platform, 'quirks', name, value === 4 ? 1 : 4);
  else if (name === 'minSendBuffer') yield set(platform, 'quirks', name, value === 0 ? 65535 + 256 : 0);
  else for (const step of [1, -1]) yield set(platform, 'quirks', name, value + step);
  if (!name.startsWith('reuse')) return;
  for (const other of [SO_REUSEADDR, SO_REUSEPORT]) {
    if (other !== undefined && other !== value) yield set(platform, 'quirks', name, other);
  }
}

function* requests(platform: Platform, path: string, kinds: Readonly<Record<string, readonly Request[]>>) {
  for (const [kind, list] of Object.entries(kinds)) {
    const other = (label: string, value: readonly Request[]) => set(platform, path, kind, value, label);
    for (const [i, request] of list.entries()) {
      const changed = (change: Partial<Request>) => list.map((each, j) => (i === j ? { ...each, ...change } : each));
      for (const step of [1, -1]) {
        yield other(`[${i}] level ${step}`, changed({ level: request.level + step }));
        yield other(`[${i}] name ${step}`, changed({ name: request.name + step }));
      }
      yield other(
        `[${i}] ${request.optional ? 'required' : 'optional'}`,
        changed({ optional: request.optional ? undefined : true } as Partial<Request>),
      );
      yield other(
        `[${i}] ${request.interface ? 'for everything' : 'for the interface'}`,
        changed({ interface: request.interface ? undefined : true } as Partial<Request>),
      );
      yield other(
        `without [${i}]`,
        list.filter((_, j) => i !== j),
      );
      if (i > 0) yield other(`[${i}] and [${i - 1}] exchanged`, list.with(i, list[i - 1]).with(i - 1, request));
    }
  }
}
