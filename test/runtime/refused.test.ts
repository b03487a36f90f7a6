/** System calls that a sandbox refuses (seccomp filters, gVisor): strace answers them in the kernel's place. Linux. */
import { spawnSync } from 'node:child_process';
import { compile, run } from './child';

const compiled = compile();
afterAll(() => compiled.remove());
jest.setTimeout(30_000);

const probe = spawnSync('strace', ['-qq', '-e', 'inject=getppid:error=EPERM', 'true'], { encoding: 'utf8' });
const reason = probe.error === undefined ? (probe.status === 0 ? undefined : probe.stderr) : 'strace is missing';
if (reason !== undefined) {
  if (process.env.CI === 'true' && process.platform === 'linux') throw new Error(`cannot run: ${reason}`);
  console.warn(`test/runtime/refused is skipped: ${reason}`);
}
const traced = reason === undefined ? test : test.skip;

const strace = (...injected: string[]) => [
  'strace',
  ...['-f', '-qq', '-o', '/dev/null'],
  ...injected.flatMap((each) => ['-e', `inject=${each}`]),
];
const asked = async (...injected: string[]) => {
  const { stdout, ...outcome } = await run(compiled.folder, 'refused.cjs', [], [], {}, strace(...injected));
  expect(outcome).toEqual({ code: 0, signal: null, stderr: '' });
  return JSON.parse(stdout);
};
const all = { heard: 100, from: ['127.0.0.2'], errors: [] };

traced.each([
  [['recvmmsg:error=ENOSYS'], ['recvmmsg']],
  [['sendmmsg:error=ENOSYS'], ['sendmmsg']],
  [
    ['recvmmsg:error=EPERM', 'sendmmsg:error=EPERM'],
    ['recvmmsg', 'sendmmsg'],
  ],
])('%p: datagrams come and go, and it is told', async (injected, refused) => {
  expect(await asked(...injected)).toEqual({ ...all, refused });
});

traced('nothing is refused: nothing is told', async () => {
  expect(await asked('getppid:error=EPERM')).toEqual({ ...all, refused: [] });
});
