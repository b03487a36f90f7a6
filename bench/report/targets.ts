/** The figures this project wants to reach, held against the results. */
import { find, type Results } from '../results';
import { type Ratio, ratio, type Summary } from '../statistics';
import type { SubjectId } from '../subjects';

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
}

export interface Reached extends Target {
  readonly got: Ratio;
  readonly met: boolean;
}

/** Echoes per second against others', at 64 and more in flight. */
function echoTargets(name: string): Target[] {
  const echo = { case: name, metric: 'perSecond' };
  const what = (of: string) => `${name}: echoes per second, of ${of}`;
  return [
    { ...echo, what: what("node:dgram's, 'message'"), subject: 'message', of: 'dgram', least: 2.5 },
    { ...echo, what: what("Bun's, 'message'"), subject: 'message', of: 'bun', least: 2 },
    { ...echo, what: what("C's, 'message'"), subject: 'message', of: 'c', least: 0.9 },
    { ...echo, what: what("C's, 'messages'"), subject: 'messages', of: 'c', least: 0.95 },
  ];
}

const TARGETS: readonly Target[] = [
  ...['echo64', 'echo256', 'echo1024'].flatMap(echoTargets),
  {
    what: "echo1: echoes per second, of node:dgram's",
    case: 'echo1',
    metric: 'perSecond',
    subject: 'message',
    of: 'dgram',
    least: 1.2,
  },
  {
    what: "echo1: echoes per second, of Bun's",
    case: 'echo1',
    metric: 'perSecond',
    subject: 'message',
    of: 'bun',
    least: 1,
  },
  {
    what: "echo1: latency p99, of node:dgram's",
    case: 'echo1',
    metric: 'p99Us',
    subject: 'message',
    of: 'dgram',
    most: 1,
  },
  {
    what: "echo64: user CPU per echo, of node:dgram's, 'message'",
    case: 'echo64',
    metric: 'userNs',
    subject: 'message',
    of: 'dgram',
    most: 1 / 8,
  },
  {
    what: "echo64: user CPU per echo, of node:dgram's, 'messages'",
    case: 'echo64',
    metric: 'userNs',
    subject: 'messages',
    of: 'dgram',
    most: 1 / 12,
  },
  {
    what: "flood200k: user CPU per datagram, of node:dgram's",
    case: 'flood200k',
    metric: 'userNs',
    subject: 'message',
    of: 'dgram',
    most: 1 / 4,
  },
  {
    what: "send1200: sendMany's bytes per CPU second, of node:dgram's send",
    case: 'send1200',
    metric: 'bytesPerCpuSecond',
    subject: 'messages',
    of: 'dgram',
    least: 6,
  },
  {
    what: 'import, over bare node',
    case: 'startup',
    metric: 'importOverBareMs',
    subject: 'message',
    most: 25,
    unit: 'ms',
  },
  {
    what: 'RSS of one socket, over bare node',
    case: 'memory',
    metric: 'oneOverBareMB',
    subject: 'message',
    most: 15,
    unit: 'MB',
  },
  {
    what: 'RSS of each further idle socket',
    case: 'memory',
    metric: 'perFurtherKB',
    subject: 'message',
    most: 20,
    unit: 'KB',
  },
];

const asRatio = ({ median, q1, q3 }: Summary): Ratio => ({ ratio: median, q1, q3 });

/** The first rate at which node:dgram loses datagrams, and what is lost there by ours. */
function noneLost(results: Results): Reached[] {
  const rates = results.rows.filter(({ case: name, subject }) => name.startsWith('flood') && subject === 'dgram');
  const losing = rates.filter(({ metrics }) => metrics.lostShare!.median > 0.001);
  return losing.slice(0, 1).flatMap(({ case: name }) => {
    const lost = find(results, name, 'message', 'lostShare');
    if (lost === undefined) return [];
    const what = `${name}, the first rate at which node:dgram loses: share of datagrams lost`;
    return [
      { what, case: name, metric: 'lostShare', subject: 'message', most: 0, got: asRatio(lost), met: lost.median <= 0 },
    ];
  });
}

/** Those targets that the results say something about. */
export function reached(results: Results): Reached[] {
  const measured = TARGETS.flatMap((target): Reached[] => {
    const own = find(results, target.case, target.subject, target.metric);
    const other = target.of === undefined ? undefined : find(results, target.case, target.of, target.metric);
    if (own === undefined || (target.of !== undefined && other === undefined)) return [];
    const got = other === undefined ? asRatio(own) : ratio(own, other);
    const met =
      got.ratio >= (target.least ?? Number.NEGATIVE_INFINITY) && got.ratio <= (target.most ?? Number.POSITIVE_INFINITY);
    return [{ ...target, got, met }];
  });
  return [...measured, ...noneLost(results)];
}
