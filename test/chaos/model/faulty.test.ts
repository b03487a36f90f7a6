/**
 * Any commands, in any order, with hostile arguments, on a kernel that fails at any time. FUZZ_RUNS and FUZZ_SEED look
 * further. Invariants: callbacks once each; what the kernel gave and took is counted, and accounted for; 'close' once;
 * nothing is left open; nothing is thrown that has no code.
 */
import { fc } from '../../fuzz/settings';
import { report } from '../support/report';
import { uncaughtDuring } from '../support/uncaught';
import { commands } from './commands';
import { World } from './world';

const RUNS = Number(process.env.FUZZ_RUNS ?? 1500);
/** What dgram throws out of its queue and its ticks, and what our listeners throw. */
const EXPECTED = new Set(['BOOM', 'ERR_SOCKET_BUFFER_SIZE', 'ERR_SOCKET_DGRAM_NOT_RUNNING']);

test('sockets keep their promises, whatever is done to them', async () => {
  let executed = 0;
  let world: World | undefined;
  const thrown = (error: unknown) => {
    const { code } = (error ?? {}) as NodeJS.ErrnoException;
    if (!EXPECTED.has(String(code))) world?.faults.push(`uncaught ${(error as Error)?.stack ?? error}`);
  };
  await uncaughtDuring(async () => {
    const property = fc.asyncProperty(fc.commands([...commands], { maxCommands: 40 }), async (all) => {
      const current = new World();
      world = current;
      await fc.asyncModelRun(() => ({ model: {}, real: current }), all);
      const wrong = await current.verdict();
      executed += current.commands;
      if (wrong.length > 0) throw new Error(wrong.join('\n'));
    });
    await fc.assert(property, { numRuns: RUNS, interruptAfterTimeLimit: Number(process.env.FUZZ_MS ?? 30_000) });
  }, thrown);
  report('commands on a kernel that fails', { runs: RUNS, commands: executed });
  expect(executed).toBeGreaterThan(50); // whatever the time allowed
}, 3_600_000);
