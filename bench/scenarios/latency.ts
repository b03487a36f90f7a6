/**
 * Round-trip times while datagrams come at a steady rate, whatever comes back (so that a server that stalls is not
 * spared the datagrams it would have had meanwhile). At 1 in flight they are a figure of echo1.
 */
import { answerOf } from '../children';
import type { Sample } from '../results';
import type { Subject } from '../subjects';
import { type Echoed, echoMetrics, hostFor, load } from './echo';
import { type Case, type Context, pairs, type Scenario, withServer } from './scenario';

interface LatencyCase extends Case {
  /** Of the server's own greatest rate; or the same for all, per second. */
  readonly share?: number;
  readonly rate?: number;
}

const QUICK = { warm: 30, ms: 60 };
const FULL = { warm: 100, ms: 600 };

async function run(subject: Subject, cases: readonly LatencyCase[], context: Context): Promise<Sample[]> {
  return withServer(subject, {}, context, async (server) => {
    const times = context.quick ? QUICK : FULL;
    const calibration = { inflight: 64, warm: context.quick ? 40 : 400, ms: context.quick ? 60 : 300 };
    const fastest = echoMetrics(await load(server, subject, context, {}, calibration)).perSecond!;
    const samples: Sample[] = [];
    for (const { name, share, rate = Math.round(fastest * share!) } of cases) {
      const words = { host: hostFor(subject), ports: server.ports[0]!, pid: server.program.pid, rate, ...times };
      const { tools } = context;
      const echoed = await answerOf<Echoed>(tools.pinned('load', [tools.load, ...pairs(words)]));
      samples.push({ case: name, subject: subject.id, metrics: { ...echoMetrics(echoed), offered: rate } });
    }
    return samples;
  });
}

export const latency: Scenario<LatencyCase> = {
  name: 'latency',
  repetitions: 3,
  cases: [
    { name: 'half-load', share: 0.5, quick: true },
    { name: 'at-20000-per-second', rate: 20_000 },
  ],
  run,
};
