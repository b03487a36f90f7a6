/** The command line of the benchmark. */
import { parseArgs } from 'node:util';

export interface Options {
  /** Names of scenarios or cases; empty: all. */
  readonly only: readonly string[];
  /** Subjects to compare; empty: all that a case has. */
  readonly subjects: readonly string[];
  readonly quick: boolean;
  readonly json: string | undefined;
  /** Results to write the documents from, instead of measuring. */
  readonly report: string | undefined;
  /** Puts the results of --only in the place of the earlier ones. */
  readonly update: boolean;
  /** The folder that holds speed.md. */
  readonly docs: string;
  readonly writeDocs: boolean;
  readonly limitSeconds: number;
  readonly list: boolean;
  readonly realtime: boolean;
}

export const USAGE = `npm run bench -- [options]
  --only echo64,peers   these scenarios or cases alone
  --subjects dgram,c    only these servers
  --list                what there is
  --realtime            servers and load go before all else on this machine, which others use too (root, chrt)
  --limit SECONDS       shares that time out among the cases (default 2000; 15 for each case of --only)
  --quick               under two minutes: does everything still run? The figures mean nothing, and are not written
  --write-docs          writes docs/bench/ and the tables of docs/speed.md; what a run of everything does without it
  --update              the same after --only: other cases keep their results
  --json FILE           writes the results there
  --report FILE         measures nothing; writes the documents from results of an earlier run
  --docs FOLDER         where speed.md is (default docs)
RECVFROMTO_DIST names another build to measure (its index.js; register.js stands beside it).`;

/** What was asked for makes no sense. */
export class UsageError extends Error {}

const list = (words: string | undefined) => words?.split(',').filter((name) => name !== '') ?? [];

/** @throws UsageError, or parseArgs' own ERR_PARSE_ARGS_* */
export function optionsFrom(args: readonly string[]): Options | undefined {
  const { values } = parseArgs({
    args: [...args],
    options: {
      only: { type: 'string' },
      subjects: { type: 'string' },
      quick: { type: 'boolean', default: false },
      json: { type: 'string' },
      report: { type: 'string' },
      update: { type: 'boolean', default: false },
      'write-docs': { type: 'boolean', default: false },
      docs: { type: 'string', default: 'docs' },
      limit: { type: 'string' },
      list: { type: 'boolean', default: false },
      realtime: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) return undefined;
  const only = list(values.only);
  const { quick, json, report, docs, update, realtime } = values;
  const limitSeconds = values.limit === undefined ? Number.NaN : Number(values.limit);
  if (values.limit !== undefined && !(limitSeconds > 0)) throw new UsageError('--limit: seconds');
  if (update && only.length === 0) throw new UsageError('--update: goes with --only');
  if (update && values.subjects !== undefined) throw new UsageError('--update: whole cases, without --subjects');
  if (quick && (update || values['write-docs'])) throw new UsageError('--quick: its figures mean nothing');
  const whole = only.length === 0 && values.subjects === undefined && !quick;
  const writeDocs = values['write-docs'] || update || report !== undefined || whole;
  return {
    only,
    subjects: list(values.subjects),
    quick,
    json,
    report,
    docs,
    update,
    writeDocs,
    limitSeconds,
    list: values.list,
    realtime,
  };
}
