/** What `doctor --deep` tries, sees and expects. `--json` prints it as it is, so keys stay. */
import type { Platform } from '../../../platform/platform';

/** What an OS is expected to do, and how that is known. */
export interface Expected {
  readonly value: string;
  /** `run`: its kernel code did it. `read`: its sources say so. */
  readonly known: 'run' | 'read';
}

export interface DeepFact {
  readonly name: string;
  /** What was tried. */
  readonly about: string;
  /** What the kernel did; null where it could not be tried, and `detail` says why. */
  readonly observed: string | null;
  readonly detail: string;
  /** null where nobody knows. */
  readonly expected: Expected | null;
  /** `new`: nothing was expected. */
  readonly result: 'as expected' | 'otherwise' | 'new' | 'not tried';
}

export type ByPlatform = Readonly<Partial<Record<Platform['name'], Expected>>>;
