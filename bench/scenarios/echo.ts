/** Scenarios in which the server answers what it gets: by datagrams in flight, size, peers, rate, and way of answering. */
import { answerOf } from '../children';
import type { Metrics, SubjectId } from '../results';
import type { ServerOptions, Subject } from '../subjects';
import {
  type Case,
  type Context,
  CPU,
  costs,
  type Figure,
  type Metered,
  pairs,
  type Scenario,
  SERVERS,
  type Turn,
} from './case';

export interface Echoed extends Metered {
  readonly sent: number;
  readonly echoed: number;
  readonly lost: number;
  readonly wrong: number;
  readonly p50Ns?: number;
  readonly p99Ns?: number;
}

type Words = Readonly<Record<string, string | number>>;

/** An address that only a chosen source answers from; the one that the kernel would choose, for those who can't. */
export function hostFor(subject: Subject, { family, answer }: ServerOptions = {}, network = false): string {
  const needsSource = subject.source && answer !== 'send';
  if (network) return needsSource ? 'fd00:bec::5' : 'fd00:bec::1';
  if (family === '6') return '::1';
  return needsSource ? '127.0.0.5' : '127.0.0.1';
}

/** Where the load of a case runs. */
export function placed({ tools }: Context, network: boolean | undefined, command: readonly string[]): string[] {
  const pinned = tools.pinned('load', command);
  return network ? tools.network!.inside(pinned) : pinned;
}

