/** What a scenario is, what it is given, and what all of them share. */
import type { Metrics, SubjectId } from '../results';
import type { Server, ServerOptions, Subject } from '../subjects';
import type { Toolchain } from '../toolchain';

export interface Context {
  readonly tools: Toolchain;
  /** The build of recvfromto under test: a file URL. */
  readonly dist: string;
  /** A run that only shows that everything still works. */
  readonly quick: boolean;
}

/** One subject has its turn at one case. */
export interface Turn {
  readonly subject: Subject;
  /** @throws for cases that start none */
  readonly server: Server;
  readonly context: Context;
  /** How long to measure. */
  readonly ms: number;
}

export interface Case {
  readonly name: string;
  /** In the tables. */
  readonly what: string;
  readonly subjects: readonly SubjectId[];
  /** With what the server is started that keeps running while the subjects take turns; undefined: none is, or by {@link start}. */
  readonly server?: ServerOptions;
  /** Starts a server that is no subject's own. */
  start?(subject: Subject, context: Context): Promise<Server>;
  /** Server and load run in a network of their own, in which fd00:bec::/64 is this host: many IPv6 addresses. */
  readonly network?: boolean;
  /** Left out where that is not there; the toolchain says so. */
  readonly needs?: 'network' | 'dnsperf' | undefined;
  /** Part of --quick. */
  readonly quick?: boolean;
  /** How long one turn is, where the usual will not do; in --quick it is a fraction of that. */
  readonly ms?: number;
  /** What a turn takes beside that, where it starts servers of its own. */
  readonly aroundMs?: number;
  /** How long the servers are warmed up before the first turn. */
  readonly warmMs?: number;
  /** How often a server is started, and how many turns it has. */
  readonly generations?: number;
  readonly rounds?: number;
  run(turn: Turn): Promise<Metrics>;
  /** Instead of `run`, before the first turn. */
  warm?(turn: Turn): Promise<void>;
}

/** A table: one row for each case, one column for each subject. */
export interface Figure {
  readonly metric: string;
  readonly title: string;
  readonly digits?: number;
  readonly scale?: number;
  /** Multiples of node:dgram's beside the figures. Default true. */
  readonly ratios?: boolean;
}

export interface Scenario {
  readonly name: string;
  readonly title: string;
  /** One line below the title: how the figures come about. */
  readonly text?: string;
  readonly figures: readonly Figure[];
  readonly cases: readonly Case[];
}

/** What native/meter.h prints. */
export interface Metered {
  readonly wallNs: number;
  readonly serverCpuNs: number;
  readonly userShare: number | null;
  readonly loadBusy: number;
}

/** CPU per datagram, and how busy both sides were: a server below 1 beside a load near 1 was not the bottleneck. */
export function costs({ wallNs, serverCpuNs, userShare, loadBusy }: Metered, datagrams: number): Metrics {
  const cpuNs = serverCpuNs / datagrams;
  return {
    cpuNs,
    ...(userShare === null ? {} : { userNs: cpuNs * userShare }),
    serverBusy: serverCpuNs / wallNs,
    loadBusy,
  };
}

export const pairs = (words: Readonly<Record<string, string | number>>): string[] =>
  Object.entries(words).map(([key, value]) => `${key}=${value}`);

export const CPU: Figure = { metric: 'cpuNs', title: 'CPU ns each' };

/** Those that every pattern of answering is tried with. */
export const SERVERS: readonly SubjectId[] = ['dgram', 'message', 'shared', 'register', 'bun', 'c', 'c-gso'];
export const IN_NODE: readonly SubjectId[] = ['dgram', 'message', 'shared', 'register', 'bun'];
