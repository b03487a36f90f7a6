/** The CPU time of a process with all its threads and children, to the nanosecond (schedstat, proc(5)). */
import { readdirSync, readFileSync } from 'node:fs';

const words = (path: string) =>
  readFileSync(path, 'utf8')
    .trim()
    .split(/\s+/)
    .filter((word) => word !== '');

/** @throws where the process is gone, or the kernel keeps no such count */
export function cpuNsOf(pid: number): number {
  let sum = 0;
  for (const task of readdirSync(`/proc/${pid}/task`)) {
    sum += Number(words(`/proc/${pid}/task/${task}/schedstat`)[0]);
    for (const child of words(`/proc/${pid}/task/${task}/children`)) sum += cpuNsOf(Number(child));
  }
  return sum;
}
