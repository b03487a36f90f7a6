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
const under = (inject: string, module = 'recvfromto'): Promise<Ended> => {
  const [call] = inject.split(':') as [string];
  return node([SURVIVOR, module], {
    under: ['strace', '-f', '-qq', '-o', '/dev/null', '-e', `trace=${call}`, '-e', `inject=${inject}`],
    timeout: 60_000,
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
  ['recvmmsg', ['EINTR', 'EAGAIN', 'ENOMEM', 'ECONNREFUSED', 'EIO'], ['1+2']],
  ['sendmmsg', ['EINTR', 'EAGAIN', 'ENOMEM', 'ENOBUFS', 'EPERM'], ['1+2']],
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
  ['recvmmsg', 'ENOMEM'],
  ['sendmmsg', 'ENOBUFS'],
])(
  '%s fails for ever with %s: the program gives up by itself',
  async (call, errno) => {
    const ended = await under(`${call}:error=${errno}`);
    runs++;
    expect([ended.code, ended.signal]).toEqual([3, null]);
  },
  100_000,
);

/** libuv aborts where its own epoll_ctl fails; so does dgram then. */
testing(
  'epoll_ctl fails once: no worse than node:dgram',
  async () => {
    for (const when of ['8', '9', '10', '11', '12']) {
      const inject = `epoll_ctl:error=ENOMEM:when=${when}`;
      const [ours, theirs] = await Promise.all([under(inject), under(inject, 'dgram')]);
      runs++;
      if (theirs.code === 0) expect([when, ours.code, ours.signal]).toEqual([when, 0, null]);
      else expect([when, ours.signal]).toEqual([when, ours.code === 0 ? null : theirs.signal]);
    }
  },
  240_000,
);
