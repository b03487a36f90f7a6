/** Starts all programs on wildcard addresses, asks each address of the server, and says who was answered rightly. */
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { run } from '../e2e/netns/programs';
import type { Client } from '../e2e/netns/topology';
import { PROGRAMS, type Program } from './programs';

const ROOT = join(__dirname, '../..');

/** Requests to each kind of address that one server has. */
export const IPV4 = ['10.77.0.1', '10.77.0.2', '10.88.0.2', '10.99.0.1'] as const;
export const IPV6 = ['fd77::1', 'fd77::2', 'fd88::2', 'fd99::1'] as const;
export const LINK_LOCAL = ['fe80::1', 'fe80::2'] as const;
/** Addresses of the server that a group or broadcast request may be answered from. */
const UNICAST: readonly string[] = ['10.77.0.1', '10.77.0.2', '10.77.0.3', 'fd77::1', 'fd77::2', 'fd77::3'];

export type Way = 'IPv4' | 'mapped' | 'IPv6' | 'link-local' | 'group';

/** How one program did on one way to it. */
export interface Finding {
  readonly program: Program;
  readonly way: Way;
  /** By address: what was wrong, '' for nothing. */
  readonly results: ReadonlyMap<string, string>;
}

interface Job {
  readonly id: string;
  readonly family: 4 | 6;
  readonly port: number;
  readonly asks: readonly { to: string; data: string }[];
  readonly connect?: true;
  readonly bind?: readonly [string, number];
  readonly device?: string;
  readonly reply?: string;
}

interface Answers {
  readonly id: string;
  readonly answers: readonly { from: string | null; data: string }[];
}

interface Instance {
  readonly program: Program;
  readonly type: 'udp4' | 'udp6' | 'both';
  readonly port: number;
}

const INSTANCES: readonly Instance[] = PROGRAMS.flatMap((program, at) =>
  program.types.map((type, nth) => ({ program, type, port: program.port ?? 20000 + 10 * at + nth })),
);

/** @param registered with `--import recvfromto/register`, or as they are */
export async function survey(client: Client, registered: boolean): Promise<Finding[]> {
  const root = files();
  const children = INSTANCES.map((instance) => start(instance, registered, root));
  try {
    await Promise.all(INSTANCES.map((instance, at) => listening(instance, children[at] as Child)));
    const questions = INSTANCES.flatMap(questionsFor);
    // A stateful firewall lets in only what answers: groups, and ports that were not asked, are for others to allow.
    const open = questions.filter(({ way, instance }) => way === 'group' || instance.program.newPort);
    const answers = new Map<string, Answers>();
    await ask(client, jobsOf(open), answers);
    await firewall(client, true);
    await ask(client, jobsOf(questions.filter((one) => !open.includes(one))), answers);
    await firewall(client, false);
    return questions.map((question) => judge(question, answers));
  } finally {
    for (const { process } of children) process.kill('SIGKILL');
  }
}

interface Asking {
  readonly instance: Instance;
  readonly way: Way;
  readonly addresses: readonly string[];
  readonly jobs: readonly Job[];
}

function questionsFor(instance: Instance): Asking[] {
  const { program, type } = instance;
  const found: Asking[] = [];
  const add = (way: Way, family: 4 | 6, addresses: readonly string[], device?: string) =>
    found.push({ instance, way, addresses, jobs: unicast(instance, way, family, addresses, device) });
  if (!program.groupOnly) {
    if (type !== 'udp6') add('IPv4', 4, IPV4);
    if (type === 'udp6') add('mapped', 4, IPV4);
    if (type !== 'udp4') add('IPv6', 6, IPV6);
    if (type !== 'udp4' && !program.noLinkLocal) add('link-local', 6, LINK_LOCAL, 'v1');
  }
  if (program.group) {
    const { to, family, clientPort = 0 } = program.group;
    const asks = [{ to, data: program.question.ask(0).toString('hex') }];
    const id = `${program.name} group`;
    // Bound to no address, or what is sent to 255.255.255.255 would not be heard.
    const job: Job = { id, family, port: instance.port, asks, device: 'v1', bind: ['', clientPort] };
    found.push({ instance, way: 'group', addresses: [to], jobs: [job] });
  }
  return found;
}

/** Each address by a connected client, and all of them at once from one port. */
function unicast(instance: Instance, way: Way, family: 4 | 6, addresses: readonly string[], device?: string): Job[] {
  const { program, type, port } = instance;
  // Anew for each: what carries the same transaction is a retransmission, which is answered to the first one's sender.
  const asks = () => addresses.map((to, id) => ({ to, data: program.question.ask(id).toString('hex') }));
  const common = { family, port, ...(device && { device }), ...(program.reply && { reply: program.reply }) };
  const name = `${program.name} ${type} ${way}`;
  // Who is answered to a fixed port needs an address of its own for each client.
  const from = (nth: number) => (program.answersToOwnPort ? { bind: [`10.77.0.${101 + nth}`, port] as const } : {});
  const single = asks().map((one, nth) => ({
    ...common,
    id: `${name} ${one.to}`,
    asks: [one],
    ...(!program.newPort && { connect: true as const }),
    ...from(nth),
  }));
  if (program.reply !== undefined || program.polls) return single;
  return [...single, { ...common, id: `${name} burst`, asks: asks(), ...from(addresses.length) }];
}

