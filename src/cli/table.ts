/** Rows under titles, by cli-table3; on a screen that is too narrow for them, stacked: a cell per line, with its title. */
import Table from 'cli-table3';
import { columnsOf } from './quoted';
import type { Style } from './style';

/** A line over the whole width between rows. */
export interface Section {
  readonly section: string;
}
export type Row = readonly string[] | Section;

const INDENT = '  ';
const GAP = '  ';
/** No lines: the columns speak for themselves. */
const PLAIN = {
  ...Object.fromEntries(
    ['top', 'top-mid', 'top-left', 'top-right', 'bottom', 'bottom-mid', 'bottom-left', 'bottom-right'].map((name) => [
      name,
      '',
    ]),
  ),
  ...Object.fromEntries(['left', 'left-mid', 'mid', 'mid-mid', 'right', 'right-mid'].map((name) => [name, ''])),
  middle: GAP,
};

/** @param screen columns of the terminal; undefined: as wide as it gets. Cells may be coloured; they are one line each. */
export function table(titles: readonly string[], rows: readonly Row[], style: Style, screen?: number): string[] {
  const cells = rows.filter((row): row is readonly string[] => !('section' in row));
  const widths = titles.map((title, at) => Math.max(columnsOf(title), ...cells.map((row) => columnsOf(row[at] ?? ''))));
  const total = widths.reduce((sum, width) => sum + width + GAP.length, 0);
  if (screen !== undefined && total > screen) return stacked(titles, rows, style);
  const grid = new Table({
    chars: PLAIN,
    style: { head: [], border: [], 'padding-left': 0, 'padding-right': 0 },
    colWidths: widths,
  });
  // Sections stand between what cli-table3 lays out: a cell over all columns would widen the last one.
  grid.push([...titles], ...cells.map((row) => [...row]));
  const [head = '', ...lines] = grid
    .toString()
    .split('\n')
    .map((line) => INDENT + line.trimEnd());
  let at = 0;
  const body = rows.map((row) => ('section' in row ? INDENT + style.dim(row.section) : (lines[at++] ?? '')));
  return [style.bold(head), ...body];
}

function stacked(titles: readonly string[], rows: readonly Row[], style: Style): string[] {
  return rows.flatMap((row) => {
    if ('section' in row) return [INDENT + style.dim(row.section)];
    const [first = '', ...rest] = row;
    const lines = rest.flatMap((cell, at) =>
      cell === '' ? [] : [`${INDENT}  ${style.dim(`${titles[at + 1]}:`)} ${cell}`],
    );
    return [INDENT + first, ...lines];
  });
}
