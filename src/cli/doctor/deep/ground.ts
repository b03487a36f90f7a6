/** What a case stands on: a kernel, the machine's addresses, and the addresses and groups that stay on it. */
import { CannotTry, type Kernel, type Received } from './kernel';

export interface Ground {
  readonly kernel: Kernel;
  readonly addresses: readonly GroundAddress[];
}

export interface GroundAddress {
  readonly address: string;
  readonly family: 4 | 6;
  readonly interface: string;
  readonly internal: boolean;
  readonly netmask: string;
}

export interface Case {
  readonly name: string;
  readonly about: string;
  /** Its message or its buffer is not as it should be: tried in a process of its own. */
  readonly malformed?: true;
  /** @throws CannotTry */
  run(ground: Ground): Promise<string>;
}

export const V4 = '127.0.0.1';
export const V6 = '::1';
export const MAPPED = '::ffff:127.0.0.1';
/** 239.255.0.0/16 is for the site, to be used as one likes (RFC 2365, section 6.1). */
export const GROUP4 = '239.255.53.0';
/** Transient and interface-local (RFC 4291, section 2.7). */
export const GROUP6 = 'ff11::5300';

/** What a datagram came with: the kind of its name, and whether its destination was told. */
export function told(kernel: Kernel, got: Received | string | undefined): string {
  if (got === undefined) return 'nothing received';
  if (typeof got === 'string') return got;
  const known = kernel.platform.arrivals.some((one) =>
    got.messages.some(({ level, type, size }) => level === one.level && type === one.type && size >= 4),
  );
  return `${got.name}, ${known ? 'destination told' : 'no destination'}`;
}

export const from = (got: Received | string | undefined) =>
  typeof got === 'object' ? got.from : (got ?? 'nothing received');

/** An address of another interface than the loopback. @throws CannotTry */
export function outside({ addresses }: Ground, family: 4 | 6): GroundAddress {
  const found = addresses.find((one) => !one.internal && one.family === family && !one.address.includes('%'));
  if (found === undefined) throw new CannotTry(`no IPv${family} address beside the loopback's`);
  return found;
}

export function loopbackIndex({ kernel, addresses }: Ground): number {
  const name = addresses.find(({ internal }) => internal)?.interface;
  const index = name === undefined ? 0 : kernel.index(name);
  if (index === 0) throw new CannotTry('no loopback interface');
  return index;
}
