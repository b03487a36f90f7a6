import fc from 'fast-check';
import { report } from '../chaos/support/report';

/** Inputs tried by the properties of this file, for docs/reliability.md. */
let inputs = 0;

function count<T>(out: fc.RunDetails<T>): void {
  inputs += out.numRuns;
  if (!out.failed) return;
  const { errorInstance } = out;
  const why = errorInstance instanceof Error ? errorInstance.stack : String(errorInstance);
  throw new Error(`${fc.defaultReportMessage(out)}\n\n${why}`);
}

/** The same cases every time; FUZZ_SEED, FUZZ_RUNS and FUZZ_MS look further. */
fc.configureGlobal({
  seed: Number(process.env.FUZZ_SEED ?? 20150514),
  numRuns: Number(process.env.FUZZ_RUNS ?? 400),
  interruptAfterTimeLimit: Number(process.env.FUZZ_MS ?? 60_000),
  reporter: count,
});

afterAll(() => report('inputs of properties', { inputs }));

export { fc };
