/** The server only receives: how much it keeps at rising rates, and what one datagram costs. */
import { setTimeout } from 'node:timers/promises';
import { answerOf } from '../children';
import type { Sample } from '../results';
import type { Server, ServerOptions, Subject } from '../subjects';
import { hostFor } from './echo';
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

interface FloodCase extends Case {
  readonly rate: number;
  readonly gro?: 1;
}

interface Flooded extends Metered {
  readonly sent: number;
  readonly perSecond: number;
}

const SETTLE_MS = 40;
const SETTLE_TRIES = 20;

/** What it has received, once that has stopped rising. */
async function received({ program }: Server): Promise<number> {
  let before = -1;
  for (let tries = 0; tries < SETTLE_TRIES; tries++) {
    const { received: now } = await program.ask<{ received: number }>('stats');
    if (now === before) break;
    before = now;
    await setTimeout(SETTLE_MS);
  }
  return before;
}

async function run(subject: Subject, cases: readonly FloodCase[], context: Context): Promise<Sample[]> {
  const plain = cases.filter(({ gro }) => gro === undefined);
  const coalesced = cases.filter(({ gro }) => gro === 1);
  const samples = plain.length > 0 ? await runCases(subject, plain, { mode: 'count' }, context) : [];
  if (coalesced.length > 0) samples.push(...(await runCases(subject, coalesced, { mode: 'count', gro: 1 }, context)));
  return samples;
}

async function runCases(
  subject: Subject,
  cases: readonly FloodCase[],
  options: ServerOptions,
  context: Context,
): Promise<Sample[]> {
  const { tools, quick } = context;
  return withServer(subject, options, context, async (server) => {
    const flood = (rate: number, ms: number) => {
      const words = { host: hostFor(subject), port: server.ports[0]!, pid: server.program.pid, rate, ms, size: 100 };
      return answerOf<Flooded>(tools.pinned('load', [tools.flood, ...pairs(words)]));
    };
    const samples: Sample[] = [];
    await flood(200_000, quick ? 50 : JIT_WARM_MS);
    let before = await received(server);
    for (const { name, rate } of cases) {
      const flooded = await flood(rate, quick ? 60 : 400);
      const after = await received(server);
      const kept = after - before;
      before = after;
      const keptShare = kept / flooded.sent;
      const perSecond = flooded.perSecond * keptShare;
      const metrics = {
        offered: flooded.perSecond,
        perSecond,
        lostShare: 1 - keptShare,
        ...(kept > 0 ? costs(flooded, kept) : {}),
      };
      samples.push({ case: name, subject: subject.id, metrics });
    }
    return samples;
  });
}

const RATES = [50_000, 100_000, 200_000, 400_000, 800_000];

export const flood: Scenario<FloodCase> = {
  name: 'flood',
  repetitions: 3,
  cases: [
    ...RATES.map((rate) => ({ name: `flood${rate / 1000}k`, rate, quick: rate === 100_000 })),
    { name: 'flood400k-gro', rate: 400_000, gro: 1, quick: true, only: ['message', 'messages', 'c'] },
  ],
  run,
};
