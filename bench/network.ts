/**
 * A network of its own, with a loopback on which all of fd00:bec::/64 is this host (AnyIP): a hundred thousand IPv6
 * peers need as many addresses, and of IPv6's there is but one on a loopback. Needs root or user namespaces.
 */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';

const SETUP = [
  'ip link set lo up',
  'ip -6 addr add fd00:bec::1/128 dev lo nodad',
  // Deprecated: the kernel answers from it only where a program says so.
  'ip -6 addr add fd00:bec::5/128 dev lo nodad preferred_lft 0',
  'ip -6 route add local fd00:bec::/64 dev lo',
  'echo ready',
  'exec cat',
].join(' && ');
const AS_ROOT = process.getuid?.() === 0;

export interface Network {
  /** The command, inside. */
  readonly inside: (command: readonly string[]) => string[];
  readonly close: () => void;
}

const tool = (name: string) => spawnSync(name, ['--version']).status === 0 || spawnSync(name, ['-V']).status === 0;

async function answer(holder: ChildProcess): Promise<boolean> {
  const ended = once(holder, 'exit').then(() => false);
  const said = once(holder.stdout!, 'data').then(() => true);
  return Promise.race([said, ended]).catch(() => false);
}

/** undefined where it cannot be had. Ends when its standard input does, so not after us. */
export async function openNetwork(): Promise<Network | undefined> {
  if (!['unshare', 'nsenter', 'ip'].every(tool)) return undefined;
  const own = AS_ROOT ? ['--net'] : ['--net', '--user', '--map-root-user'];
  const holder = spawn('unshare', [...own, 'sh', '-c', SETUP], { stdio: ['pipe', 'pipe', 'ignore'] });
  if (!(await answer(holder))) return undefined;
  holder.unref();
  const enter = [
    'nsenter',
    `--target=${holder.pid}`,
    '--net',
    ...(AS_ROOT ? [] : ['--user', '--preserve-credentials']),
  ];
  return { inside: (command) => [...enter, ...command], close: () => holder.kill() };
}
