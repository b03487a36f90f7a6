// Records a profile of this process from inside, while it serves: a .cpuprofile, or a .heapprofile of everything that was
// allocated meanwhile (not only of what is still alive, which is all that --heap-prof would keep).
import { writeFileSync } from 'node:fs';
import { Session } from 'node:inspector/promises';
import { setTimeout } from 'node:timers/promises';

const MICROSECONDS_BETWEEN_SAMPLES = 100;
const BYTES_BETWEEN_SAMPLES = 4096;

const KINDS = {
  async cpu(session, ms) {
    await session.post('Profiler.enable');
    await session.post('Profiler.setSamplingInterval', { interval: MICROSECONDS_BETWEEN_SAMPLES });
    await session.post('Profiler.start');
    await setTimeout(ms);
    return (await session.post('Profiler.stop')).profile;
  },
  async heap(session, ms) {
    await session.post('HeapProfiler.startSampling', {
      samplingInterval: BYTES_BETWEEN_SAMPLES,
      includeObjectsCollectedByMajorGC: true,
      includeObjectsCollectedByMinorGC: true,
    });
    await setTimeout(ms);
    return (await session.post('HeapProfiler.stopSampling')).profile;
  },
};

export async function record({ kind, ms, file }) {
  const { counters } = await import('./control.mjs');
  const session = new Session();
  session.connect();
  const before = counters.received;
  const profile = await KINDS[kind](session, Number(ms));
  session.disconnect();
  writeFileSync(file, JSON.stringify(profile));
  return { file, received: counters.received - before };
}
