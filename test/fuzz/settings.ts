import fc from 'fast-check';

/** The same cases every time; FUZZ_SEED and FUZZ_RUNS look further. */
fc.configureGlobal({
  seed: Number(process.env.FUZZ_SEED ?? 20150514),
  numRuns: Number(process.env.FUZZ_RUNS ?? 400),
  interruptAfterTimeLimit: 60_000,
});

export { fc };
