/** Where it was measured, and whether anybody else was at work there meanwhile. */
import { readFileSync } from 'node:fs';
import { cpus, loadavg, release, totalmem, type } from 'node:os';

/** Of all cores together: above this share, others' work shows in the figures. */
const DISTURBING = 0.05;
const TICKS_PER_SECOND = 100;

export interface Machine {
  readonly cpu: string;
  readonly cores: number;
  readonly virtual: boolean;
  readonly memoryMB: number;
  readonly kernel: string;
  readonly versions: Readonly<Record<string, string>>;
  readonly date: string;
  readonly loadBefore: number;
  readonly loadAfter: number;
  /** Share of all cores' time that went to other programs, or to other machines on the same host; null: not known. */
  readonly others: number | null;
}

interface Ticks {
  readonly busy: number;
  readonly own: number;
  readonly at: number;
}

function read(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}

/** Ticks spent by the whole machine, and by this process and the children it has waited for (proc(5)). */
function ticks(): Ticks | undefined {
  const total = /^cpu +(\d+) (\d+) (\d+) \d+ \d+ (\d+) (\d+) (\d+)/m.exec(read('/proc/stat'));
  const own = read('/proc/self/stat').split(') ')[1]?.split(' ');
  if (total === null || own === undefined) return undefined;
  const sum = (words: readonly (string | undefined)[]) => words.reduce((all, word) => all + Number(word), 0);
  return { busy: sum(total.slice(1)), own: sum(own.slice(11, 15)), at: performance.now() };
}

/** Looks at the machine now, and once more when the returned function is called. */
export function observe(versions: Readonly<Record<string, string>>): () => Machine {
  const before = ticks();
  const loadBefore = loadavg()[0]!;
  return () => {
    const after = ticks();
    const cores = cpus().length;
    let others: number | null = null;
    if (before !== undefined && after !== undefined) {
      const foreign = after.busy - before.busy - (after.own - before.own);
      others = Math.max(0, foreign / TICKS_PER_SECOND / ((after.at - before.at) / 1000) / cores);
    }
    return {
      cpu: cpus()[0]?.model.trim() ?? 'unknown',
      cores,
      virtual: /^flags.* hypervisor/m.test(read('/proc/cpuinfo')),
      memoryMB: Math.round(totalmem() / 2 ** 20),
      kernel: `${type()} ${release()}`,
      versions,
      date: new Date().toISOString(),
      loadBefore,
      loadAfter: loadavg()[0]!,
      others,
    };
  };
}

/** To be said with every figure: that others were at work. */
export function disturbance({ others }: Machine): string {
  return others !== null && others > DISTURBING ? `, while others had ${(others * 100).toFixed(0)} % of the cores` : '';
}

/** What a reader of the figures must know about the machine. */
export function warningsAbout({ others, loadBefore, cores }: Machine): string[] {
  const warnings = [];
  if (loadBefore > cores / 2) warnings.push(`the load average was ${loadBefore.toFixed(2)} when the run began`);
  if (others !== null && others > DISTURBING) {
    warnings.push(`other programs had ${(others * 100).toFixed(0)} % of the cores' time during the run`);
  }
  return warnings;
}
