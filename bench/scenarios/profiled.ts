/** Where the time and the memory of one echo go: profiles of recvfromto's servers, recorded while they echo. */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { headOf, type Step, stepsOf } from '../profile';
import type { Subject, SubjectId } from '../subjects';
import { load } from './echo';
import { type Context, withServer } from './scenario';

export interface Profile {
  readonly subject: SubjectId;
  readonly label: string;
  readonly inflight: number;
  /** Own time per datagram, in ns; system calls are in the function that makes them. */
  readonly cpu: readonly Step[];
  /** Allocated on V8's heap per datagram, in bytes. */
  readonly heap: readonly Step[];
}

/** Kept for `--cpu-prof` viewers; git ignores it. */
const FOLDER = join(__dirname, '..', '.cache', 'profiles');
const STEPS = 24;
const INFLIGHT = 64;

export const PROFILED: readonly SubjectId[] = ['message', 'messages', 'dgram'];

export async function profileOf(subject: Subject, context: Context): Promise<Profile> {
  mkdirSync(FOLDER, { recursive: true });
  const ms = context.quick ? 200 : 2000;
  return withServer(subject, {}, context, async (server) => {
    const recorded = async (kind: 'cpu' | 'heap') => {
      const file = join(FOLDER, `${subject.id}.${kind}profile`);
      const running = load(server, subject, context, {}, { inflight: INFLIGHT, warm: ms / 2, ms: ms * 1.5 });
      await new Promise((resolve) => setTimeout(resolve, ms / 2));
      const { received } = await server.program.ask<{ received: number }>(`profile kind=${kind} ms=${ms} file=${file}`);
      await running;
      return headOf(stepsOf(file, received).steps, STEPS);
    };
    const cpu = await recorded('cpu');
    return { subject: subject.id, label: subject.label, inflight: INFLIGHT, cpu, heap: await recorded('heap') };
  });
}
