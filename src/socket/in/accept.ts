/** Which datagrams are delivered: the `accept` option as one predicate. */
import { BlockList, isIP } from 'node:net';
import { invalidArgType, invalidArgValue } from '../../errors';
import type { Accept, Destination } from '../../types';

export type Acceptance = (destination: Destination) => boolean;

/** @throws ERR_INVALID_ARG_TYPE, ERR_INVALID_ARG_VALUE */
export function acceptance(accept: Accept): Acceptance {
  if (typeof accept === 'function') return accept;
  if (accept === null || typeof accept !== 'object') {
    throw invalidArgType('options.accept', 'of type function or object', accept);
  }
  const destinations = accept.destinations && addressSet(accept.destinations);
  const interfaces = accept.interfaces && nameSet(accept.interfaces);
  return (destination) =>
    (destinations?.(destination.address) ?? true) &&
    (interfaces === undefined || (destination.interface !== undefined && interfaces.has(destination.interface)));
}

function nameSet(names: readonly string[]): ReadonlySet<string> {
  checkArray('options.accept.interfaces', names);
  for (const name of names) {
    if (typeof name !== 'string') throw invalidArgType('options.accept.interfaces', 'an array of strings', names);
  }
  return new Set(names);
}

function checkArray(name: string, value: unknown): void {
  if (!Array.isArray(value)) throw invalidArgType(name, 'an instance of Array', value);
}

/** net.BlockList is Node's own set of addresses and CIDR blocks; here it lists what is let in. */
function addressSet(texts: readonly string[]): (address: string) => boolean {
  checkArray('options.accept.destinations', texts);
  const list = new BlockList();
  for (const text of texts) {
    const [address, prefix, more] = String(text).split('/');
    const family = isIP(address);
    const bits = prefix === undefined ? undefined : /^\d{1,3}$/.test(prefix) ? Number(prefix) : Number.NaN;
    if (family === 0 || more !== undefined || (bits !== undefined && !(bits <= (family === 4 ? 32 : 128)))) {
      throw invalidArgValue('options.accept.destinations', text, 'must be an IP address or a CIDR block');
    }
    const name = family === 4 ? 'ipv4' : 'ipv6';
    if (bits === undefined) list.addAddress(address, name);
    else list.addSubnet(address, bits, name);
  }
  return (address) => {
    const bare = address.split('%', 1)[0];
    const plain = bare.startsWith('::ffff:') && bare.includes('.') ? bare.slice(7) : bare;
    return list.check(plain, plain.includes(':') ? 'ipv6' : 'ipv4');
  };
}
