/** Every pointer that reaches libc, under a checker in C. */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { node, ROOT } from '../support/program';
import { report } from '../support/report';

const directory = mkdtempSync(join(tmpdir(), 'recvfromto-checker-'));
afterAll(() => rmSync(directory, { recursive: true, force: true }));

const [checker, violations] = [join(directory, 'checker.so'), join(directory, 'violations')];
const compile = (...args: string[]) => spawnSync('cc', args, { cwd: __dirname, encoding: 'utf8' });

/** Why it cannot be used here, if so. */
function obstacle(): string | undefined {
  if (process.arch !== 'x64' && process.arch !== 'arm64') return 'written for 64 bits';
  if (compile('--version').status !== 0) return 'no C compiler';
  const probe = spawnSync('getconf', ['GNU_LIBC_VERSION']);
  if (probe.status !== 0) return 'not glibc';
  const { status, stderr } = compile('-O2', '-Wall', '-shared', '-fPIC', '-o', checker, 'checker.c', '-lpthread');
  if (status !== 0) throw new Error(stderr);
  const { status: other, stderr: text } = compile('-O1', '-w', '-o', violations, 'violations.c');
  if (other !== 0) throw new Error(text);
  return undefined;
}

const why = obstacle();
if (why !== undefined && process.env.CI === 'true') throw new Error(`the checker cannot be built: ${why}`);
const testing = why === undefined ? test : test.skip;
const MS = Number(process.env.CHAOS_TRAFFIC_MS ?? 3000);
const log = join(directory, 'log');

testing.each([
  [1, 'are in no block'],
  [2, 'overlaps'],
  [3, 'are in no block'],
  [4, 'msg_flags'],
  [5, 'has 0 bytes'],
  [6, 'has 16 bytes'],
  [7, 'may block'],
  [8, 'are in no block'],
  [9, 'overlaps'],
  [10, 'sa_family 77'],
  [11, 'cmsg_len 32'],
  [12, 'are in no block'],
  [13, 'are in no block'],
])('the checker finds violation %i: %s', (which, text) => {
  const { signal, stderr } = spawnSync(violations, [String(which)], { env: { LD_PRELOAD: checker }, encoding: 'utf8' });
  expect([signal, stderr]).toEqual(['SIGABRT', expect.stringContaining(text)]);
});

testing('the checker finds nothing in a call that is as it should be', () => {
  const { status, stdout } = spawnSync(violations, ['0'], { env: { LD_PRELOAD: checker }, encoding: 'utf8' });
  expect([status, stdout]).toEqual([0, 'not found\n']);
});

interface Figures {
  readonly calls: number;
  readonly messages: number;
  readonly pointers: number;
  readonly poisoned: number;
  readonly shortened: number;
}

async function underChecker(env: NodeJS.ProcessEnv) {
  rmSync(log, { force: true });
  const ended = await node([join(ROOT, 'test/chaos/programs/traffic.cjs'), String(MS)], {
    flags: ['--expose-gc'],
    env: { ...env, LD_PRELOAD: checker, CHECKER_LOG: log },
    timeout: MS * 5 + 30_000,
  });
  expect(ended).toMatchObject({ code: 0, signal: null, stderr: '' });
  const { datagrams } = JSON.parse(ended.stdout) as { datagrams: number };
  const figures = existsSync(log) ? (JSON.parse(readFileSync(log, 'utf8')) as Figures) : undefined;
  expect(figures).toBeDefined();
  return { datagrams, ...(figures as Figures) };
}

testing(
  'all kinds of traffic: no bad pointer, length or overlap, and nothing is read that the kernel has not written',
  async () => {
    const figures = await underChecker({});
    report('pointers under the checker', figures);
    expect(figures.datagrams).toBeGreaterThan(1000);
    expect(figures.messages).toBeGreaterThan(figures.datagrams);
    expect(figures.poisoned).toBeGreaterThan(0);
  },
  MS * 6 + 40_000,
);

testing(
  'the same where batches are cut short and calls are interrupted',
  async () => {
    const figures = await underChecker({ CHECKER_SHORT: '7', TRAFFIC_SEED: '2' });
    report('pointers under the checker, batches cut short', figures);
    expect(figures.shortened).toBeGreaterThan(10);
  },
  MS * 6 + 40_000,
);
