/** Where the time and the memory of one echo go: profiles of servers, recorded while they echo. */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { headOf, stepsOf } from '../profile';
import type { Profile, SubjectId } from '../results';
import type { Subject } from '../subjects';
import type { Context } from './case';
import { load } from './echo';
import { withServer } from './life';

/** Kept for viewers of such files; git ignores it. */
const FOLDER = join(__dirname, '..', '.cache', 'profiles');
const STEPS = 24;
const INFLIGHT = 64;

export const PROFILED: readonly SubjectId[] = ['message', 'register', 'dgram'];

export async function profileOf(subject: Subject, context: Context, measured: string): Promise<Profile> {
  mkdirSync(FOLDER, { recursive: true });
  const ms = context.quick ? 200 : 2000;
  return withServer(subject, {}, context, async (server) => {
    const recorded = async (kind: 'cpu' | 'heap') => {
      const file = join(FOLDER, `${subject.id}.${kind}profile`);
      const running = load({ server, subject, context, ms: ms * 1.5 }, {}, { inflight: INFLIGHT, warm: ms / 2 });
      await new Promise((resolve) => setTimeout(resolve, ms / 2));
      const { received } = await server.program.ask<{ received: number }>(`profile kind=${kind} ms=${ms} file=${file}`);
      await running;
      return headOf(stepsOf(file, received).steps, STEPS);
    };
    const cpu = await recorded('cpu');
    const heap = await recorded('heap');
    return { subject: subject.id, label: subject.label, inflight: INFLIGHT, cpu, heap, measured };
  });
}
