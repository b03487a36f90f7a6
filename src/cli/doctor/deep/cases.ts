/**
 * Where kernels differ from each other, one case each: what is tried, and in a word or two what came of it. They run on this
 * machine, and on the models of other kernels. Everything stays on the machine: loopback addresses, its own, and groups of
 * the interface.
 */
import { binding } from './binding';
import type { Case } from './ground';
import { hearing } from './hearing';
import { sending } from './sending';

export type { Case, Ground, GroundAddress } from './ground';

export const cases: readonly Case[] = [...hearing, ...sending, ...binding];
