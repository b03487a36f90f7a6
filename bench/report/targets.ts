/** The figures this project wants to reach, held against the results. */
import { find, type Results, type SubjectId } from '../results';
import { type Ratio, ratio, type Summary } from '../statistics';

/** `metric` of `subject`, as a multiple of `of`'s, or itself where there is no `of`. */
interface Target {
  readonly what: string;
  readonly case: string;
  readonly metric: string;
  readonly subject: SubjectId;
  readonly of?: SubjectId;
  readonly least?: number;
  readonly most?: number;
  readonly unit?: string;
  /** The difference is compared, not the ratio. */
  readonly over?: boolean;
  /** What one of the figure's units is in the target's. */
  readonly scale?: number;
}

export interface Reached extends Target {
  readonly got: Ratio;
  readonly met: boolean;
}

const NAMES: Partial<Record<SubjectId, string>> = {
  dgram: "node:dgram's",
  bun: "Bun's",
  c: "C's",
  'c-gso': "C's with UDP_SEGMENT",
  'c-gro': "C's with UDP_SEGMENT and UDP_GRO",
  message: 'recvfromto',
  shared: 'ownBuffers: false',
  messages: "'messages'",
  gro: 'gro: true, ownBuffers: false',
  runs: "gro: 'runs', ownBuffers: false",
  register: 'register',
  'register-gso': 'register with gso=on',
};

const nameOf = (id: SubjectId) => NAMES[id] ?? id;

/** CPU per datagram, at most this multiple of another's. */
function cpu(name: string, subject: SubjectId, of: SubjectId, most: number): Target {
  return { what: `${name}: CPU, ${nameOf(subject)}, of ${nameOf(of)}`, case: name, metric: 'cpuNs', subject, of, most };
}

function other(
  name: string,
  metric: string,
  title: string,
  subject: SubjectId,
  of: SubjectId,
  bound: { most?: number; least?: number },
): Target {
  return { what: `${name}: ${title}, ${nameOf(subject)}, of ${nameOf(of)}`, case: name, metric, subject, of, ...bound };
}

function manyPeers(suffix: string): Target[] {
  const [thousands, hundredThousand] = [`peers10000${suffix}`, `peers100000${suffix}`];
  return [
    cpu(thousands, 'shared', 'c', 1.1),
    cpu(thousands, 'message', 'c', 1.3),
    cpu(thousands, 'shared', 'bun', 1),
    cpu(thousands, 'message', 'bun', 1),
    cpu(thousands, 'register', 'dgram', 0.8),
    cpu(hundredThousand, 'message', 'dgram', 0.75),
    cpu(hundredThousand, 'register', 'dgram', 0.9),
  ];
}

function atRate(rate: number): Target[] {
  const name = `rate${rate}`;
  return [
    cpu(name, 'message', 'dgram', rate === 1000 ? 0.85 : 1),
    cpu(name, 'register', 'dgram', 1),
    other(name, 'p99Us', 'latency p99', 'message', 'dgram', { most: 1 }),
  ];
}

function starting(line: number, most: number): Target[] {
  return (['message', 'register'] as const).map((subject) => ({
    what: `Node ${line}: CPU to the first answer, ${nameOf(subject)}, over ${nameOf('dgram')}`,
    case: `start-node${line}`,
    metric: 'firstAnswerCpuMs',
    subject,
    of: 'dgram' as const,
    over: true,
    most,
    unit: 'ms',
  }));
}

/** Of all that were sent, so that 0 can be compared with 0. */
function lossOver(name: string, subject: SubjectId): Target {
  const what = `${name}: datagrams lost, ${nameOf(subject)}, over ${nameOf('dgram')}`;
  const bound = { over: true, scale: 100, most: 0.1, unit: '%' };
  return { what, case: name, metric: 'lostShare', subject, of: 'dgram', ...bound };
}

const absolute = (what: string, name: string, metric: string, most: number, unit: string): Target => ({
  what,
  case: name,
  metric,
  subject: 'message',
  most,
  unit,
});

