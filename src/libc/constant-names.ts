/** Numbers → C's names, for structs that print themselves. */
import type { Constants } from '../platform/platform';

/** Of a field: what its constants begin with. */
const PREFIXES: Readonly<Record<string, readonly string[]>> = {
  sin_family: ['AF_'],
  sin6_family: ['AF_'],
  ss_family: ['AF_'],
  sdl_family: ['AF_'],
  cmsg_level: ['SOL_', 'IPPROTO_'],
};

/** Of a control message: by the name of its level. */
const TYPES: Readonly<Record<string, readonly string[]>> = {
  SOL_SOCKET: ['SCM_', 'SO_'],
  IPPROTO_IP: ['IP_'],
  IPPROTO_IPV6: ['IPV6_'],
  IPPROTO_UDP: ['UDP_'],
};

/** Fields whose numbers are bits, and what those begin with. */
const BITS: Readonly<Record<string, string>> = {
  msg_flags: 'MSG_',
  dwFlags: 'MSG_',
  events: 'POLL',
  revents: 'POLL',
};

/** '2 (AF_INET)'; undefined where nothing is known of that field or number. */
export function nameOfConstant(
  constants: Constants,
  instance: Readonly<Record<string, unknown>>,
  field: string,
): string | undefined {
  const value = instance[field];
  if (typeof value !== 'number') return undefined;
  const names = Object.hasOwn(BITS, field)
    ? bitsOf(constants, BITS[field], value)
    : nameOf(constants, prefixesOf(constants, instance, field), value);
  return names === undefined ? undefined : `${value} (${names})`;
}

function prefixesOf(
  constants: Constants,
  instance: Readonly<Record<string, unknown>>,
  field: string,
): readonly string[] {
  if (field !== 'cmsg_type') return PREFIXES[field] ?? [];
  const level = instance.cmsg_level;
  const name = typeof level === 'number' ? nameOf(constants, PREFIXES.cmsg_level, level) : undefined;
  return name === undefined ? [] : (TYPES[name] ?? []);
}

/** IP_ORIGDSTADDR and IP_RECVORIGDSTADDR are one number: a message has the name that asks for nothing. */
function nameOf(constants: Constants, prefixes: readonly string[], value: number): string | undefined {
  for (const prefix of prefixes) {
    const names = Object.keys(constants).filter((name) => name.startsWith(prefix) && constants[name] === value);
    const found = names.find((name) => !name.includes('RECV')) ?? names[0];
    if (found !== undefined) return found;
  }
  return undefined;
}

function bitsOf(constants: Constants, prefix: string, value: number): string | undefined {
  const names = Object.keys(constants).filter((name) => {
    const bits = name.startsWith(prefix) ? (constants[name] ?? 0) : 0;
    return bits !== 0 && (value & bits) === bits;
  });
  return names.length === 0 ? undefined : names.join(' | ');
}
