/** Who holds which socket: /proc/PID/fd (proc(5)). Processes of others are closed to all but root, and left out. */
import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { join } from 'node:path';

export interface Program {
  readonly pid: number;
  /** Its name, as the kernel has it: 15 characters. */
  readonly name: string;
}

export interface Programs {
  /** By inode of the socket. */
  readonly holders: ReadonlyMap<number, readonly Program[]>;
  /** Processes whose descriptors could not be read. */
  readonly closed: number;
}

/** @param progress called now and then */
export function programs(proc: string, progress: (done: number, of: number) => void = () => {}): Programs {
  const holders = new Map<number, Program[]>();
  const pids = readdirSync(proc).filter((name) => /^\d+$/.test(name));
  let closed = 0;
  for (const [at, pid] of pids.entries()) {
    progress(at, pids.length);
    const inodes = socketsOf(join(proc, pid, 'fd'));
    if (inodes === undefined) closed++;
    else if (inodes.size > 0) {
      const program = { pid: Number(pid), name: nameOf(join(proc, pid, 'comm')) };
      for (const inode of inodes) holders.set(inode, [...(holders.get(inode) ?? []), program]);
    }
  }
  return { holders, closed };
}

/** undefined: not allowed. A process that has ended meanwhile has none. */
function socketsOf(folder: string): Set<number> | undefined {
  const inodes = new Set<number>();
  try {
    for (const fd of readdirSync(folder)) {
      const [, inode] = /^socket:\[(\d+)\]$/.exec(linkOf(join(folder, fd))) ?? [];
      if (inode !== undefined) inodes.add(Number(inode));
    }
  } catch (error) {
    if (['EACCES', 'EPERM'].includes((error as NodeJS.ErrnoException).code ?? '')) return undefined;
  }
  return inodes;
}

function linkOf(path: string): string {
  try {
    return readlinkSync(path);
  } catch {
    return '';
  }
}

function nameOf(path: string): string {
  try {
    return readFileSync(path, 'utf8').trimEnd();
  } catch {
    return '?';
  }
}
