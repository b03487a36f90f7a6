/** Hostile calls at random, in a process of their own: a crash is an exit code here, and not the end of the suite. */
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';

const CALLS = 8 * Number(process.env.FUZZ_RUNS ?? 15_000);

test('more than 10⁵ hostile calls do not crash, and every error has a code', () => {
  const { stdout, stderr, status, signal } = spawnSync(process.execPath, [join(__dirname, 'libc-fuzz.cjs')], {
    encoding: 'utf8',
    timeout: 150_000,
  });
  expect({ stderr, status, signal }).toEqual({ stderr: '', status: 0, signal: null });
  const [calls, through] = stdout.match(/\d+/g)!.map(Number);
  expect(calls).toBe(CALLS);
  expect(through).toBeGreaterThan(CALLS / 50);
}, 160_000);
