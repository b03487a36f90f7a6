/**
 * The test suites that ship inside packages, run with the runner that each was written for: as they are, and with
 * recvfromto/register in NODE_OPTIONS, so that the processes they start have it too. Both outcomes must be the same.
 */
import { spawn } from 'node:child_process';
import { cpSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Report } from '../e2e/netns/report';
import { ip } from '../e2e/netns/topology';

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
  /** Arguments of node, in the package's directory. */
  readonly argv: readonly string[];
  /** What to read the outcome from. Without a match the exit code alone counts. */
  readonly summary: RegExp;
}

const tape = join(MODULES, 'tape/bin/tape');
const nodeunit = join(MODULES, 'nodeunit/bin/nodeunit');
const coffee = join(MODULES, 'coffee-script/bin/coffee');
const jest = join(ROOT, 'node_modules/jest/bin/jest.js');

const SUITES: readonly Suite[] = [
  { name: 'multicast-dns', argv: [tape, 'test.js'], summary: /^# (?:pass|fail) +\d+/gm },
  { name: 'bonjour', argv: [tape, 'test/*.js'], summary: /^# (?:pass|fail) +\d+/gm },
  {
    name: 'osc',
    argv: ['tests/node-all-tests.js'],
    summary: /\d+\/\d+ pass|Tests? (?:passed|failed).*|\d+ (?:assertions|tests) .*passed.*/gi,
  },
  { name: 'sip', argv: [coffee, 'test/runtests.coffee', 'parser', 'digest', 'rport'], summary: /^ok$/gm },
  { name: 'statsd', argv: ['run_tests.js'], summary: /\d+(?:\/\d+)? assertions(?: failed)?|assertions failed/g },
  { name: 'radius', argv: [nodeunit, 'test'], summary: /\d+(?:\/\d+)? assertions(?: failed)?/g },
  { name: 'stun', argv: [jest, '--runInBand', '--ci', '--coverage=false'], summary: /^Tests: .*/gm },
];

export async function suites(report: Report): Promise<Ran[]> {
  ip('route add 224.0.0.0/4 dev v0\n'); // what a default route does on other hosts
  const ran: Ran[] = [];
  for (const suite of SUITES) {
    const plain = await outcome(suite, {});
    const ours = await outcome(suite, { NODE_OPTIONS: `--require ${REGISTER}` });
    ran.push({ name: suite.name, plain, ours });
    report.check(`${suite.name}: its own tests end alike`, plain === ours, `${plain}; with register: ${ours}`);
    report.check(`${suite.name}: its own tests ran`, !plain.includes('hung'), plain);
  }
  return ran;
}

async function outcome({ name, argv, summary }: Suite, env: NodeJS.ProcessEnv): Promise<string> {
  // Some write beside themselves, and some runners do not look into node_modules.
  const directory = mkdtempSync(join(tmpdir(), 'recvfromto-suite-'));
  const cwd = join(directory, name);
  cpSync(join(MODULES, name), cwd, { recursive: true });
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
    const child = spawn(process.execPath, argv, {
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
