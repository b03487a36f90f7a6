/** What `doctor --deep --json` says of a kernel: what it did otherwise than expected, and how much could be tried. */
import type { DeepFact } from '../../src/cli/doctor/deep/facts';

export interface Deep {
  readonly otherwise: readonly string[];
  readonly tried: number;
}

/** undefined where it is no report. */
export function deepOf(stdout: string): Deep | undefined {
  let facts: readonly DeepFact[] | null;
  try {
    facts = (JSON.parse(stdout) as { deep: readonly DeepFact[] | null }).deep;
  } catch {
    return undefined;
  }
  if (!facts) return undefined;
  const otherwise = facts.filter(({ result }) => result === 'otherwise');
  return {
    otherwise: otherwise.map(({ name, observed, detail }) => `${name}: ${observed ?? detail}`),
    tried: facts.filter(({ observed }) => observed !== null).length,
  };
}

/** Of this machine's own kernel, whose habits the expectations of Linux are. */
export function asExpected(stdout: string): boolean {
  const deep = deepOf(stdout);
  return deep !== undefined && deep.otherwise.length === 0 && deep.tried > 15;
}