export const TARGETS: readonly Target[] = [
  cpu('dns-packet', 'message', 'dgram', 0.65),
  cpu('dns-packet', 'message', 'bun', 0.8),
  cpu('dns2', 'register', 'dgram', 0.85),
  cpu('echo64', 'shared', 'c-gso', 1.2),
  cpu('echo64', 'gro', 'c-gro', 1.2),
  cpu('echo64', 'runs', 'c-gro', 1.2),
  cpu('echo64', 'message', 'dgram', 0.36),
  cpu('echo64', 'register', 'dgram', 0.5),
  cpu('echo64', 'register-gso', 'dgram', 0.5),
  ...['echo64', 'echo256', 'echo1024'].flatMap((name) => [
    other(name, 'perSecond', 'echoes per second', 'message', 'dgram', { least: 2.5 }),
    other(name, 'perSecond', 'echoes per second', 'message', 'bun', { least: 2 }),
    other(name, 'perSecond', 'echoes per second', 'message', 'c', { least: 0.9 }),
    other(name, 'perSecond', 'echoes per second', 'messages', 'c', { least: 0.95 }),
  ]),
  other('echo64', 'userNs', 'user CPU', 'message', 'dgram', { most: 1 / 8 }),
  other('echo64', 'userNs', 'user CPU', 'messages', 'dgram', { most: 1 / 12 }),
  other('echo1', 'perSecond', 'echoes per second', 'message', 'dgram', { least: 1.2 }),
  other('echo1', 'perSecond', 'echoes per second', 'message', 'bun', { least: 1 }),
  other('echo1', 'p99Us', 'latency p99', 'message', 'dgram', { most: 1 }),
  ...manyPeers(''),
  ...manyPeers('-ipv6'),
  cpu('callback', 'message', 'dgram', 0.5),
  cpu('callback', 'register', 'dgram', 0.55),
  cpu('callback', 'register-gso', 'dgram', 0.55),
  cpu('awaited', 'message', 'dgram', 1.1),
  cpu('awaited', 'register', 'dgram', 1.1),
  ...[100, 1000, 5000, 10_000, 20_000, 50_000].flatMap(atRate),
  cpu('size8192', 'message', 'c', 1.15),
  cpu('size65507', 'message', 'bun', 1),
  cpu('sockets1000', 'message', 'dgram', 0.9),
  ...['burst1000', 'heard-burst1000'].flatMap((name) => [lossOver(name, 'message'), lossOver(name, 'register')]),
  other('slow-listener', 'lateP50Ms', 'how late timers are, p50', 'message', 'dgram', { most: 1.2 }),
  other('slow-listener', 'lateP50Ms', 'how late timers are, p50', 'register', 'dgram', { most: 1.2 }),
  other('flood200k', 'userNs', 'user CPU', 'message', 'dgram', { most: 1 / 4 }),
  ...['flood400k', 'flood800k'].map((name) => lossOver(name, 'message')),
  other('half-load', 'p99Us', 'latency p99', 'message', 'dgram', { most: 1 }),
  other('send1200', 'bytesPerCpuSecond', 'bytes per CPU second', 'messages', 'dgram', { least: 6 }),
  other('segments1200', 'bytesPerCpuSecond', 'bytes per CPU second', 'message', 'c', { least: 0.8 }),
  cpu('send64k', 'message', 'dgram', 0.9),
  cpu('tick', 'message', 'dgram', 0.95),
  cpu('name', 'message', 'dgram', 1),
  cpu('query', 'message', 'dgram', 1.5),
  cpu('query', 'register', 'dgram', 2),
  cpu('binds', 'message', 'dgram', 1.5),
  ...starting(24, 20),
  ...starting(20, 25),
  absolute('Node 24: import', 'start-node24', 'importMs', 8, 'ms'),
  absolute('heap of each bound socket', 'heap', 'heapBytes', 2048, 'bytes'),
  absolute('RSS of each bound socket beyond a thousand', 'memory', 'perFurtherKB', 6, 'KB'),
  absolute('RSS of one socket, over bare node', 'memory', 'oneOverBareMB', 15, 'MB'),
];

/** The ratio, the difference, or the figure itself. */
function compared({ over, scale = 1 }: Target, own: Summary, of: Summary | undefined): Ratio {
  if (of !== undefined && !over) return ratio(own, of);
  const [median, q1, q3] = [own.median, own.q1, own.q3].map((value) => (value - (of?.median ?? 0)) * scale);
  return { ratio: median!, q1: q1!, q3: q3! };
}

/** Those targets that the results say something about. */
export function reached(results: Results): Reached[] {
  return TARGETS.flatMap((target): Reached[] => {
    const own = find(results, target.case, target.subject, target.metric);
    const of = target.of === undefined ? undefined : find(results, target.case, target.of, target.metric);
    if (own === undefined || (target.of !== undefined && of === undefined)) return [];
    const got = compared(target, own, of);
    const met =
      got.ratio >= (target.least ?? Number.NEGATIVE_INFINITY) && got.ratio <= (target.most ?? Number.POSITIVE_INFINITY);
    return [{ ...target, got, met }];
  });
}
