/** Resident memory: the bare runtime, one idle socket, many idle sockets, and the greatest extent while echoing. */
import { setTimeout } from 'node:timers/promises';
import { memoryOf } from '../children';
import type { Sample } from '../results';
import type { Subject } from '../subjects';
import { load } from './echo';
import { type Case, type Context, type Scenario, withServer } from './scenario';

const SETTLE_MS = 300;
const FURTHER = 1000;
const QUICK_FURTHER = 50;

async function atRest(subject: Subject, sockets: number, context: Context): Promise<number> {
  return withServer(subject, { sockets }, context, async ({ program }) => {
    await setTimeout(context.quick ? 0 : SETTLE_MS);
    return memoryOf(program.pid, 'VmRSS') ?? Number.NaN;
  });
}

async function underLoad(subject: Subject, context: Context): Promise<number> {
  return withServer(subject, {}, context, async (server) => {
    await load(server, subject, context, {}, { inflight: 64, warm: 0, ms: context.quick ? 100 : 1000 });
    return memoryOf(server.program.pid, 'VmHWM') ?? Number.NaN;
  });
}

async function run(subject: Subject, _cases: readonly Case[], context: Context): Promise<Sample[]> {
  const bare = await atRest(subject, 0, context);
  const one = await atRest(subject, 1, context);
  const further = context.quick ? QUICK_FURTHER : FURTHER;
  const many = await atRest(subject, 1 + further, context);
  const loaded = await underLoad(subject, context);
  const metrics = {
    bareMB: bare / 1024,
    oneSocketMB: one / 1024,
    oneOverBareMB: (one - bare) / 1024,
    perFurtherKB: (many - one) / further,
    loadedMB: loaded / 1024,
  };
  return [{ case: 'memory', subject: subject.id, metrics }];
}

export const memory: Scenario = {
  name: 'memory',
  repetitions: 3,
  cases: [{ name: 'memory', quick: true }],
  run,
};
