/** Runs the cases, one after the other: some share ports and groups. */
import type { Syscalls } from '../../../ffi/index';
import type { Platform } from '../../../platform/platform';
import { type Case, cases, type GroundAddress } from './cases';
import { expectedOf } from './expected';
import type { DeepFact } from './facts';
import { CannotTry, Kernel } from './kernel';

export interface Subject {
  readonly platform: Platform;
  readonly syscalls: Syscalls;
  readonly addresses: readonly GroundAddress[];
  /** ms to wait for a datagram */
  readonly patience: number;
}

export interface How {
  /** Is told what comes next. */
  readonly progress?: (about: string) => void;
  /** Tries what is malformed; else it is tried as all the others are. */
  readonly apart?: (one: Case) => Promise<DeepFact>;
}

export async function examine(subject: Subject, { progress, apart }: How = {}): Promise<DeepFact[]> {
  const facts: DeepFact[] = [];
  for (const one of cases) {
    progress?.(one.about);
    facts.push(one.malformed === true && apart !== undefined ? await apart(one) : await tried(one, subject));
  }
  return facts;
}

export async function tried(
  { name, about, run }: Case,
  { platform, syscalls, addresses, patience }: Subject,
): Promise<DeepFact> {
  const expected = expectedOf(name, platform.name);
  const kernel = new Kernel(platform, syscalls, patience);
  try {
    const observed = await run({ kernel, addresses });
    const result = expected === null ? 'new' : observed === expected.value ? 'as expected' : 'otherwise';
    return { name, about, observed, detail: '', expected, result };
  } catch (error) {
    const detail = (error as Error).message;
    const result = error instanceof CannotTry ? 'not tried' : 'otherwise';
    return { name, about, observed: null, detail, expected, result };
  } finally {
    kernel.close();
  }
}
