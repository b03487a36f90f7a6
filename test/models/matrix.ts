/**
 * What the suite found, for `npm run matrix`: with MATRIX_OUT set, one JSON line for each system and feature is appended
 * there: { os, arch, runtime: 'model', feature, result }. `result`: 'modelled' when every test of the feature passed,
 * 'unsupported' where the OS has no such thing, 'failed'.
 */
import { appendFileSync } from 'node:fs';

export type Feature = 'receive' | 'reply' | 'dual-stack' | 'broadcast' | 'multicast' | 'link-local' | 'vanished source';

const RANK = ['unsupported', 'modelled', 'failed'] as const;
type Result = (typeof RANK)[number];

/** The worst that was seen, by system and feature. */
const results = new Map<string, Result>();

function note(name: string, feature: Feature, result: Result): void {
  const key = JSON.stringify([name, feature]);
  const known = results.get(key);
  if (known === undefined || RANK.indexOf(result) > RANK.indexOf(known)) results.set(key, result);
}

/** Wraps a test so that its outcome counts for a feature of the system `name`. */
export function counting<Args extends unknown[]>(
  name: string,
  feature: Feature,
  run: (...args: Args) => Promise<void>,
): (...args: Args) => Promise<void> {
  return async (...args) => {
    try {
      await run(...args);
      note(name, feature, 'modelled');
    } catch (error) {
      note(name, feature, 'failed');
      throw error;
    }
  };
}

export function unsupported(name: string, feature: Feature): void {
  note(name, feature, 'unsupported');
}

/** Call it once per test file, after everything. */
export function writeMatrix(): void {
  const file = process.env.MATRIX_OUT;
  if (file === undefined) return;
  for (const [key, result] of results) {
    const [name, feature] = JSON.parse(key);
    const [os, arch] = name.split('-');
    appendFileSync(file, `${JSON.stringify({ os, arch, runtime: 'model', feature, result })}\n`);
  }
}
