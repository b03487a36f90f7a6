/** What a scenario is, and what all of them are given. */
import type { Metrics, Sample } from '../results';
import { type Server, type ServerOptions, type Subject, type SubjectId, start } from '../subjects';
import type { Toolchain } from '../toolchain';

/** How long a server just started is loaded before it is measured: JIT compilers want a while. */
export const JIT_WARM_MS = 1200;

export interface Context {
  readonly tools: Toolchain;
  /** The build of recvfromto under test: a file URL. */
  readonly dist: string;
  /** A run that only shows that everything still works. */
  readonly quick: boolean;
}

export interface Case {
  readonly name: string;
  /** Part of --quick. */
  readonly quick?: boolean;
  /** Default: all but Deno's node:dgram, which has its place in the echo scenario. */
  readonly only?: readonly SubjectId[];
}

export interface Scenario<C extends Case = Case> {
  readonly name: string;
  readonly cases: readonly C[];
  /** In a full run, unless --repetitions says otherwise. */
  readonly repetitions: number;
  run(subject: Subject, cases: readonly C[], context: Context): Promise<Sample[]>;
}

export function takesPart(subject: Subject, { only }: Case): boolean {
  return only === undefined ? subject.id !== 'deno-dgram' : only.includes(subject.id);
}

/** Runs `body` against a server of its own, which is ended afterwards. */
export async function withServer<T>(
  subject: Subject,
  options: ServerOptions,
  { tools, dist }: Context,
  body: (server: Server) => Promise<T>,
): Promise<T> {
  const server = await start(subject, tools, dist, options);
  try {
    return await body(server);
  } finally {
    await server.program.stop();
  }
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
