/**
 * The server only sends, as fast as it can; what left is counted where it arrives. The sink takes runs that were sent
 * with UDP_SEGMENT whole, as a network card would, except in the case that says so.
 */
import { Program } from '../children';
import type { Sample } from '../results';
import type { Subject } from '../subjects';
import { type Case, type Context, costs, type Metered, pairs, type Scenario, withServer } from './scenario';

interface SendCase extends Case {
  readonly size: number;
  readonly peers: number;
  readonly gro: 0 | 1;
}

interface Heard extends Metered {
  readonly datagrams: number;
  readonly bytes: number;
  readonly dropped: number;
}

async function run(subject: Subject, cases: readonly SendCase[], context: Context): Promise<Sample[]> {
  const { tools, quick } = context;
  const { warm, ms } = quick ? { warm: 40, ms: 60 } : { warm: 300, ms: 400 };
  return withServer(subject, { mode: 'count' }, context, async ({ program }) => {
    const samples: Sample[] = [];
    for (const { name, size, peers, gro } of cases) {
      const words = { sink: 1, pid: program.pid, size, gro, warm, ms };
      const sink = new Program(tools.pinned('load', [tools.flood, ...pairs(words)]));
      try {
        const { port } = await sink.hear<{ port: number }>();
        const how = peers > 1 ? subject.how.peers : subject.how.one;
        const sent = program.ask(`send ${pairs({ how, size, port, peers, ms: warm + ms + 100 }).join(' ')}`);
        const heard = await sink.hear<Heard>();
        await sent;
        // What found the sink's queue full was sent as well (and counts as one datagram, were it a run of many).
        const left = heard.datagrams + heard.dropped;
        const perSecond = (left * 1e9) / heard.wallNs;
        const bytesPerCpuSecond = ((heard.bytes + heard.dropped * size) * 1e9) / heard.serverCpuNs;
        const metrics = { perSecond, ...costs(heard, left), bytesPerCpuSecond, lostShare: heard.dropped / left };
        samples.push({ case: name, subject: subject.id, metrics });
      } finally {
        await sink.stop();
      }
    }
    return samples;
  });
}

export const send: Scenario<SendCase> = {
  name: 'send',
  repetitions: 3,
  cases: [
    { name: 'send100', size: 100, peers: 1, gro: 1 },
    { name: 'send100-1000-peers', size: 100, peers: 1000, gro: 1, quick: true },
    { name: 'send1200', size: 1200, peers: 1, gro: 1, quick: true },
    { name: 'send1200-cut-here', size: 1200, peers: 1, gro: 0 },
  ],
  run,
};
