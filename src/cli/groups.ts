/** `serve --join`: from a group and the name of an interface to memberships. */
import type { Server, Socket } from '../index';
import { Failure, reason } from './failure';
import type { Group } from './options';
import { type OwnAddress, ownAddresses } from './own-address';

/** On the interface that is named, else on every one that has an address of the family. @throws Failure */
export function joinAll(server: Server, groups: readonly Group[]): void {
  for (const group of groups) join(server, group);
}

function join(server: Server, { address, via }: Group): void {
  const family = address.includes(':') ? 6 : 4;
  const socket = server.sockets.find(({ type }) => type === `udp${family}`);
  if (socket === undefined) throw new Failure(`cannot join ${address}: the server does not listen on IPv${family}`);
  const places = interfacesOf(family).filter(
    (own) => via === undefined || own.interface === via || own.address === via,
  );
  if (places.length === 0) {
    throw new Failure(
      `cannot join ${address}: no interface ${via === undefined ? '' : `${via} `}with an IPv${family} address`,
    );
  }
  const refusals = places.map((own) => refused(socket, address, own));
  const [first] = refusals;
  if (first !== undefined && refusals.every((one) => one !== undefined)) {
    throw new Failure(`cannot join ${address}: ${reason(first)}`);
  }
}

/** One address of each interface. */
function interfacesOf(family: 4 | 6): OwnAddress[] {
  const seen = new Map<string, OwnAddress>();
  for (const own of ownAddresses()) {
    if (own.family === family && (family === 4 || own.address.includes('%')) && !seen.has(own.interface)) {
      seen.set(own.interface, own);
    }
  }
  return [...seen.values()];
}

function refused(socket: Socket, group: string, own: OwnAddress): Error | undefined {
  try {
    const [, zone] = own.address.split('%');
    socket.addMembership(group, zone === undefined ? own.address : `::%${zone}`);
    return undefined;
  } catch (error) {
    return error as Error;
  }
}
