/** Figures of a run for docs/reliability.md: a line of JSON each, in the file that CHAOS_REPORT names. */
import { appendFileSync } from 'node:fs';

export function report(what: string, figures: Readonly<Record<string, number | string>>): void {
  const { CHAOS_REPORT } = process.env;
  if (CHAOS_REPORT !== undefined) appendFileSync(CHAOS_REPORT, `${JSON.stringify({ what, ...figures })}\n`);
}
