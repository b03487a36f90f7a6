/** What `audit` finds out. `--json` prints it as it is, so keys stay; what is not known is null. */
import type { Program } from './programs';

export interface Facts {
  readonly sockets: readonly SocketFact[];
  /** Processes whose descriptors may not be read: their sockets have no program. */
  readonly processesNotRead: number;
  /** UDP sockets that are bound to one address, or connected: they cannot have the problem. */
  readonly otherSockets: number;
}

/** One socket that is bound to all addresses. */
export interface SocketFact {
  readonly address: string;
  readonly port: number;
  readonly programs: readonly Program[];
  readonly uid: number;
  /** Datagrams that its queue had no room for. */
  readonly drops: number;
  /** How many addresses of its family this machine has beside the loopback's: with one it may answer rightly by luck. */
  readonly addresses: number;
  /**
   * Could it answer from a wrong address? `maybe`: if it leaves the choice to the kernel; whether it does cannot be seen
   * from outside (IP_PKTINFO is not shown anywhere), only asked: `recvfromto probe`. `unlikely`: this machine has one
   * address of that family, or the port is one that the kernel chose for a client.
   */
  readonly risk: 'maybe' | 'unlikely';
  /** Why. */
  readonly reason: string;
  /** The command that asks it; null where there is nothing to ask. */
  readonly probe: string | null;
}
