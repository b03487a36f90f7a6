/** System calls of a socket's life, beside those of node:dgram's, counted by strace. Linux. */
import { spawnSync } from 'node:child_process';
import { readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { compile, run } from './child';

const compiled = compile();
afterAll(() => compiled.remove());
jest.setTimeout(60_000);

const probe = spawnSync('strace', ['-f', '-c', '-qq', '-o', '/dev/null', 'true'], { encoding: 'utf8' });
const reason = probe.error === undefined ? (probe.status === 0 ? undefined : probe.stderr) : 'strace is missing';
if (reason !== undefined) {
  if (process.env.CI === 'true' && process.platform === 'linux') throw new Error(`cannot run: ${reason}`);
  console.warn(`test/runtime/lives is skipped: ${reason}`);
}
const traced = reason === undefined ? test : test.skip;

/** What starting costs is in both. */
const FEW = 20;
const MANY = 120;

interface Counted {
  readonly calls: number;
  readonly errors: number;
}

async function count(whose: 'dgram' | 'ours', what: 'bind' | 'query', lives: number): Promise<Counted> {
  const file = join(compiled.folder, `${whose}-${what}-${lives}.txt`);
  const under = ['strace', '-f', '-c', '-qq', '-o', file, '-e', 'trace=%network,epoll_ctl,close,fcntl,ioctl'];
  const { code, stderr } = await run(compiled.folder, 'lives.cjs', [whose, what, String(lives)], [], {}, under);
  expect([code, stderr]).toEqual([0, '']);
  // The last line: 100.00 seconds usecs/call calls [errors] total
  const total = readFileSync(file, 'utf8').trimEnd().split('\n').at(-1)!.trim().split(/\s+/);
  rmSync(file);
  return { calls: Number(total[3]), errors: total.length === 6 ? Number(total[4]) : 0 };
}

/** Of one life. */
async function each(whose: 'dgram' | 'ours', what: 'bind' | 'query'): Promise<Counted> {
  const [few, many] = [await count(whose, what, FEW), await count(whose, what, MANY)];
  const of = (name: keyof Counted) => (many[name] - few[name]) / (MANY - FEW);
  return { calls: of('calls'), errors: of('errors') };
}

// More than dgram's: IP_PKTINFO is asked for, and libuv's uv_poll_start() takes the descriptor out of its set, in case it is
// in it (uv__platform_invalidate_fd), which fails.
traced('binding and closing makes two system calls more than dgram, of which one fails', async () => {
  const [dgram, ours] = [await each('dgram', 'bind'), await each('ours', 'bind')];
  expect(ours.calls).toBeLessThan(dgram.calls + 2.5);
  expect(ours.errors).toBeLessThan(dgram.errors + 1.5);
});

// Less: dgram receives until there is nothing more. More: the port is asked for, as rinfo.destination has it.
traced('a socket for each question makes at most three system calls more than dgram', async () => {
  const [dgram, ours] = [await each('dgram', 'query'), await each('ours', 'query')];
  expect(ours.calls).toBeLessThan(dgram.calls + 3.5);
  expect(ours.errors).toBeLessThan(dgram.errors + 1.5);
});
