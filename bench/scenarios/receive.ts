/** The server only receives: how much it keeps at rising rates, and what becomes of the rest of the process. */
import { setTimeout } from 'node:timers/promises';
import { answerOf } from '../children';
import type { Metrics, SubjectId } from '../results';
import type { Server, ServerOptions } from '../subjects';
import { type Case, CPU, costs, type Figure, IN_NODE, type Metered, pairs, type Scenario, type Turn } from './case';
import { hostFor } from './echo';

interface Flooded extends Metered {
  readonly sent: number;
  readonly perSecond: number;
}

interface Stats {
  readonly received: number;
  /** ms, by the server's clock: one that is busy answers late, and has received more by then. */
  readonly at: number;
  readonly lateMs?: { readonly p50: number; readonly p99: number };
}

const SETTLE_MS = 40;
const SETTLE_TRIES = 20;

const statsOf = ({ program }: Server): Promise<Stats> => program.ask<Stats>('stats');

const handledBetween = (before: Stats, after: Stats): number =>
  ((after.received - before.received) * 1000) / (after.at - before.at);

/** What it has received, once that has stopped rising. */
async function received(server: Server): Promise<number> {
  let before = -1;
  for (let tries = 0; tries < SETTLE_TRIES; tries++) {
    const { received: now } = await statsOf(server);
    if (now === before) break;
    before = now;
    await setTimeout(SETTLE_MS);
  }
  return before;
}

function flood({ server, subject, context, ms }: Turn, words: Readonly<Record<string, number>>): Promise<Flooded> {
  const all = { host: hostFor(subject), port: server.ports[0]!, pid: server.program.pid, ms, size: 100, ...words };
  return answerOf<Flooded>(context.tools.pinned('load', [context.tools.flood, ...pairs(all)]));
}

async function kept(turn: Turn, rate: number): Promise<Metrics> {
  const before = await received(turn.server);
  const flooded = await flood(turn, { rate });
  const count = (await received(turn.server)) - before;
  const share = count / flooded.sent;
  const perSecond = flooded.perSecond * share;
  const metrics = { offered: flooded.perSecond, perSecond, lostShare: 1 - share };
  return count > 0 ? { ...metrics, ...costs(flooded, count) } : metrics;
}

/** What is kept of a thousand that come 5 µs apart, as another Node sends them, to a server that rested for `gap` ms before. */
async function keptOfBursts(turn: Turn, gap: number): Promise<Metrics> {
  const { server, subject, context, ms } = turn;
  const before = await received(server);
  const burst = { burst: 1000, apart: 5000, gap, peers: 1000, silent: 1, size: 100, warm: 0, ms };
  const words = { host: hostFor(subject), ports: server.ports[0]!, pid: server.program.pid, ...burst };
  const { sent, ...metered } = await answerOf<Flooded>(
    context.tools.pinned('load', [context.tools.load, ...pairs(words)]),
  );
  const count = (await received(server)) - before;
  return { lostShare: 1 - count / sent, ...costs(metered, count) };
}

const COUNT: ServerOptions = { mode: 'count' };
const RATES = [50_000, 100_000, 200_000, 400_000, 800_000];
const RECEIVERS: readonly SubjectId[] = ['dgram', 'message', 'messages', 'gro', 'register', 'bun', 'c', 'c-gro'];
const LOST: Figure = { metric: 'lostShare', title: 'lost %', digits: 2, scale: 100, ratios: false };
const USER: Figure = { metric: 'userNs', title: 'user CPU ns each' };

const floods: Scenario = {
  name: 'flood',
  title: 'Receive flood (100 bytes, one peer, in runs of 16)',
  figures: [CPU, USER, LOST],
  cases: RATES.map(
    (rate): Case => ({
      name: `flood${rate / 1000}k`,
      what: `${rate.toLocaleString('en')} a second`,
      subjects: RECEIVERS,
      server: COUNT,
      quick: rate === 100_000,
      run: (turn) => kept(turn, rate),
    }),
  ),
};

