/** The table at the end: rows, what is expected, and what each subject does. */
import { type Row, SECTIONS, type Shape } from './rows';

/** One subject's result for one row. */
export interface Cell {
  readonly ok: boolean;
  readonly text: string;
}

export type Column = { readonly title: string; cell(row: Row, shape: Shape): Cell | undefined };

/** Columns of the subject's own: node:dgram once a section, ours once for each way to listen. */
export function printTable(columns: readonly Column[]): void {
  for (const { title, shapes, rows } of SECTIONS) {
    const shown = columns.flatMap((column) =>
      shapes
        .map((shape) => ({ shape, column, cells: rows.map((row) => column.cell(row, shape)) }))
        .filter(({ cells }) => cells.some((cell) => cell !== undefined)),
    );
    const names = shown.map(({ shape, column }) => column.title.replace('*', NAMES[shape]));
    const lines = rows.map((row, at) => [
      row.name,
      row.asked,
      row.expectation,
      ...shown.map(({ cells }) => {
        const cell = cells[at];
        return cell ? `${cell.ok ? '✓' : '✗'} ${cell.text}` : '';
      }),
    ]);
    console.log(`\n${title}`);
    for (const line of aligned([['request to', 'address', 'answer from', ...names], ...lines]))
      console.log(`  ${line}`);
  }
  console.log('');
}

const NAMES: Record<Shape, string> = { sockets: 'createSocket', server: 'createServer', dual: 'createSocket' };

function aligned(lines: readonly string[][]): string[] {
  const widths = (lines[0] ?? []).map((_, at) => Math.max(...lines.map((line) => line[at]?.length ?? 0)));
  return lines.map((line) =>
    line
      .map((text, at) => text.padEnd(widths[at] ?? 0))
      .join('  ')
      .trimEnd(),
  );
}
