/** Runs networks/NAME.sh: hosts made of namespaces. Needs root or user namespaces, ip(8) and python3. */
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { ROOT } from './example';

const NAMESPACES = ['--net', '--pid', '--mount', '--fork', '--kill-child', '--mount-proc'];
if (process.getuid?.() !== 0) NAMESPACES.push('--user', '--map-root-user');

const probe = spawnSync('unshare', [...NAMESPACES, 'sh', '-c', 'ip link set lo up && python3 -c 0'], {
  encoding: 'utf8',
});
/** Why there are none here. */
export const missing = probe.error?.message ?? (probe.status === 0 ? undefined : probe.stderr.trim());

/** → its standard output, line by line */
export function network(name: string, ...args: string[]): string[] {
  const script = join(__dirname, 'networks', `${name}.sh`);
  const { stdout, stderr, status } = spawnSync('unshare', [...NAMESPACES, 'bash', script, ...args], {
    cwd: ROOT,
    encoding: 'utf8',
    timeout: 30_000,
    killSignal: 'SIGKILL',
  });
  if (status !== 0) throw new Error(`${name}.sh ended with ${status}\n${stderr}`);
  return stdout.trim().split('\n');
}
