/** Runs suite.cjs in one runtime and reports what it printed. For main.ts here and ../qemu/main.ts. */
import { join } from 'node:path';
import { epitaph, run } from './child';
import type { Cell, Report } from './report';

export interface Where {
  /** For people: 'Node 24', 'Bun', 'riscv64'. */
  readonly label: string;
  readonly libc: string;
  readonly on: Cell['on'];
}

export interface Place extends Where {
  /** What runs a script. */
  readonly command: readonly string[];
  /** The whole suite may take so long, in seconds. */
  readonly seconds: number;
}

export interface Line {
  readonly runtime?: string;
  readonly version?: string;
  readonly os?: string;
  readonly arch?: string;
  readonly feature?: string;
  readonly name?: string;
  readonly result?: 'run' | 'unsupported' | 'skipped' | 'failed';
  readonly detail?: string;
  readonly done?: true;
  /** Of ../qemu/in-kernel.cjs. */
  readonly kernel?: string;
  readonly capabilities?: Readonly<Record<string, unknown>>;
  /** Of ../qemu/init.sh. */
  readonly doctor?: { readonly ok: boolean };
}

const WORLD = join(__dirname, 'world.sh');
const SUITE = join(__dirname, 'suite.cjs');

/** @returns what the suite said, for whoever wants to know more than the report has */
export async function runSuite(place: Place, dist: string, report: Report): Promise<readonly Line[]> {
  const { command, seconds } = place;
  const env = { SUITE_PATIENCE: String(seconds * 250) };
  const ended = await run([WORLD, ...command, SUITE, dist], seconds, env);
  const lines = linesOf(ended.stdout);
  reportSuite(place, lines, report, epitaph(ended));
  return lines;
}

export function linesOf(stdout: string): Line[] {
  return stdout.split('\n').flatMap((text): Line[] => (text.startsWith('{') ? [JSON.parse(text)] : []));
}

/** @param epitaph says how it ended, where it did not come to its end */
export function reportSuite(place: Where, lines: readonly Line[], report: Report, epitaph: string): void {
  const { label } = place;
  const [head, ...rest] = lines;
  report.heading(
    `${label}: ${head?.runtime} ${head?.version} on ${head?.os}-${head?.arch}, ${place.libc}, ${place.on}`,
  );
  for (const { feature, name, result, detail } of rest) {
    if (name === undefined) continue;
    const what = feature === undefined ? name : `${feature}: ${name}`;
    // A clear refusal is what an unsupported machine must give; main.ts and qemu say where they expect it.
    if (result === 'run' || result === 'unsupported') report.check(label, what, 'passed', detail);
    else report.check(label, what, result === 'skipped' ? 'skipped' : 'failed', detail);
  }
  if (!lines.some(({ done }) => done)) report.check(label, 'the suite came to its end', 'failed', epitaph);
  report.cells(cellsOf(place, lines));
}

/** A feature counts as run when all its checks were; one that was skipped has no cell. */
function cellsOf({ libc, on }: Where, [head, ...lines]: readonly Line[]): Cell[] {
  if (head === undefined) return [];
  const features = new Set(lines.flatMap(({ feature }) => (feature === undefined ? [] : [feature])));
  return [...features].flatMap((feature): Cell[] => {
    const checks = lines.filter((line) => line.feature === feature);
    const result = checks[0]!.result;
    if ((result !== 'run' && result !== 'unsupported') || checks.some((check) => check.result !== result)) return [];
    const detail = [...new Set(checks.map((check) => check.detail).filter(Boolean))].join('; ');
    const { os, arch, runtime, version } = head as Required<Line>;
    return [{ os, arch, libc, runtime, version, on, feature, result, detail }];
  });
}
