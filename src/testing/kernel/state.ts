/** What the parts of one host's kernel share. */
import { type Remote, Sockaddrs } from '../../datagram/sockaddr';
import { platformFor } from '../../platform/index';
import { linuxErrno } from '../../platform/linux-errno';
import type { Platform } from '../../platform/platform';
import type { Alive } from '../alive';
import { type Ip, ipOf } from '../ip';
import type { Interface, Machine } from '../machine';
import { Memory } from './memory';
import { Poll } from './poll';
import type { Datagram, Sock } from './sock';

export type ErrnoName = keyof typeof linuxErrno;
/** What a call comes to: a number, nothing (0), or the name of its error. */
export type Outcome = number | ErrnoName | undefined;

/** Takes what leaves a host through one of its interfaces, loopback aside. */
export type Transmit = (datagram: Datagram, out: Interface) => void;

/** net.ipv4.ip_local_port_range */
const FIRST_PORT = 32768;
const LAST_PORT = 60999;

export class State {
  /** The same on whatever system the tests run: what is read and written is theirs and ours alone. */
  readonly platform: Platform = platformFor('linux', 'x64');
  readonly sockaddrs = new Sockaddrs(this.platform);
  readonly memory = new Memory();
  readonly sockets = new Map<number, Sock>();
  readonly poll: Poll;
  readonly machine: Machine;
  readonly transmit: Transmit;
  /** System calls so far: something happens while it grows. */
  calls = 0;
  #port = FIRST_PORT;

  constructor(machine: Machine, transmit: Transmit, alive: Alive) {
    this.machine = machine;
    this.transmit = transmit;
    this.poll = new Poll(this.sockets, alive);
  }

  onSocket(fd: number, action: (sock: Sock) => Outcome): number {
    this.calls++;
    const sock = this.sockets.get(fd);
    const outcome = sock === undefined ? 'EBADF' : (action(sock) ?? 0);
    return typeof outcome === 'string' ? -linuxErrno[outcome] : outcome;
  }

  isLocal(ip: Ip, scope = 0): boolean {
    return this.machine.owner(ip, scope) !== undefined;
  }

  /** The next port that no socket of this host has. */
  freePort(): number | undefined {
    const taken = new Set(Array.from(this.sockets.values(), ({ port }) => port));
    for (let tries = FIRST_PORT; tries <= LAST_PORT; tries++) {
      const port = this.#port;
      this.#port = port === LAST_PORT ? FIRST_PORT : port + 1;
      if (!taken.has(port)) return port;
    }
    return undefined;
  }

  /** An address that a caller names, as this socket takes it. udp_sendmsg, udpv6_sendmsg */
  peerNamed(sock: Sock, name: Remote | undefined): { ip: Ip; port: number; scope: number } | ErrnoName {
    if (name === undefined) return sock.family === 4 ? 'EAFNOSUPPORT' : 'EINVAL';
    if (sock.family === 4 && name.family === 6) return 'EAFNOSUPPORT';
    const ip = ipOf(name);
    if (sock.family === 6 && ip.family === 4 && sock.v6only) return 'ENETUNREACH';
    return { ip, port: name.port, scope: name.scope };
  }
}
