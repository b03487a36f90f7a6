/**
 * From outside: strace makes the kernel's own calls fail. Whoever handles his errors gets his datagrams through, nothing
 * crashes, and what node:dgram survives we survive.
 */
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { type Ended, node, ROOT } from '../support/program';
import { report } from '../support/report';

const SURVIVOR = join(ROOT, 'test/chaos/programs/survivor.cjs');

/** Why it cannot be used here, if so. */
function obstacle(): string | undefined {
  const probe = spawnSync('strace', ['-qq', '-o', '/dev/null', '-e', 'inject=getppid:error=EPERM', 'true']);
  if (probe.error !== undefined) return 'no strace';
  return probe.status === 0 ? undefined : `strace may not trace here: ${String(probe.stderr).slice(0, 200)}`;
}

const why = obstacle();
if (why !== undefined) {
  if (process.env.CI === 'true') throw new Error(`system calls cannot be made to fail: ${why}`);
  console.warn(`skipped: ${why}`);
}
const testing = why === undefined ? test : test.skip;

/** @param inject in strace's words. Without a value it waits for 'when' in the whole process */
const under = (inject: string, module = 'recvfromto', ms = 15_000): Promise<Ended> => {
  const [call] = inject.split(':') as [string];
  return node([SURVIVOR, module], {
    under: ['strace', '-f', '-qq', '-o', '/dev/null', '-e', `trace=${call}`, '-e', `inject=${inject}`],
    timeout: 60_000,
    env: { SURVIVOR_MS: String(ms) },
  });
};

let runs = 0;
afterAll(() => report('system calls made to fail by strace', { runs }));

/** What a call fails with, once or now and then: `when` in strace's words. */
const transient: readonly [call: string, errnos: readonly string[], when: readonly string[]][] = [
  ['socket', ['EMFILE', 'ENOBUFS', 'EACCES', 'ENOMEM'], ['1..4']],
  ['setsockopt', ['EPERM', 'ENOMEM', 'ENOPROTOOPT'], ['1', '2', '3', '4+3']],
  ['bind', ['EADDRINUSE', 'EACCES', 'ENOMEM'], ['1..3']],
  ['getsockname', ['ENOBUFS', 'ENOMEM'], ['1', '2', '3']],
  ['recvmmsg,recvmsg', ['EINTR', 'EAGAIN', 'ENOMEM', 'ECONNREFUSED', 'EIO'], ['1+2']],
  ['sendmmsg,sendmsg', ['EINTR', 'EAGAIN', 'ENOMEM', 'ENOBUFS', 'EPERM'], ['1+3']],
  ['epoll_wait', ['EINTR'], ['1+2']],
  ['epoll_pwait', ['EINTR'], ['1+2']],
];

testing.each(transient)(
  '%s fails now and then: the datagrams come through',
  async (call, errnos, whens) => {
    for (const errno of errnos) {
      for (const when of whens) {
        const ended = await under(`${call}:error=${errno}:when=${when}`);
        runs++;
        expect([call, errno, when, ended.code, ended.signal, ended.stderr]).toEqual([call, errno, when, 0, null, '']);
      }
    }
  },
  240_000,
);

/** Failing for ever nothing can be done; but nothing crashes, and nothing spins. */
testing.each([
  ['socket', 'EMFILE'],
  ['bind', 'EADDRINUSE'],
  ['recvmmsg,recvmsg', 'ENOMEM'],
  ['sendmmsg,sendmsg', 'ENOBUFS'],
])(
  '%s fails for ever with %s: the program gives up by itself',
  async (call, errno) => {
    const ended = await under(`${call}:error=${errno}`, 'recvfromto', 2000);
    runs++;
    expect([ended.code, ended.signal]).toEqual([3, null]);
  },
  100_000,
);

/** libuv aborts where its own epoll_ctl fails, whoever asked for it. Nothing else may come of it. */
testing(
  'epoll_ctl fails: what libuv makes of it, as with node:dgram, and no more',
  async () => {
    const whens = Array.from({ length: 10 }, (_, i) => String(i + 4));
    const ends = { recvfromto: new Set<string>(), dgram: new Set<string>() };
    for (const when of whens) {
      for (const module of ['recvfromto', 'dgram'] as const) {
        const { code, signal, stderr } = await under(`epoll_ctl:error=ENOMEM:when=${when}`, module);
        runs++;
        ends[module].add(`${signal ?? code} ${/napi|FATAL|TypeError/.test(stderr)}`);
      }
    }
    expect(ends.dgram).toContain('SIGABRT false');
    for (const end of ends.recvfromto) expect(['0 false', 'SIGABRT false']).toContain(end);
  },
  240_000,
);
