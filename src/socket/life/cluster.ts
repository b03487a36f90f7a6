/**
 * Sockets of node:cluster: the workers of one primary share a descriptor, which the primary binds on their behalf. The
 * way to it is the one that dgram itself takes, cluster._getServer, which is private but has been the same since Node
 * 0.12. What comes back is a UDP handle of libuv's; its descriptor is used here, and closing the handle closes it.
 */
import type { EventEmitter } from 'node:events';
import type { SocketKind } from '../../platform/platform';
import type { SocketType } from '../../types';

/** The UDP handle that holds a descriptor for us. */
export interface UdpHandle {
  readonly fd: number;
  /** dgram keeps its socket here, and cluster.disconnect() closes it (lib/internal/cluster/child.js, _disconnect). */
  owner?: unknown;
  close(callback?: () => void): void;
  ref?(): void;
  unref?(): void;
}

/** What a worker asks its primary for: dgram's bindServerHandle. */
export interface Query {
  readonly address: string | null;
  readonly port: unknown;
  readonly addressType: SocketType;
  /** -1 where an address is meant. */
  readonly fd: number;
  readonly flags: number | null;
}

type GetServer = (
  socket: EventEmitter,
  query: Query,
  answer: (errno: number, handle: UdpHandle | null) => void,
) => void;

interface ClusterModule {
  readonly isWorker: boolean;
  readonly _getServer?: GetServer;
}

/** <uv.h>, enum uv_udp_flags */
const UV_UDP_IPV6ONLY = 1;
const UV_UDP_REUSEADDR = 4;

export function bindFlags(kind: SocketKind, reuseAddr: boolean): number {
  return (kind === 'udp6' ? UV_UDP_IPV6ONLY : 0) | (reuseAddr ? UV_UDP_REUSEADDR : 0);
}

/** Asks the primary for a descriptor; undefined in a process that is no worker. */
export function primary(): GetServer | undefined {
  if (process.send === undefined) return undefined; // a worker has a channel to its primary
  const cluster = require('node:cluster') as ClusterModule; // takes a millisecond to load
  return cluster.isWorker ? cluster._getServer?.bind(cluster) : undefined;
}

export function isUdpHandle(value: unknown): value is UdpHandle {
  return value !== null && typeof value === 'object' && 'recvStart' in value && typeof value.recvStart === 'function';
}
