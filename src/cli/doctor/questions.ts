/** Which addresses to ask, and whom to let ask: from a list of this machine's addresses. Pure. */
import type { OwnAddress } from '../own-address';
import type { SocketName } from './facts';

export interface Question {
  readonly address: string;
  readonly socket: SocketName;
  /**
   * The client's address, in the order to try; undefined: routing decides. One that is not the address asked shows most,
   * because a kernel that is not told answers a neighbour's question from the neighbour's side.
   */
  readonly clients: readonly (string | undefined)[];
}

/** Of each socket. More is no table that anybody reads. */
const MOST = 32;

/**
 * @param own loopback ones are asked first
 * @param dual are there dual-stack sockets? Then each IPv4 address is asked there again.
 */
export function questions(own: readonly OwnAddress[], dual: boolean): { list: Question[]; left: number } {
  const sorted = [...own.filter((one) => one.internal), ...own.filter((one) => !one.internal)];
  const sockets: readonly SocketName[] = dual ? ['udp4', 'udp6', 'dual'] : ['udp4', 'udp6'];
  const all = sockets.map((socket) =>
    sorted.filter(({ family }) => (family === 6) === (socket === 'udp6')).map((one) => question(one, socket, own)),
  );
  const list = all.flatMap((some) => some.slice(0, MOST));
  return { list, left: all.flat().length - list.length };
}

function question(one: OwnAddress, socket: SocketName, own: readonly OwnAddress[]): Question {
  const other = own.find((candidate) => candidate.family === one.family && mayAsk(candidate, one));
  return { address: one.address, socket, clients: other === undefined ? [undefined] : [other.address, undefined] };
}

/** ::1 cannot ask fe80::…%eth0: the answer would have to leave its link. */
function mayAsk(client: OwnAddress, asked: OwnAddress): boolean {
  if (client.address === asked.address) return false;
  if (asked.address.includes('%')) return client.interface === asked.interface;
  return client.internal;
}
