/** What one check found. */
import type { Check } from './facts';

export type Finding = Pick<Check, 'result' | 'detail'>;

export const pass = (detail: string): Finding => ({ result: 'pass', detail });
export const fail = (detail: string): Finding => ({ result: 'fail', detail });
/** There was nothing to see. */
export const skip = (detail: string): Finding => ({ result: 'skip', detail });
