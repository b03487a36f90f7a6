/**
 * Tries a case in a process of its own: a kernel takes a malformed message or refuses it, but what stands between (an
 * emulator of another CPU, a sandbox) may fall over it, and nothing else that was found out must be lost then.
 */
import { execFile } from 'node:child_process';
import type { Case } from './cases';
import { expectedOf } from './expected';
import type { DeepFact } from './facts';

/** ms; a process that starts slowly has still time. */
const PATIENCE = 20_000;

/** @param platform whose expectations count where nothing was seen */
export function triedApart({ name, about }: Case, platform: string): Promise<DeepFact> {
  const args = [...process.execArgv, process.argv[1] ?? '', 'doctor', '--case', name];
  const nothing = (detail: string): DeepFact => {
    return { name, about, observed: null, detail, expected: expectedOf(name, platform), result: 'not tried' };
  };
  return new Promise((done) => {
    execFile(process.execPath, args, { timeout: PATIENCE }, (error, stdout) => {
      try {
        done(JSON.parse(stdout) as DeepFact);
      } catch {
        const { signal, code } = (error ?? {}) as { signal?: string | null; code?: unknown };
        done(nothing(`a process of its own could not try it (${signal ?? code ?? 'no output'})`));
      }
    });
  });
}
