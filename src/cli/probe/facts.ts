/** What `probe` finds out. `--json` prints it as it is, so keys stay; what is not known is null. */
import type { Prediction } from '../prediction';

export interface Facts {
  readonly port: number;
  /** The protocol asked in; `any`: in all of them. */
  readonly protocol: string;
  /**
   * `right`: every answer came from the asked address. `wrong`: one came from elsewhere. `unknown`: there was no answer,
   * or only such as prove nothing.
   */
  readonly verdict: 'right' | 'wrong' | 'unknown';
  readonly answers: readonly AnswerFact[];
  /** Addresses of this machine that were not asked, because there are so many. */
  readonly addressesNotAsked: number;
}

/**
 * `right`: from the asked address and port. `wrong`: from another address. `otherPort`: from the asked address, but another
 * port, where the protocol has none of that. `silent`: no answer came. `refused`: nobody listens there. `failed`: it
 * could not be asked.
 */
export type Verdict = 'right' | 'wrong' | 'otherPort' | 'silent' | 'refused' | 'failed';

export interface AnswerFact {
  /** The address asked. */
  readonly asked: string;
  /** As it was given on the command line; null for addresses of this machine. */
  readonly host: string | null;
  /** The client's own address; null where routing chose it and nobody answered. */
  readonly askedBy: string | null;
  readonly verdict: Verdict;
  /** The source that the client saw. */
  readonly from: { readonly address: string; readonly port: number } | null;
  /** What the answer says, in a few words. */
  readonly says: string | null;
  /** Code of the error that kept it from being asked. */
  readonly error: string | null;
  /**
   * Would a server that leaves the choice to the kernel have answered from elsewhere? Only then does a right answer prove
   * something. null: cannot be known, as of other hosts.
   */
  readonly proves: boolean | null;
  /** What clients of each network would see of a server that leaves the choice to the kernel. Nothing was sent to them. */
  readonly predicted: readonly Prediction[];
}
