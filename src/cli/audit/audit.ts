/**
 * `recvfromto audit`: the UDP sockets of this machine that are bound to all addresses, with their programs, and which of
 * them could answer from a wrong one. Linux: reads /proc, opens no socket and sends nothing.
 */
import { readFileSync } from 'node:fs';
import { Failure } from '../failure';
import type { AuditOptions } from '../options';
import { type OwnAddress, ownAddresses } from '../own-address';
import { protocolOf } from '../probe/protocols/index';
import type { Terminal } from '../terminal';
import type { Facts, SocketFact } from './facts';
import { type ProcSocket, parse } from './proc';
import { type Program, programs } from './programs';
import { report } from './report';

const PROC = '/proc';
/** What Linux starts with, where /proc/sys is hidden. */
const PORT_RANGE = [32768, 60999] as const;

export function audit({ json }: AuditOptions, terminal: Terminal): number {
  const facts = examine(PROC, ownAddresses(), (done, of) =>
    terminal.progress(`reading processes (${done} of ${of}) …`),
  );
  terminal.clear();
  if (json) terminal.print(JSON.stringify(facts, null, 2));
  else for (const line of report(facts, terminal.style, terminal.columns)) terminal.print(line);
  return 0;
}

/** @param proc where /proc is @throws Failure where there is none */
export function examine(
  proc: string,
  own: readonly OwnAddress[],
  progress?: (done: number, of: number) => void,
): Facts {
  const sockets = ['udp', 'udp6'].flatMap((name) => parse(contents(`${proc}/net/${name}`, name === 'udp')));
  const { holders, closed } = programs(proc, progress);
  const range = portRange(proc);
  const open = sockets.filter(({ address, connected }) => !connected && (address === '0.0.0.0' || address === '::'));
  const facts = open.map((socket) => factOf(socket, holders.get(socket.inode) ?? [], own, range));
  facts.sort((a, b) => a.port - b.port || a.address.localeCompare(b.address));
  return { sockets: facts, processesNotRead: closed, otherSockets: sockets.length - open.length };
}

function factOf(
  { address, port, uid, drops, family }: ProcSocket,
  holders: readonly Program[],
  own: readonly OwnAddress[],
  [first, last]: readonly [number, number],
): SocketFact {
  // Link-local addresses have routes of their own. A socket on :: may be one for both families; /proc does not say.
  const outside = own.filter((one) => !one.internal && !one.address.includes('%'));
  const addresses = outside.filter((one) => family === 6 || one.family === 4).length;
  const client = port >= first && port <= last;
  const known = protocolOf(port);
  const reason = client
    ? 'a port that the kernel gives to clients'
    : addresses > 1
      ? `${addresses} addresses here; whether the program chooses one cannot be seen`
      : 'one address here';
  const risk = client || addresses < 2 ? 'unlikely' : 'maybe';
  const probe = client ? null : `recvfromto probe ${port}${known === undefined ? '' : ` --protocol ${known}`}`;
  return { address, port, programs: holders, uid, drops, addresses, risk, reason, probe };
}

/** @throws Failure where it has to be there and is not */
function contents(path: string, needed: boolean): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    if (!needed) return '';
    const { code } = error as NodeJS.ErrnoException;
    throw new Failure(`cannot read ${path} (${code}): audit knows Linux' sockets only`);
  }
}

/** net.ipv4.ip_local_port_range: for both families. */
function portRange(proc: string): readonly [number, number] {
  const [first, last] = contents(`${proc}/sys/net/ipv4/ip_local_port_range`, false).trim().split(/\s+/).map(Number);
  return first !== undefined && last !== undefined && last > 0 ? [first, last] : PORT_RANGE;
}
