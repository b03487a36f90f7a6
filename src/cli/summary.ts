/** What `serve` says at its end. Pure. */
import { plain } from './quoted';
import type { Style } from './style';
import type { Tally } from './tally';
import { count, counted, duration } from './units';

export interface Served {
  /** By address they were sent to. */
  readonly destinations: Tally;
  /** By reason. */
  readonly refused: Tally;
  /** Dropped by the kernel because the queue was full, as far as it told. */
  readonly dropped: number;
  /** ms */
  readonly time: number;
}

const MOST = 20;

export function summary(served: Served, style: Style): string[] {
  const { destinations, refused, dropped, time } = served;
  const { total } = destinations;
  const lines = ['', `${style.bold(counted(total, 'datagram'))} in ${duration(time)}`];
  if (total > 0) lines.push(...rows(destinations, 'to ', 'other addresses'));
  if (refused.total > 0) {
    lines.push(style.yellow(`${count(refused.total)} not answered`), ...rows(refused, '', 'for other reasons'));
  }
  if (dropped > 0) lines.push(style.yellow(`${count(dropped)} dropped by the kernel, because the queue was full`));
  return lines;
}

function rows(tally: Tally, word: string, otherwise: string): string[] {
  const { entries, others } = tally.top(MOST);
  const all = others > 0 ? [...entries, [otherwise, others] as const] : entries;
  const width = Math.max(...all.map(([, number]) => count(number).length));
  return all.map(([name, number]) => `  ${count(number).padStart(width)}  ${word}${plain(name)}`);
}