function judge({ instance, way, addresses }: Asking, answers: Map<string, Answers>): Finding {
  const { program, type } = instance;
  const results = new Map<string, string>();
  const heard = (id: string) =>
    (answers.get(id)?.answers ?? []).map(({ from, data }) => ({ from, data: Buffer.from(data, 'hex') }));
  if (way === 'group') {
    const sources = heard(`${program.name} group`).filter(
      ({ data }) => data.length > 0 && program.question.answers(0, data),
    );
    const wrong = sources.filter(({ from }) => !UNICAST.includes(from ?? ''));
    results.set(
      addresses[0] as string,
      sources.length === 0 ? 'no answer' : wrong.length > 0 ? `from ${wrong[0]?.from}` : '',
    );
    return { program, way, results };
  }
  const name = `${program.name} ${type} ${way}`;
  addresses.forEach((address, id) => {
    const mine = (one: { data: Buffer }) => one.data.length > 0 && program.question.answers(id, one.data);
    const single = heard(`${name} ${address}`);
    const burst = heard(`${name} burst`).filter(mine);
    const faults: string[] = [];
    const wanted = program.reply === undefined ? 1 : 2;
    if (!single.some(mine)) faults.push('no answer');
    else if (single.some(({ from }) => from !== address))
      faults.push(`from ${single.find(({ from }) => from !== address)?.from}`);
    else if (single.length < wanted) faults.push('the second packet was not answered');
    if (program.reply === undefined && !program.polls) {
      if (program.anonymous ? !burst.some(({ from }) => from === address) : burst.length === 0)
        faults.push('burst: no answer');
      else if (!program.anonymous && burst.some(({ from }) => from !== address))
        faults.push(`burst: from ${burst[0]?.from}`);
    }
    results.set(address, faults.join(', '));
  });
  return { program, way, results };
}

const jobsOf = (questions: readonly Asking[]) => questions.flatMap(({ jobs }) => jobs);

async function ask(client: Client, jobs: readonly Job[], answers: Map<string, Answers>): Promise<void> {
  const input = jobs.map((job) => JSON.stringify(job)).join('\n');
  const { stdout, stderr, status } = await run([...client.enter, 'python3', join(__dirname, 'client.py'), '3'], input);
  if (status !== 0) throw new Error(`client.py ended with ${status}: ${stderr}`);
  for (const line of stdout.trim().split('\n')) {
    const one = JSON.parse(line) as Answers;
    answers.set(one.id, one);
  }
}

/** Lets in what belongs to something that was asked for, as home routers and cloud security groups do. */
async function firewall({ enter }: Client, on: boolean): Promise<void> {
  const rules = on
    ? `table inet stateful { chain input { type filter hook input priority 0; policy drop;
         meta l4proto ipv6-icmp accept; ct state established,related accept; }; }`
    : 'delete table inet stateful';
  const { status, stderr } = await run([...enter, 'nft', '-f', '-'], rules);
  if (status !== 0) throw new Error(`nft: ${stderr}`);
}

/** What tftp serves: files that hold their own names, two blocks long. */
function files(): string {
  const root = mkdtempSync(join(tmpdir(), 'recvfromto-tftp-'));
  mkdirSync(root, { recursive: true });
  for (let id = 0; id < 8; id++) writeFileSync(join(root, `file${id}`), `file${id}`.padEnd(700, '.'));
  return root;
}

interface Child {
  readonly process: ChildProcess;
  complaints: string;
}

function start({ program, type, port }: Instance, registered: boolean, root: string): Child {
  const address = type === 'udp6' ? '::' : '0.0.0.0';
  const config = JSON.stringify({ port, type: type === 'both' ? 'udp4' : type, address, root });
  const preload = registered ? ['--import', 'recvfromto/register'] : [];
  const child: Child = {
    process: spawn(process.execPath, [...preload, join(__dirname, 'servers.cjs'), program.name, config], {
      cwd: ROOT, // where the package's own name leads to itself
      stdio: ['ignore', 'ignore', 'pipe'],
    }),
    complaints: '',
  };
  child.process.stderr?.setEncoding('utf8').on('data', (text) => {
    child.complaints += text;
  });
  return child;
}

/** Looks where the kernel says it: not all programs tell when they are ready. */
async function listening({ program, type, port }: Instance, child: Child): Promise<void> {
  const table = type === 'udp6' ? '/proc/net/udp6' : '/proc/net/udp';
  const entry = `:${port.toString(16).toUpperCase().padStart(4, '0')} 0`;
  for (const deadline = Date.now() + 30_000; Date.now() < deadline; ) {
    if (readFileSync(table, 'latin1').includes(entry)) return;
    if (child.process.exitCode !== null) break;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  throw new Error(`${program.name} ${type} does not listen: ${child.complaints}`);
}