/** One run of the load generator against a server. @throws Error when nothing, or the wrong thing, comes back */
export async function load(turn: Turn, options: ServerOptions, words: Words, network?: boolean): Promise<Echoed> {
  const { server, subject, context } = turn;
  const common = { host: hostFor(subject, options, network), ports: server.ports.join(','), pid: server.program.pid };
  const command = [context.tools.load, ...pairs({ ...common, warm: 20, ms: turn.ms, ...words })];
  const echoed = await answerOf<Echoed>(placed(context, network, command));
  if (echoed.echoed === 0) throw new Error(`${subject.label}: no answer from ${common.host}`);
  if (echoed.wrong > 0)
    throw new Error(`${subject.label}: ${echoed.wrong} answers of the wrong length or from elsewhere`);
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

type EchoCase = Omit<Case, 'run' | 'subjects' | 'warm'> & {
  readonly subjects?: readonly SubjectId[];
  readonly words?: Words;
  /** What differs while warming up. */
  readonly warming?: Words;
};

function echo({ words = {}, warming, server = {}, subjects = SERVERS, ...rest }: EchoCase): Case {
  const { rate } = words;
  return {
    ...rest,
    server,
    subjects,
    ...(warming === undefined
      ? {}
      : {
          async warm(turn) {
            await load(turn, server, { ...words, ...warming }, rest.network);
          },
        }),
    async run(turn) {
      const metrics = echoMetrics(await load(turn, server, words, rest.network));
      return rate === undefined ? metrics : { ...metrics, offered: Number(rate) };
    },
  };
}

const LIMITS: readonly SubjectId[] = ['c', 'c-gso', 'c-gro'];
const OFTEN: readonly SubjectId[] = ['dgram', 'message', 'shared', 'messages', 'register', 'bun'];
const EVERYBODY: readonly SubjectId[] = [...OFTEN, 'register-gso', 'gro', 'runs', 'deno', 'deno-dgram', ...LIMITS];
const PER_SECOND: Figure = { metric: 'perSecond', title: 'thousands per second', digits: 1, scale: 1e-3 };
const USER: Figure = { metric: 'userNs', title: 'user CPU ns each' };
const P50: Figure = { metric: 'p50Us', title: 'p50 µs', digits: 1 };
const P99: Figure = { metric: 'p99Us', title: 'p99 µs', digits: 1 };

const inFlight: Scenario = {
  name: 'echo',
  title: 'One peer, by datagrams in flight (100 bytes)',
  figures: [CPU, USER, PER_SECOND, P99],
  cases: [64, 1, 16, 256, 1024].map((inflight) =>
    echo({
      name: `echo${inflight}`,
      what: `${inflight} in flight`,
      words: { inflight },
      quick: inflight === 64 || inflight === 1,
      subjects: inflight === 64 || inflight === 1 ? EVERYBODY : [...OFTEN, 'c', 'c-gso'],
    }),
  ),
};

const PEERS = [1, 1000, 10_000, 100_000];
/** One peer by IPv6 is among the sizes. */
const PEERS_IPV6 = PEERS.slice(1);
const thousands = (n: number) => n.toLocaleString('en');

/** Long enough to have heard everybody; each turn then hears others. */
const warmFor = (n: number) => (n > 10_000 ? 1000 : undefined);
/** With many peers nothing can be joined. */
const ONE_BY_ONE: readonly SubjectId[] = ['dgram', 'message', 'shared', 'register', 'bun', 'c'];

const peers: Scenario = {
  name: 'peers',
  title: 'Many peers (100 bytes, 64 in flight)',
  text: 'Each has an address of its own, and asks when all others have asked: what is remembered of it is as old as can be.',
  figures: [CPU],
  cases: [
    ...PEERS.map((n) =>
      echo({ name: `peers${n}`, what: thousands(n), words: { peers: n }, quick: n === 10_000, warmMs: warmFor(n) }),
    ),
    ...PEERS_IPV6.map((n) =>
      echo({
        name: `peers${n}-ipv6`,
        what: `${thousands(n)}, IPv6`,
        words: { peers: n },
        subjects: ONE_BY_ONE,
        server: { family: '6' },
        network: true,
        needs: 'network',
        quick: n === 10_000,
        warmMs: warmFor(n),
      }),
    ),
  ],
};

const answers: Scenario = {
  name: 'answers',
  title: 'Ways of answering (100 bytes, one peer, 64 in flight)',
  text: 'Bun and C know one way; their figures are those of a plain answer, but for late ones.',
  figures: [CPU],
  cases: [
    echo({
      name: 'callback',
      what: 'with a callback each',
      server: { how: 'callback' },
      subjects: [...SERVERS, 'register-gso'],
      quick: true,
    }),
    echo({ name: 'awaited', what: 'awaited', server: { how: 'awaited' }, quick: true }),
    echo({
      name: 'late',
      what: '2 ms later, from a timer each',
      server: { how: 'late' },
      words: { inflight: 256 },
      subjects: ['dgram', 'message', 'shared', 'register', 'bun'],
    }),
    echo({
      name: 'send-without',
      what: 'plain send(), source left to the kernel',
      server: { answer: 'send' },
      subjects: ['dgram', 'message', 'c'],
    }),
  ],
};

const RATES = [100, 1000, 5000, 10_000, 20_000, 50_000];

/** Each is given half of what it can do at most, so the faster has more to do. */
const halfLoad: Case = {
  name: 'half-load',
  what: 'half of its own greatest rate',
  subjects: ONE_BY_ONE,
  server: {},
  async run(turn) {
    const fastest = echoMetrics(await load(turn, {}, { inflight: 64, ms: turn.ms / 2 })).perSecond!;
    const rate = Math.round(fastest / 2);
    return { ...echoMetrics(await load(turn, {}, { rate })), offered: rate };
  },
};

const rates: Scenario = {
  name: 'wakeups',
  title: 'At a steady rate (100 bytes, one peer): one datagram per wake-up',
  text: 'Latency is counted from when a datagram was due to be sent, so that a server that stalls is not spared any.',
  figures: [CPU, P50, P99],
  cases: [
    ...RATES.map((rate) =>
      echo({
        name: `rate${rate}`,
        what: `${thousands(rate)} a second`,
        words: { rate },
        // A server that is asked rarely has been asked often enough for its compiler all the same.
        warming: { rate: 20_000 },
        // Many short turns: a machine has other caches, and other neighbours, from one second to the next.
        rounds: 5,
        ms: rate < 1000 ? 400 : rate < 5000 ? 200 : 100,
        quick: rate === 5000,
        subjects: ONE_BY_ONE,
      }),
    ),
    halfLoad,
  ],
};

const DUAL: ServerOptions = { family: 'dual' };

const sizes: Scenario = {
  name: 'sizes',
  title: 'Sizes (one peer)',
  text: 'As many in flight as the default receive buffer holds. The mix is that of DNS answers, 45 to 1,232 bytes.',
  figures: [CPU],
  cases: [
    echo({ name: 'dns-mix', what: 'a mix, 64 in flight', words: { sizes: 'dns' }, quick: true }),
    echo({ name: 'size16', what: '16 B, 64 in flight', words: { size: 16 } }),
    echo({ name: 'size1200', what: '1,200 B, 32 in flight', words: { size: 1200, inflight: 32 } }),
    echo({ name: 'size8192', what: '8 KB, 8 in flight', words: { size: 8192, inflight: 8 } }),
    echo({ name: 'size65507', what: '64 KB, 2 in flight', words: { size: 65507, inflight: 2 }, quick: true }),
    echo({ name: 'ipv6', what: '100 B, 64 in flight, IPv6', server: { family: '6' }, quick: true }),
    echo({ name: 'dual-stack', what: '100 B, 64 in flight, IPv4 on a dual-stack socket', server: DUAL }),
  ],
};

const sockets: Scenario = {
  name: 'sockets',
  title: 'A thousand sockets in one process (100 bytes, 64 in flight, each socket in turn)',
  figures: [CPU],
  cases: [
    echo({ name: 'sockets1000', what: '1,000 sockets', server: { sockets: 1000 }, quick: true, subjects: ONE_BY_ONE }),
  ],
};

function burst(name: string, what: string, words: Words): Case {
  return echo({
    name,
    what,
    words: { burst: 1000, gap: 50, peers: 1000, ...words },
    ms: 500,
    warmMs: 500,
    quick: name === 'burst1000',
  });
}

const bursts: Scenario = {
  name: 'bursts',
  title: 'A thousand datagrams at once (100 bytes, from 1,000 peers, every 50 ms)',
  text: "The kernel's default receive buffer holds some 250 of them.",
  figures: [{ metric: 'lostShare', title: 'lost %', digits: 1, scale: 100, ratios: false }, CPU],
  cases: [burst('burst1000', '5 µs apart', { apart: 5000 }), burst('burst1000-at-once', 'as fast as C can send', {})],
};

export const echoScenarios: readonly Scenario[] = [inFlight, peers, answers, rates, sizes, sockets, bursts];
