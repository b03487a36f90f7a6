/** Which addresses are this host's: asked of the kernel, by binding, and of the list of interfaces. */
import { createSocket } from 'node:dgram';
import { isIPv6 } from 'node:net';
import { networkInterfaces } from 'node:os';
import { capabilities } from '../index';

/** Can a socket be bound to it? With node:dgram, so that it works where recvfromto does not. */
export function isOwn(address: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = createSocket({ type: isIPv6(address) ? 'udp6' : 'udp4', ipv6Only: isIPv6(address) });
    socket.once('error', () => socket.close(() => resolve(false)));
    socket.bind(0, address, () => socket.close(() => resolve(true)));
  });
}

export interface OwnAddress {
  /** With its zone, where it is link-local. */
  readonly address: string;
  readonly family: 4 | 6;
  readonly interface: string;
  /** Is it on a loopback interface? */
  readonly internal: boolean;
  readonly netmask: string;
}

/** What os.networkInterfaces() knows: interfaces that are up. */
export function ownAddresses(): OwnAddress[] {
  // Windows' interfaces have names that are no zones (RFC 4007, section 11.2: zones are numbers everywhere).
  const numbers = capabilities().platform === 'win32';
  return Object.entries(networkInterfaces()).flatMap(([name, entries]) =>
    (entries ?? []).map((entry) => ({
      address:
        entry.family === 'IPv6' && entry.scopeid !== 0
          ? `${entry.address}%${numbers ? entry.scopeid : name}`
          : entry.address,
      family: entry.family === 'IPv4' ? (4 as const) : (6 as const),
      interface: name,
      internal: entry.internal,
      netmask: entry.netmask,
    })),
  );
}
