/**
 * Linux kernels that Debian ships, the oldest first, in machines of their own: qemu-system boots each with an initrd that is made
 * here of this machine's Node, the built package and init.sh. Translated, as qemu-user does: machines
 * for tests have no KVM, or one that fails.
 */
import { execFileSync, spawnSync } from 'node:child_process';
import {
  chmodSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { epitaph, run } from '../runtimes/child';
import { deepOf } from '../runtimes/deep';
import type { Report } from '../runtimes/report';
import { cache } from '../runtimes/stage';
import { type Line, linesOf, reportSuite } from '../runtimes/suite';

interface Kernel {
  readonly series: string;
  readonly suite: string;
  /** What it is too old for, of capabilities(). */
  readonly lacks: readonly string[];
}

const kernels: readonly Kernel[] = [
  // SO_RCVMARK came with 5.19.
  { series: '5.10', suite: 'bullseye', lacks: ['recvMark'] },
  { series: '6.1', suite: 'bookworm', lacks: [] },
];

const SECONDS = 420;
const PROGRAMS = ['/usr/bin/bash', '/usr/bin/unshare', '/usr/bin/env'];
/** What Debian has as modules: the network of world.sh, and a queue that heeds SO_TXTIME. */
const MODULES = ['drivers/net/veth', 'net/sched/sch_fq'];

export async function runKernels(stage: string, report: Report, unavailable: 'failed' | 'skipped'): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'kernels-'));
  try {
    for (const kernel of kernels) await boot(kernel, stage, folder, report, unavailable);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

async function boot(kernel: Kernel, stage: string, folder: string, report: Report, unavailable: 'failed' | 'skipped') {
  const { series, suite, lacks } = kernel;
  const label = `Linux ${series}`;
  const unpacked = join(cache, `debian/linux-${series}`);
  const fetched = await run([join(__dirname, 'kernel.sh'), suite, series, unpacked], 180);
  if (fetched.code !== 0) return report.check(label, 'is there', unavailable, epitaph(fetched));
  const release = readFileSync(join(unpacked, 'release'), 'utf8').trim();
  const initrd = join(folder, `initrd-${series}`);
  const said = join(folder, `said-${series}`);
  makeInitrd(initrd, stage, join(unpacked, 'lib/modules', release, 'kernel'), SECONDS);
  writeFileSync(said, '');
  const ended = await run(
    [
      ...['qemu-system-x86_64', '-accel', 'tcg', '-cpu', 'max', '-smp', '1', '-m', '1536'],
      ...['-kernel', join(unpacked, 'boot', `vmlinuz-${release}`), '-initrd', initrd],
      ...['-append', 'console=ttyS0 quiet panic=-1', '-no-reboot', '-nographic', '-nodefaults', '-net', 'none'],
      ...['-serial', 'stdio', '-serial', `file:${said}`],
    ],
    SECONDS,
  );
  const lines = linesOf(readFileSync(said, 'utf8'));
  const on = `Linux ${release.replace(/-cloud-amd64$/, '')}, qemu-system`;
  reportSuite({ label, libc: 'glibc', on }, lines, report, `${epitaph(ended)}\n${ended.stdout.slice(-1500)}`);
  const found = lines.find(({ capabilities }) => capabilities !== undefined);
  const missing = Object.entries(found?.capabilities ?? {}).flatMap(([name, value]) => (value === false ? [name] : []));
  const right = found?.kernel === release && missing.join() === lacks.join();
  const detail = `${found?.kernel}: ${missing.join(', ') || 'all of it'}${missing.length > 0 ? ' missing' : ''}`;
  doctor(label, lines, report);
  report.check(label, 'capabilities() says what this kernel has', right ? 'passed' : 'failed', detail);
}

/** What an older kernel does otherwise than the one that the expectations are of is told, and no fault. */
function doctor(label: string, lines: readonly Line[], report: Report): void {
  const said = lines.find((line) => line.doctor !== undefined)?.doctor;
  const deep = deepOf(JSON.stringify(said ?? null));
  const passed = said?.ok === true && deep !== undefined && deep.tried > 15;
  const detail =
    deep === undefined ? 'no report' : `${deep.tried} cases; ${deep.otherwise.join('; ') || 'as expected'}`;
  report.check(label, 'recvfromto doctor --deep: all is right', passed ? 'passed' : 'failed', detail);
}

/** Everything that the machine has: it has no disk. */
function makeInitrd(target: string, stage: string, modules: string, seconds: number): void {
  const root = `${target}.d`;
  for (const name of ['bin', 'proc', 'sys', 'dev', 'tmp', 'run', 'modules', 'suite', 'stage']) {
    mkdirSync(join(root, name), { recursive: true });
  }
  const busybox = whereIs('busybox');
  for (const program of [...PROGRAMS, busybox, whereIs('ip'), whereIs('tc'), process.execPath])
    withLibraries(root, program);
  copyFileSync(busybox, join(root, 'bin/busybox'));
  symlinkSync(process.execPath, join(root, 'bin/node'));
  for (const module of MODULES) {
    const file = join(modules, `${module}.ko`);
    if (existsSync(file)) copyFileSync(file, join(root, 'modules', basename(file)));
  }
  const suite = join(__dirname, '../runtimes');
  for (const name of readdirSync(suite)) {
    if (/^(suite|features|behaviour)\.cjs$|^(world|serve)\.sh$/.test(name))
      copyFileSync(join(suite, name), join(root, 'suite', name));
  }
  copyFileSync(join(__dirname, 'in-kernel.cjs'), join(root, 'suite/in-kernel.cjs'));
  copyFileSync(join(__dirname, 'init.sh'), join(root, 'init'));
  chmodSync(join(root, 'init'), 0o755);
  writeFileSync(join(root, 'settings'), `export SUITE_PATIENCE=${seconds * 60}\n`);
  const packages = dirname(stage);
  execFileSync('cp', ['-r', packages, join(root, 'stage/node_modules')]);
  const others = join(root, 'stage/node_modules/@koromix');
  for (const name of readdirSync(others)) {
    if (!name.endsWith('linux-x64')) rmSync(join(others, name), { recursive: true });
  }
  execFileSync('sh', ['-c', `find . | "${whereIs('busybox')}" cpio -o -H newc > "${target}"`], {
    cwd: root,
    stdio: 'pipe',
  });
  rmSync(root, { recursive: true });
}

/** A program, and the libraries that ldd(1) names. */
function withLibraries(root: string, program: string): void {
  // One that is static has none, and ldd says so by its exit code.
  const libraries = spawnSync('ldd', [program], { encoding: 'utf8' }).stdout.match(/\/\S+/g) ?? [];
  for (const file of [program, ...libraries]) {
    const target = join(root, file);
    if (existsSync(target)) continue;
    mkdirSync(dirname(target), { recursive: true });
    copyFileSync(file, target);
  }
}

function whereIs(program: string): string {
  return execFileSync('sh', ['-c', `command -v ${program}`], { encoding: 'utf8' }).trim();
}
