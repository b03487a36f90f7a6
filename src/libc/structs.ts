/** The struct types of one OS for users: which there are, where their pointers lead, which numbers have names. */
import { unsupportedPlatform } from '../errors';
import type { Platform } from '../platform/platform';
import { pollfd, wsapollfd } from '../structs/pollfd';
import type { Abi } from '../structs/ref';
import type { StructType } from '../structs/struct';
import { nameOfConstant } from './constant-names';
import { classFor, type Layout, type PointerRule } from './struct';
import type { StructClass, Structs } from './struct-types';

/** Every struct that some OS has. */
const NAMES: readonly (keyof Structs)[] = [
  'sockaddr_in',
  'sockaddr_in6',
  'sockaddr_storage',
  'sockaddr_dl',
  'in_pktinfo',
  'in6_pktinfo',
  'msghdr',
  'iovec',
  'cmsghdr',
  'WSAMSG',
  'WSABUF',
  'WSACMSGHDR',
  'timeval',
  'timespec',
  'ip_mreq',
  'ip_mreqn',
  'ipv6_mreq',
  'ip_mreq_source',
  'group_source_req',
  'pollfd',
];

const POINTERS: Readonly<Record<string, Readonly<Record<string, PointerRule>>>> = {
  msghdr: {
    msg_name: { to: 'name', length: 'msg_namelen' },
    msg_iov: { to: { vectorOf: 'iovec' }, length: 'msg_iovlen' },
    msg_control: { to: 'bytes', length: 'msg_controllen' },
  },
  iovec: { iov_base: { to: 'bytes', length: 'iov_len' } },
  WSAMSG: {
    name: { to: 'name', length: 'namelen' },
    lpBuffers: { to: { vectorOf: 'WSABUF' }, length: 'dwBufferCount' },
  },
  WSABUF: { buf: { to: 'bytes', length: 'len' } },
};

const made = new WeakMap<Platform, Structs>();

/** The same object for the same platform. */
export function structsOf(platform: Platform): Structs {
  let structs = made.get(platform);
  if (structs === undefined) {
    structs = makeStructs(platform);
    made.set(platform, structs);
  }
  return structs;
}

function makeStructs(platform: Platform): Structs {
  const types = { ...platform.structs, pollfd: pollfdOf(platform) } as Readonly<Record<string, StructType | undefined>>;
  const classOf = classesOf(platform, types);
  // Those that the OS has not stand on the prototype, so that hasOwn() tells them apart.
  const absent: object = Object.create(null);
  const structs = Object.create(absent) as Structs;
  for (const name of NAMES) {
    const there = types[name] !== undefined;
    Object.defineProperty(there ? structs : absent, name, { enumerable: there, get: () => classOf(name) });
  }
  return structs;
}

/** Each made when it is first asked for. */
function classesOf(platform: Platform, types: Readonly<Record<string, StructType | undefined>>): Layout['classOf'] {
  const classes = new Map<string, StructClass<object>>();
  const nameOf = (type: unknown) => Object.keys(types).find((name) => types[name] === type);
  const explain: Layout['explain'] = (instance, field) => nameOfConstant(platform.constants, instance, field);
  const classOf = (name: string): StructClass<object> => {
    const type = types[name];
    if (type === undefined) throw unsupportedPlatform(`${platform.name} has no struct ${name}`);
    let found = classes.get(name);
    if (found === undefined) {
      found = classFor({ name, type, pointers: POINTERS[name] ?? {}, classOf, nameOf, explain });
      classes.set(name, found);
    }
    return found;
  };
  return classOf;
}

function pollfdOf(platform: Platform): StructType<'fd' | 'events' | 'revents'> {
  const { pointerSize, littleEndian } = platform.message;
  const abi: Abi = { pointerSize, endianness: littleEndian ? 'LE' : 'BE', int64Alignment: 8 };
  return (platform.calls === 'winsock' ? wsapollfd : pollfd)(abi);
}
