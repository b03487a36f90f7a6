/** Where node:dgram is ahead: every figure, of every case, that is noticeably better with it. */
import { find, type Results, type SubjectId } from '../results';
import { SCENARIOS } from '../scenarios';
import type { Case, Figure } from '../scenarios/case';
import { ratio } from '../statistics';
import { table } from './tables';

const OURS: readonly SubjectId[] = ['message', 'register'];
/** Costs that are compared as a ratio. */
const COSTS: readonly string[] = [
  'cpuNs',
  'userNs',
  'latencyUs',
  'p50Us',
  'p99Us',
  'lateP50Ms',
  'lateP99Ms',
  'httpP50Us',
  'httpP99Us',
  'heapBytes',
  'perFurtherKB',
  'oneOverBareMB',
  'loadedMB',
];
/** What is better the more there is of it. */
const YIELDS: readonly string[] = ['perSecond', 'bytesPerCpuSecond', 'httpPerSecond', 'handled'];
/** How much more, or less, is no accident. */
const NOTICEABLE = 1.05;
/** Costs of which the difference counts: what is lost, of all that were sent, and ms. */
const DIFFERENCES: Readonly<Record<string, number>> = { lostShare: 0.002, firstAnswerCpuMs: 1, noSocketCpuMs: 1 };

/** By how much a subject is worse than node:dgram; '' where that is not to be noticed. */
function worse(results: Results, name: string, subject: SubjectId, { metric, scale = 1 }: Figure): string {
  const [own, dgram] = [subject, 'dgram' as const].map((id) => find(results, name, id, metric));
  if (own === undefined || dgram === undefined) return '';
  const least = DIFFERENCES[metric];
  const difference = own.median - dgram.median;
  if (least !== undefined) return difference < least ? '' : `+ ${(difference * scale).toFixed(1)}`;
  const times = ratio(own, dgram).ratio;
  const isWorse = YIELDS.includes(metric) ? times * NOTICEABLE <= 1 : times >= NOTICEABLE;
  return dgram.median > 0 && isWorse ? `× ${times.toFixed(2)}` : '';
}

function rowOf(results: Results, figure: Figure, title: string, { name, what }: Case): string[] {
  return [title, what, figure.title, ...OURS.map((id) => worse(results, name, id, figure))];
}

/** Empty where node:dgram is ahead nowhere. */
export function aheadTable(results: Results): string {
  const rows = SCENARIOS.flatMap(({ title, figures, cases }) =>
    figures
      .filter(({ metric }) => COSTS.includes(metric) || YIELDS.includes(metric) || metric in DIFFERENCES)
      .flatMap((figure) => cases.map((one) => rowOf(results, figure, title.replace(/ \(.*/, ''), one))),
  );
  const behind = rows.filter((cells) => cells.slice(-OURS.length).some((cell) => cell !== ''));
  return table(['', '', 'better with node:dgram', 'recvfromto', 'register'], behind, 3);
}
