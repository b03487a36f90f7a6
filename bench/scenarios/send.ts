/**
 * The server only sends; what left is counted where it arrives. The sink takes runs that were sent with UDP_SEGMENT whole,
 * as a network card would, except in the case that says so.
 */
import { Program } from '../children';
import type { Metrics, SubjectId } from '../results';
import type { How } from '../subjects';
import { type Case, CPU, costs, type Metered, pairs, type Scenario, type Turn } from './case';

interface Heard extends Metered {
  readonly datagrams: number;
  readonly bytes: number;
  readonly dropped: number;
}

interface Sending {
  readonly size: number;
  readonly peers?: number;
  /** Default: the subject's fastest. */
  readonly how?: How;
  /** 0: the sink takes no runs, so the sender's own core cuts them. */
  readonly gro?: 0 | 1;
}

const WARM_MS = 40;

async function send(
  { context, server, subject, ms }: Turn,
  { size, peers = 1, how, gro = 1 }: Sending,
): Promise<Metrics> {
  const { tools } = context;
  const words = { sink: 1, pid: server.program.pid, size, gro, warm: WARM_MS, ms };
  const sink = new Program(tools.pinned('load', [tools.flood, ...pairs(words)]));
  try {
    const { port } = await sink.hear<{ port: number }>();
    const way = how ?? (peers > 1 ? subject.sends.peers : subject.sends.one);
    const sent = server.program.ask(`send ${pairs({ how: way, size, port, peers, ms: WARM_MS + ms + 60 }).join(' ')}`);
    const heard = await sink.hear<Heard>();
    await sent;
    if (heard.datagrams === 0) throw new Error('nothing arrived');
    // What found the sink's queue full was sent as well (and counts as one datagram, were it a run of many).
    const left = heard.datagrams + heard.dropped;
    const bytesPerCpuSecond = ((heard.bytes + heard.dropped * size) * 1e9) / heard.serverCpuNs;
    return {
      perSecond: (left * 1e9) / heard.wallNs,
      ...costs(heard, left),
      bytesPerCpuSecond,
      lostShare: heard.dropped / left,
    };
  } finally {
    await sink.stop();
  }
}

const FAST: readonly SubjectId[] = ['dgram', 'message', 'messages', 'register', 'bun', 'c'];
const PATTERN: readonly SubjectId[] = ['dgram', 'message', 'register', 'bun'];

function sending(name: string, what: string, how: Sending, more: Partial<Case> = {}): Case {
  return { name, what, subjects: FAST, server: { mode: 'count' }, run: (turn) => send(turn, how), ...more };
}

const fast: Scenario = {
  name: 'send',
  title: 'Sending as fast as it goes',
  text: "`'messages'` sends by sendMany, as does Bun; C by sendmmsg, to one peer with UDP_SEGMENT. A buffer of many datagrams is one call with `segmentSize`; node:dgram has none.",
  figures: [CPU, { metric: 'bytesPerCpuSecond', title: 'MB per CPU second', scale: 1e-6 }],
  cases: [
    sending('send100', '100 B to one peer', { size: 100 }),
    sending('send100-1000-peers', '100 B to 1,000 peers', { size: 100, peers: 1000 }, { quick: true }),
    sending('send1200', '1,200 B to one peer', { size: 1200 }, { quick: true }),
    sending('send1200-cut-here', '1,200 B to one peer, runs cut by the sender', { size: 1200, gro: 0 }),
    sending(
      'segments1200',
      'buffers of 54 × 1,200 B, one call each',
      { size: 1200, how: 'segments' },
      { subjects: ['dgram', 'message', 'register', 'bun', 'c'], quick: true },
    ),
    sending('send64k', '64 KB to one peer', { size: 65507 }, { quick: true }),
  ],
};

const patterns: Scenario = {
  name: 'sending',
  title: 'Sending as programs do',
  figures: [CPU],
  cases: [
    sending(
      'tick',
      'one per turn of the event loop, 10,000 hosts',
      { size: 100, peers: 10_000, how: 'tick' },
      { subjects: PATTERN, quick: true },
    ),
    sending(
      'name',
      'one per turn, to a host name',
      { size: 100, how: 'name' },
      { subjects: ['dgram', 'message', 'register'], quick: true },
    ),
    sending(
      'paced',
      'RTP: 172 B to each of 500 peers every 20 ms',
      { size: 172, peers: 500, how: 'paced' },
      { subjects: PATTERN, quick: true, ms: 400 },
    ),
  ],
};

export const sendScenarios: readonly Scenario[] = [fast, patterns];
