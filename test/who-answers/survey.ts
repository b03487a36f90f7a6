/** Starts one server, asks it from another host, and looks at how its sockets are bound. */
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, mkdirSync, openSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { AnswerFact, Facts as ProbeFacts } from '../../src/cli/probe/facts';
import type { Client } from '../e2e/netns/topology';
import { run } from '../runtimes/child';
import type { Program, Setup } from './programs';

const MAIN = join(__dirname, '../../dist/cli/main.js');

/** What is asked, from the other host: the first one is what the kernel would choose towards it. */
export const ADDRESSES = {
  IPv4: ['10.77.0.1', '10.77.0.2', '10.88.0.2', '10.99.0.1'],
  IPv6: ['fd77::1', 'fd77::2', 'fd88::2', 'fd99::1'],
  'link-local': ['fe80::1%v1', 'fe80::2%v1'],
} as const;
export type Way = keyof typeof ADDRESSES;

export interface Finding {
  readonly program: Program;
  readonly setup: Setup;
  /** To the first questions after its start, and to the same ones asked again. */
  readonly first: readonly AnswerFact[];
  readonly answers: readonly AnswerFact[];
  /** `all addresses`, `each address`: how its sockets are bound, by family. */
  readonly bound: Readonly<Record<'IPv4' | 'IPv6', string>>;
  /** What it said, for when it did not answer. */
  readonly log: string;
}

/** Seconds in which a server has to be up. */
const PATIENCE = 20;

export async function survey(program: Program, setup: Setup, client: Client, folder: string): Promise<Finding> {
  mkdirSync(folder, { recursive: true });
  for (const [name, text] of Object.entries(setup.files)) writeFileSync(join(folder, name), text);
  const [command, ...args] = setup.command(folder);
  const log = openSync(join(folder, 'log'), 'w');
  const child = spawn(command as string, args, { stdio: ['ignore', log, log], detached: true });
  const ended = once(child, 'close');
  try {
    await up(program, client, () => child.exitCode !== null);
    const ask = () => probe(program, client, Object.values(ADDRESSES).flat(), ['--timeout', '700', '--tries', '4']);
    // Twice: what sits in a queue before a program asks for destinations comes without one.
    const first = await ask();
    const answers = await ask();
    return { program, setup, first, answers, bound: bindings(program.port), log: '' };
  } catch (error) {
    const said = readFileSync(join(folder, 'log'), 'utf8').slice(-2000);
    return {
      program,
      setup,
      first: [],
      answers: [],
      bound: { IPv4: '', IPv6: '' },
      log: `${(error as Error).message}\n${said}`,
    };
  } finally {
    // With the children that it has; one that has ended takes its group along.
    if (child.exitCode === null && child.pid !== undefined) process.kill(-child.pid, 'SIGKILL');
    await ended;
    closeSync(log);
  }
}

/** Until any address of any family is answered. @throws when it takes too long */
async function up(program: Program, client: Client, gone: () => boolean): Promise<void> {
  const end = performance.now() + PATIENCE * 1000;
  const some = [...ADDRESSES.IPv4.slice(0, 1), ...ADDRESSES.IPv6.slice(0, 1)];
  while (performance.now() < end && !gone()) {
    const answers = await probe(program, client, some, ['--timeout', '300', '--tries', '3']);
    if (answers.some(({ from }) => from !== null)) return;
  }
  throw new Error(gone() ? 'it ended' : `no answer within ${PATIENCE} s`);
}

async function probe(
  { port, protocol }: Program,
  client: Client,
  addresses: readonly string[],
  options: readonly string[],
): Promise<readonly AnswerFact[]> {
  const command = [...client.enter, process.execPath, MAIN, 'probe', String(port), ...addresses];
  const { stdout, stderr } = await run([...command, '--protocol', protocol, ...options, '--json'], 60);
  if (stdout === '') throw new Error(`probe: ${stderr}`);
  return (JSON.parse(stdout) as ProbeFacts).answers;
}

/** Local addresses of the sockets on this port, by ss(8), which also knows those that are connected. */
function bindings(port: number): Finding['bound'] {
  const lines = execFileSync('ss', ['-Hlnu', `sport = :${port}`], { encoding: 'utf8' }).split('\n');
  const local = lines.flatMap((line) => line.trim().split(/\s+/)[3] ?? []).map((text) => text.replace(/:\d+$/, ''));
  const of = (all: readonly string[], wildcards: readonly string[]) => {
    if (all.length === 0) return 'not at all';
    return all.some((address) => wildcards.includes(address.replace(/%.*/, ''))) ? 'all addresses' : 'each address';
  };
  const v6 = local.filter((address) => address.startsWith('['));
  const v4 = local.filter((address) => !address.startsWith('[') && address !== '*');
  // ss writes * for a socket of both families.
  const both = local.includes('*');
  const families = { IPv4: of(v4, ['0.0.0.0']), IPv6: of(v6, ['[::]']) };
  return both ? { IPv4: 'all addresses, in one socket', IPv6: 'all addresses, in one socket' } : families;
}
