/** Every scenario in which the server answers what it gets: by datagrams in flight, size, family, peers and sockets. */
import { answerOf } from '../children';
import type { Metrics } from '../results';
import type { Server, ServerOptions, Subject, SubjectId } from '../subjects';
import {
  type Case,
  type Context,
  costs,
  JIT_WARM_MS,
  type Metered,
  pairs,
  type Scenario,
  withServer,
} from './scenario';

interface EchoCase extends Case {
  readonly server?: ServerOptions;
  readonly inflight?: number;
  readonly size?: number;
  readonly peers?: number;
  readonly ms?: number;
}

export interface Echoed extends Metered {
  readonly echoed: number;
  readonly lost: number;
  readonly wrong: number;
  readonly p50Ns?: number;
  readonly p99Ns?: number;
}

/** Later cases of one server find it compiled. */
const WARM_MS = 100;
const MS = 400;
const QUICK = { warm: 40, ms: 60 };

/** An address that only a chosen source answers from; the one that the kernel would choose, for those who can't. */
export function hostFor(subject: Subject, options: ServerOptions = {}): string {
  if (options.family === '6') return '::1';
  return subject.source && options.answer !== 'send' ? '127.0.0.5' : '127.0.0.1';
}

/** One run of the load generator against a server. @throws Error when nothing, or the wrong thing, comes back */
export async function load(
  server: Server,
  subject: Subject,
  { tools }: Context,
  options: ServerOptions,
  words: Readonly<Record<string, string | number>>,
): Promise<Echoed> {
  const common = { host: hostFor(subject, options), ports: server.ports.join(','), pid: server.program.pid };
  const echoed = await answerOf<Echoed>(tools.pinned('load', [tools.load, ...pairs({ ...common, ...words })]));
  if (echoed.echoed === 0) throw new Error(`${subject.label}: no answer from ${common.host}`);
  if (echoed.wrong > 0) throw new Error(`${subject.label}: ${echoed.wrong} answers of the wrong length`);
  return echoed;
}

export function echoMetrics(echoed: Echoed): Metrics {
  const { wallNs, p50Ns, p99Ns, lost } = echoed;
  return {
    perSecond: (echoed.echoed * 1e9) / wallNs,
    ...costs(echoed, echoed.echoed),
    lostShare: lost / (echoed.echoed + lost),
    ...(p50Ns === undefined ? {} : { p50Us: p50Ns / 1000 }),
    ...(p99Ns === undefined ? {} : { p99Us: p99Ns / 1000 }),
  };
}

const plain: ServerOptions = {};

async function runEchoes(subject: Subject, cases: readonly EchoCase[], context: Context) {
  const samples = [];
  for (const options of new Set(cases.map(({ server }) => server ?? plain))) {
    const served = cases.filter(({ server = plain }) => server === options);
    const part = await withServer(subject, options, context, async (server) => {
      const own = [];
      for (const [i, { name, inflight = 64, size = 100, peers = 1, ms = MS }] of served.entries()) {
        const times = context.quick ? QUICK : { ms, warm: i === 0 ? JIT_WARM_MS : WARM_MS };
        const echoed = await load(server, subject, context, options, { inflight, size, peers, ...times });
        own.push({ case: name, subject: subject.id, metrics: echoMetrics(echoed) });
      }
      return own;
    });
    samples.push(...part);
  }
  return samples;
}

function scenario(name: string, repetitions: number, cases: readonly EchoCase[]): Scenario<EchoCase> {
  return { name, repetitions, cases, run: runEchoes };
}

const everybody: readonly SubjectId[] = ['message', 'messages', 'dgram', 'bun', 'deno', 'deno-dgram', 'c'];
const inOrder: readonly SubjectId[] = ['message', 'c'];

export const echoScenarios: readonly Scenario<EchoCase>[] = [
  scenario('echo', 5, [
    { name: 'echo64', inflight: 64, ms: 900, quick: true, only: everybody },
    { name: 'echo1', inflight: 1, ms: 900, quick: true, only: everybody },
    { name: 'echo16', inflight: 16, only: everybody },
    { name: 'echo256', inflight: 256, only: everybody },
    { name: 'echo1024', inflight: 1024, only: everybody },
  ]),
  // As many in flight as the default receive buffer holds of that size.
  scenario('size', 3, [
    { name: 'size16', size: 16 },
    { name: 'size100', size: 100 },
    { name: 'size1200', size: 1200, inflight: 32 },
    { name: 'size8192', size: 8192, inflight: 8 },
    { name: 'size65507', size: 65507, inflight: 2, quick: true },
  ]),
  scenario('family', 3, [
    { name: 'ipv4' },
    { name: 'ipv6', server: { family: '6' }, quick: true },
    { name: 'dual-stack', server: { family: 'dual' }, quick: true },
  ]),
  scenario('peers', 3, [{ name: 'peers1' }, { name: 'peers10000', peers: 10_000, quick: true }]),
  scenario('sockets', 3, [{ name: 'sockets1' }, { name: 'sockets1000', server: { sockets: 1000 }, quick: true }]),
  scenario('answer', 3, [
    { name: 'reply-with-source', only: inOrder },
    { name: 'send-without', server: { answer: 'send' }, only: inOrder, quick: true },
  ]),
];
