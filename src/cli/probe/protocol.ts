/** What `probe` has to know of a protocol: a question that every server of it answers, and what the answer says. */
import type { ProtocolName } from './names';

/** The socket that asks: some protocols write it into the question. */
export interface Local {
  readonly address: string;
  readonly port: number;
}

export interface Question {
  readonly msg: Uint8Array;
  /** In a few words; undefined where it is no answer to this question. Never throws. */
  read(answer: Buffer): string | undefined;
}

export interface Protocol {
  readonly name: ProtocolName | 'hex' | 'any';
  /** Answers may come from another port than was asked. */
  readonly anyPort?: true;
  /** @param attempt from 0: where servers are set up to ignore one question, the next one is another */
  questions(attempt: number, local: Local, remote: Local): readonly Question[];
}

/** Reads, and takes what cannot be read for no answer. */
export function reading(read: (answer: Buffer) => string | undefined): Question['read'] {
  return (answer) => {
    try {
      return read(answer);
    } catch {
      return undefined;
    }
  };
}
