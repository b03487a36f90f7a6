/** What `doctor` finds out. `--json` prints it as it is, so keys stay; what is not known is null. */
import type { Capabilities } from '../../index';
import type { Prediction } from '../prediction';
import type { DeepFact } from './deep/facts';

export interface Facts {
  /** Version of recvfromto. */
  readonly recvfromto: string;
  /** Is all right with recvfromto here? */
  readonly ok: boolean;
  /** Why nothing could be asked; null where it could. */
  readonly problem: string | null;
  readonly system: System;
  readonly capabilities: Capabilities;
  /** One for each address that was asked. */
  readonly addresses: readonly AddressFact[];
  /** Addresses that were not asked, because there are so many. */
  readonly addressesNotAsked: number;
  readonly checks: readonly Check[];
  /** What `--deep` tried; null without it. */
  readonly deep: readonly DeepFact[] | null;
}

export interface System {
  /** uname -s, -r */
  readonly os: string;
  readonly release: string;
  readonly arch: string;
  readonly libc: { readonly name: string; readonly version: string } | null;
  readonly runtime: { readonly name: 'Node.js' | 'Bun' | 'Deno'; readonly version: string };
  readonly koffi: string | null;
}

/**
 * `right`: the answer came from the address that was asked. `wrong`: from another one. `silent`: no answer came.
 * `unreachable`: nobody heard the question, so that there was nothing to answer.
 */
export type Verdict = 'right' | 'wrong' | 'silent' | 'unreachable';

export interface AnswerFact {
  readonly verdict: Verdict;
  /** The source that the client saw. */
  readonly from: string | null;
}

export interface AddressFact {
  /** As the client asked it. */
  readonly address: string;
  /** What the server listens with: on 0.0.0.0, on :: for IPv6 alone, or on :: for both. */
  readonly socket: SocketName;
  /** The client's own address. */
  readonly askedBy: string | null;
  /** The receiving interface, as recvfromto's server was told. */
  readonly interface: string | null;
  /** The destination, as recvfromto's server was told: IPv4-mapped on a dual-stack socket. */
  readonly destination: string | null;
  readonly recvfromto: AnswerFact;
  /** What a client on this machine saw of node:dgram. */
  readonly dgram: AnswerFact;
  /**
   * What clients of each network would see of node:dgram, as the kernel says; nothing was sent to them. Empty for
   * addresses that no network reaches.
   */
  readonly dgramPredicted: readonly Prediction[];
}

export type SocketName = 'udp4' | 'udp6' | 'dual';

export interface Check {
  readonly name: CheckName;
  readonly result: 'pass' | 'fail' | 'skip';
  /** What was seen, or why nothing was. */
  readonly detail: string;
}

export type CheckName =
  | 'broadcast'
  | 'multicastIPv4'
  | 'multicastIPv6'
  | 'foreignSourceIPv4'
  | 'foreignSourceIPv6'
  | 'sizes'
  | 'metadataIPv4'
  | 'metadataIPv6';
