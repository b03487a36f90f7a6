/**
 * The test suites that ship inside packages, run with the runner that each was written for: as they are, and with
 * recvfromto/register in NODE_OPTIONS, so that the processes they start have it too. Both outcomes must be the same.
 */
import { spawn } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Report } from '../e2e/netns/report';

const ROOT = join(__dirname, '../..');
const MODULES = join(__dirname, 'node_modules');
const REGISTER = join(ROOT, 'dist/register.js');
/** A suite that hangs says as much as one that fails. */
const LIMIT = 60_000;

export interface Ran {
  readonly name: string;
  readonly plain: string;
  readonly ours: string;
}

interface Suite {
  readonly name: string;
  /** Packages that it wants to find in a node_modules of its own. */
  readonly beside?: readonly string[];
  /** Arguments of node, in the package's directory. */
  readonly argv: readonly string[];
  /** What to read the outcome from. Without a match the exit code alone counts. */
  readonly summary: RegExp;
}

const tape = join(MODULES, 'tape/bin/tape');
const nodeunit = join(MODULES, 'nodeunit/bin/nodeunit');
const coffee = join(MODULES, 'coffee-script/bin/coffee');
const jest = join(MODULES, 'jest/bin/jest.js');

const SUITES: readonly Suite[] = [
  { name: 'multicast-dns', argv: [tape, 'test.js'], summary: /^# (?:pass|fail) +\d+/gm },
  { name: 'bonjour', argv: [tape, 'test/*.js'], summary: /^# (?:pass|fail) +\d+/gm },
  {
    name: 'osc',
    beside: ['infusion', 'node-jqunit'],
    argv: ['--preserve-symlinks', 'tests/node-all-tests.js'],
    summary: /\d+\/\d+ total passed/g,
  },
  { name: 'sip', argv: [coffee, 'test/runtests.coffee', 'parser', 'digest', 'rport'], summary: /^ok$/gm },
  { name: 'statsd', argv: ['run_tests.js'], summary: /\d+(?:\/\d+)? assertions(?: failed)?|assertions failed/g },
  { name: 'radius', argv: [nodeunit, 'test'], summary: /\d+(?:\/\d+)? assertions(?: failed)?/g },
  {
    name: 'stun',
    // Without the file that asks a server on the Internet: how it fails depends on when the resolver gives up.
    argv: [jest, '--runInBand', '--ci', '--forceExit', '--coverage=false', '--testPathIgnorePatterns=test/net/request'],
    summary: /^Tests: .*/gm,
  },
];

/** A host with one address and a default route: one run after the other, as both use the same ports. */
const HOST = `ip link set lo up && ip link add s0 type veth peer name s1 && ip link set s1 up &&
  ip addr add 192.0.2.1/24 brd + dev s0 && ip link set s0 addrgenmode none up && ip route add default via 192.0.2.254 &&
  exec "$@"`;

export async function suites(report: Report): Promise<Ran[]> {
  const ran: Ran[] = [];
  for (const suite of SUITES) {
    let plain = '';
    let ours = '';
    // Some depend on the time of day, so to speak: they count timers. A difference has to show three times.
    for (let tries = 0; tries < 3 && (tries === 0 || plain !== ours); tries++) {
      plain = await outcome(suite, {});
      ours = await outcome(suite, { NODE_OPTIONS: `--require ${REGISTER}` });
    }
    ran.push({ name: suite.name, plain, ours });
    report.check(`${suite.name}: its own tests end alike`, plain === ours, `${plain}; with register: ${ours}`);
    report.check(`${suite.name}: its own tests ran`, /\d.*, (?:passed|exit \d+)$/.test(plain), plain);
  }
  return ran;
}

async function outcome({ name, argv, summary, beside = [] }: Suite, env: NodeJS.ProcessEnv): Promise<string> {
  // Some write beside themselves, and some runners do not look into node_modules.
  const directory = mkdtempSync(join(tmpdir(), 'recvfromto-suite-'));
  const cwd = join(directory, name);
  cpSync(join(MODULES, name), cwd, { recursive: true });
  mkdirSync(join(cwd, 'node_modules'), { recursive: true });
  for (const other of beside) symlinkSync(join(MODULES, other), join(cwd, 'node_modules', other));
  try {
    const { output, code } = await runs(argv, cwd, env);
    const found = [...output.matchAll(summary)].map(([line]) => line.replaceAll(/ +/g, ' ').trim());
    const counted = new Set(found).size === 1 && found.length > 1 ? [`${found.length} ${found[0]}`] : found;
    return [...counted, code === 0 ? 'passed' : code === null ? 'hung' : `exit ${code}`].join(', ');
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

function runs(argv: readonly string[], cwd: string, env: NodeJS.ProcessEnv) {
  return new Promise<{ output: string; code: number | null }>((resolve) => {
    const child = spawn('unshare', ['--net', 'sh', '-c', HOST, 'sh', process.execPath, ...argv], {
      cwd,
      env: { ...process.env, NODE_PATH: MODULES, NODE_OPTIONS: '', ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
      timeout: LIMIT,
      killSignal: 'SIGKILL',
    });
    let output = '';
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding('utf8').on('data', (text) => {
        output += text;
      });
    }
    child.on('close', (code) => {
      if (process.env.VERBOSE) console.error(`${argv.join(' ')} (${env.NODE_OPTIONS ?? ''}): ${code}\n${output}`);
      resolve({ output, code });
    });
  });
}
