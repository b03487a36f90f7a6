/**
 * What can be asked for with each datagram beyond its destination: one row an option. The type of the row's name is in
 * types.ts, what an OS is asked for, and how it answers, in platform/<os>.ts; from these rows follow what is read into
 * rinfo, what capabilities() tries and the table of docs/carried.md. tsc names what is missing.
 */
import type { Arrived, OptionName } from '../platform/platform';
import type { RemoteInfo, SocketOptions, SocketStats } from '../types';
import { originalText } from './names';

/** Puts what the kernel said into rinfo. */
export type Read = (arrived: Arrived, rinfo: RemoteInfo, stats: SocketStats) => void;

/** Their names in capabilities(). */
export type CarriedFeature =
  | 'ttl'
  | 'tos'
  | 'timestamp'
  | 'drops'
  | 'errors'
  | 'recvMark'
  | 'originalDestination'
  | 'gro';

export interface Carried {
  /** Is it asked for by these options? */
  readonly wanted: (options: Partial<SocketOptions>) => boolean;
  /** Its name in capabilities(). */
  readonly feature: CarriedFeature;
  /** What rinfo gets, for the documentation. */
  readonly fields: string;
  /** Absent where it is no field of rinfo. */
  readonly read?: Read;
}

export const carried: Readonly<Record<OptionName, Carried>> = {
  recvTTL: {
    wanted: ({ recvTTL }) => Boolean(recvTTL),
    feature: 'ttl',
    fields: '`rinfo.ttl`: time to live or hop limit, 0…255',
    read: (arrived, rinfo) => {
      if (arrived.ttl >= 0) rinfo.ttl = arrived.ttl;
    },
  },
  recvTOS: {
    wanted: ({ recvTOS }) => Boolean(recvTOS),
    feature: 'tos',
    fields: '`rinfo.tos`: TOS or traffic class, 0…255; `rinfo.ecn`: its two ECN bits',
    read: (arrived, rinfo) => {
      if (arrived.tos < 0) return;
      rinfo.tos = arrived.tos;
      rinfo.ecn = arrived.tos & 3;
    },
  },
  recvTimestamp: {
    wanted: ({ recvTimestamp }) => Boolean(recvTimestamp),
    feature: 'timestamp',
    fields: '`rinfo.timestamp`: when the kernel received it, ns since the epoch (bigint)',
    read: (arrived, rinfo) => {
      if (arrived.seconds < 0) return;
      rinfo.timestamp = BigInt(arrived.seconds) * 1_000_000_000n + BigInt(arrived.nanoseconds);
    },
  },
  recvDrops: {
    wanted: ({ recvDrops }) => Boolean(recvDrops),
    feature: 'drops',
    fields: '`rinfo.drops`: datagrams that the receive queue had dropped when this one was queued',
    read: (arrived, rinfo, stats) => {
      rinfo.drops = Math.max(arrived.drops, 0); // absent until the first drop (P30)
      stats.droppedByKernel = rinfo.drops;
    },
  },
  recvErrors: {
    wanted: ({ recvErrors }) => Boolean(recvErrors),
    feature: 'errors',
    fields: "the `'icmp'` event",
  },
  recvMark: {
    wanted: ({ recvMark, replyMark }) => Boolean(recvMark || replyMark),
    feature: 'recvMark',
    fields: '`rinfo.mark`: the mark that the firewall has put on the datagram',
    read: (arrived, rinfo) => {
      if (arrived.mark !== undefined) rinfo.mark = arrived.mark >>> 0;
    },
  },
  originalDestination: {
    wanted: ({ transparent }) => Boolean(transparent),
    feature: 'originalDestination',
    fields: '`rinfo.originalDestination`: where the datagram was sent to before a firewall sent it here',
    read: (arrived, rinfo) => {
      // OpenBSD tells the port alone: what pf diverts keeps its address.
      const address = originalText(arrived) ?? (arrived.originalPort ? rinfo.destination?.address : undefined);
      if (address !== undefined) rinfo.originalDestination = { address, port: arrived.originalPort ?? 0 };
    },
  },
  gro: { wanted: ({ gro }) => Boolean(gro), feature: 'gro', fields: "`rinfo.segmentSize`, with `gro: 'runs'`" },
};

/** What is read into rinfo with these options on; undefined where nothing is. */
export function readersOf(asked: readonly OptionName[]): readonly Read[] | undefined {
  const readers = asked.flatMap((name) => carried[name].read ?? []);
  return readers.length === 0 ? undefined : readers;
}
