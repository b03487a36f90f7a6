/** /proc/net/udp and udp6 as the kernel writes them (proc(5); net/ipv4/udp.c, udp4_format_sock). Pure. */
import { formatIPv4, formatIPv6 } from '../../address/ip';

/** One line of it. */
export interface ProcSocket {
  readonly family: 4 | 6;
  readonly address: string;
  readonly port: number;
  readonly connected: boolean;
  readonly uid: number;
  /** By which /proc/PID/fd names it; 0 where nobody holds it any more. */
  readonly inode: number;
  /** Datagrams that its queue had no room for. */
  readonly drops: number;
}

/** Lines that are none are left out. */
export function parse(text: string): ProcSocket[] {
  return text.split('\n').slice(1).flatMap(socketOf);
}

function socketOf(line: string): ProcSocket[] {
  const [, local, remote, , , , , uid, , inode, , , drops] = line.trim().split(/\s+/);
  const here = endpoint(local);
  const there = endpoint(remote);
  if (here === undefined || there === undefined || inode === undefined) return [];
  const { family, address, port } = here;
  return [
    {
      family,
      address,
      port,
      connected: there.port !== 0,
      uid: Number(uid),
      inode: Number(inode),
      drops: Number(drops),
    },
  ];
}

/** The address as the words of memory, hexadecimal in the machine's own order; the port in the usual one. */
function endpoint(text: string | undefined): { family: 4 | 6; address: string; port: number } | undefined {
  const [, hex, port] = /^([0-9A-F]{8}|[0-9A-F]{32}):([0-9A-F]{4})$/.exec(text ?? '') ?? [];
  if (hex === undefined || port === undefined) return undefined;
  const [word0 = 0, word1 = 0, word2 = 0, word3 = 0] = (hex.match(/.{8}/g) ?? []).map(
    (word) => Number.parseInt(word, 16) | 0,
  );
  const family = hex.length === 8 ? 4 : 6;
  const address = family === 4 ? formatIPv4(word0) : formatIPv6(word0, word1, word2, word3);
  return { family, address, port: Number.parseInt(port, 16) };
}