/** 1 ms for each of 2,000 a second: twice as much as there is time for. */
async function timersBesideSlow(turn: Turn): Promise<Metrics> {
  await statsOf(turn.server);
  const before = await statsOf(turn.server);
  await flood(turn, { rate: 2000, burst: 1 });
  const after = await statsOf(turn.server);
  const { lateMs } = after;
  if (lateMs?.p50 === undefined) throw new Error(`${turn.subject.label}: no timer ran`);
  return { lateP50Ms: lateMs.p50, lateP99Ms: lateMs.p99, handled: handledBetween(before, after) };
}

interface Requested {
  readonly perSecond: number;
  readonly p50Us: number;
  readonly p99Us: number;
}

/** 50 µs for each of 40,000 a second, again twice the time; what is left of the process for HTTP. */
async function httpBesideFlood(turn: Turn): Promise<Metrics> {
  const { context, server, ms } = turn;
  const before = await statsOf(server);
  const flooded = flood(turn, { rate: 40_000, asleep: 1, ms: ms * 1.2 });
  await setTimeout(ms * 0.1);
  const words = pairs({ port: server.http!, ms });
  const requested = await answerOf<Requested>(context.tools.pinned('load', [context.tools.http, ...words]));
  const { perSecond } = await flooded;
  const handled = handledBetween(before, await statsOf(server));
  return {
    httpP50Us: requested.p50Us,
    httpP99Us: requested.p99Us,
    httpPerSecond: requested.perSecond,
    handled,
    offered: perSecond,
  };
}

const heardBursts: Scenario = {
  name: 'heard-bursts',
  title: 'A thousand datagrams at once to a server that only listens (100 bytes, from 1,000 peers, every 50 ms)',
  figures: [{ ...LOST, digits: 1 }, CPU],
  cases: [
    {
      name: 'heard-burst1000',
      what: '5 µs apart',
      subjects: IN_NODE,
      server: COUNT,
      ms: 400,
      quick: true,
      // As many as a compiler needs that takes turns with the server: both are pinned to one core.
      warm: async (turn) => {
        await keptOfBursts(turn, 10);
      },
      run: (turn) => keptOfBursts(turn, 50),
    },
    {
      name: 'heard-first-bursts',
      what: 'the first two of a server that has just started',
      subjects: IN_NODE,
      server: COUNT,
      ms: 100,
      warmMs: 0,
      generations: 5,
      rounds: 1,
      run: (turn) => keptOfBursts(turn, 50),
    },
  ],
};

const beside: Scenario = {
  name: 'beside',
  title: 'What else the process does',
  text: 'Timers, one due in each ms, beside 2,000 messages a second with 1 ms of work each; HTTP beside 40,000 a second with 50 µs each.',
  figures: [
    { metric: 'lateP50Ms', title: 'timers late by, p50 ms', digits: 1 },
    { metric: 'lateP99Ms', title: 'p99 ms', digits: 1 },
    { metric: 'httpP50Us', title: 'HTTP request, p50 µs' },
    { metric: 'httpP99Us', title: 'p99 µs' },
    { metric: 'httpPerSecond', title: 'HTTP requests per second' },
    { metric: 'handled', title: 'datagrams handled per second', ratios: false },
  ],
  cases: [
    {
      name: 'slow-listener',
      what: 'a slow listener',
      subjects: IN_NODE,
      server: { mode: 'count', work: 1000, beside: 'timers' },
      ms: 1000,
      quick: true,
      run: timersBesideSlow,
    },
    {
      name: 'http',
      what: 'HTTP beside a flood',
      subjects: IN_NODE,
      server: { mode: 'count', work: 50, beside: 'http' },
      ms: 600,
      quick: true,
      run: httpBesideFlood,
    },
  ],
};

export const receiveScenarios: readonly Scenario[] = [floods, heardBursts, beside];
