/** Where node:dgram is ahead: every cost, of every case, that is noticeably less with it. */
import { find, type Results, type SubjectId } from '../results';
import { SCENARIOS } from '../scenarios';
import type { Case, Figure } from '../scenarios/case';
import { ratio } from '../statistics';
import { table } from './tables';

const OURS: readonly SubjectId[] = ['message', 'register'];
/** Costs that are compared as a ratio, and how much more is no accident. */
const RATIOS: readonly string[] = [
  'cpuNs',
  'lateP50Ms',
  'httpP50Us',
  'heapBytes',
  'perFurtherKB',
  'oneOverBareMB',
  'loadedMB',
];
const NOTICEABLE = 1.05;
/** Costs of which the difference counts: what is lost, of all that were sent, and ms. */
const DIFFERENCES: Readonly<Record<string, number>> = { lostShare: 0.002, firstAnswerCpuMs: 1 };

function difference(results: Results, name: string, subject: SubjectId, { metric, scale = 1 }: Figure): string {
  const [own, dgram] = [subject, 'dgram' as const].map((id) => find(results, name, id, metric)?.median);
  if (own === undefined || dgram === undefined) return '';
  const least = DIFFERENCES[metric];
  if (least === undefined || own - dgram < least) return '';
  return `+ ${((own - dgram) * scale).toFixed(1)}`;
}

function timesMore(results: Results, name: string, subject: SubjectId, { metric }: Figure): string {
  const [own, dgram] = [subject, 'dgram' as const].map((id) => find(results, name, id, metric));
  if (own === undefined || dgram === undefined || !(dgram.median > 0)) return '';
  const times = ratio(own, dgram).ratio;
  return times < NOTICEABLE ? '' : `× ${times.toFixed(2)}`;
}

function rowOf(results: Results, figure: Figure, title: string, { name, what }: Case): string[] {
  const compared = figure.metric in DIFFERENCES ? difference : timesMore;
  return [title, what, figure.title, ...OURS.map((id) => compared(results, name, id, figure))];
}

/** Empty where node:dgram is ahead nowhere. */
export function aheadTable(results: Results): string {
  const rows = SCENARIOS.flatMap(({ title, figures, cases }) =>
    figures
      .filter(({ metric }) => RATIOS.includes(metric) || metric in DIFFERENCES)
      .flatMap((figure) => cases.map((one) => rowOf(results, figure, title.replace(/ \(.*/, ''), one))),
  );
  const behind = rows.filter((cells) => cells.slice(-OURS.length).some((cell) => cell !== ''));
  return table(['', '', 'node:dgram has less', 'recvfromto', 'register'], behind, 3);
}
