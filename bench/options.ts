/** The command line of the benchmark. */
import { parseArgs } from 'node:util';

export interface Options {
  /** Names of scenarios or cases; empty: all. */
  readonly only: readonly string[];
  readonly repetitions: number | undefined;
  readonly quick: boolean;
  readonly json: string | undefined;
  /** Results to write the documents from, instead of measuring. */
  readonly report: string | undefined;
  /** The folder that holds speed.md. */
  readonly docs: string;
  readonly limitMinutes: number;
}

export const USAGE = `npm run bench -- [options]
  --only echo64,flood   these scenarios or cases alone (nothing is written to docs/)
  --repetitions N       how often each is measured, taking turns
  --quick               under half a minute: does everything still run? The figures mean nothing, and are not written
  --json FILE           writes the results there
  --report FILE         measures nothing; writes docs/ from results of an earlier run
  --docs FOLDER         where speed.md is (default docs)
  --limit MINUTES       begins nothing new after that time (default 12)
A full run writes bench/ in that folder, and the tables of its speed.md. RECVFROMTO_DIST names another build to measure.`;

/** What was asked for makes no sense. */
export class UsageError extends Error {}

/** @throws UsageError, or parseArgs' own ERR_PARSE_ARGS_* */
export function optionsFrom(args: readonly string[]): Options | undefined {
  const { values } = parseArgs({
    args: [...args],
    options: {
      only: { type: 'string' },
      repetitions: { type: 'string' },
      quick: { type: 'boolean', default: false },
      json: { type: 'string' },
      report: { type: 'string' },
      docs: { type: 'string', default: 'docs' },
      limit: { type: 'string', default: '12' },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) return undefined;
  const repetitions = values.repetitions === undefined ? undefined : Number(values.repetitions);
  if (repetitions !== undefined && !(Number.isInteger(repetitions) && repetitions > 0)) {
    throw new UsageError('--repetitions: a number from 1');
  }
  const limitMinutes = Number(values.limit);
  if (!(limitMinutes > 0)) throw new UsageError('--limit: minutes');
  const only = values.only?.split(',').filter((name) => name !== '') ?? [];
  const { quick, json, report, docs } = values;
  return { only, repetitions, quick, json, report, docs, limitMinutes };
}
