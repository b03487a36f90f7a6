/**
 * `recvfromto probe`: asks any UDP server on each address of this machine, or at the hosts given, and says from where it
 * answers. Only questions of the protocol are sent.
 */
import { lookup } from 'node:dns/promises';
import { isIP, isIPv6 } from 'node:net';
import { asked, type Heard, type Local } from '../asking';
import { lookupFailure } from '../failure';
import type { ProbeOptions } from '../options';
import { isOwn, type OwnAddress, ownAddresses } from '../own-address';
import { predictions, sourceTowards, type Vantage, vantages } from '../prediction';
import { answers } from '../target';
import type { Terminal } from '../terminal';
import type { AnswerFact, Facts, Verdict } from './facts';
import type { Protocol, Question } from './protocol';
import { choose } from './protocols/index';
import { report } from './report';

/** Asked at the same time. */
const WIDTH = 16;
/** More is no table that anybody reads. */
const MOST = 64;
const EXIT = { right: 0, unknown: 1, wrong: 2 } as const;

interface Task {
  readonly address: string;
  readonly host: string | null;
  /** undefined: routing decides. */
  readonly client: string | undefined;
  /** Where it is one of this machine. */
  readonly own: OwnAddress | undefined;
}

export async function probe(options: ProbeOptions, terminal: Terminal): Promise<number> {
  const protocol = choose(options.protocol, options.port);
  const { tasks, left, from } = await plan(options);
  const facts: AnswerFact[] = [];
  for (let at = 0; at < tasks.length; at += WIDTH) {
    terminal.progress(`asking ${tasks[at]?.address} (${at} of ${tasks.length}) …`);
    const some = tasks.slice(at, at + WIDTH).map((task) => ask(task, protocol, options, from));
    facts.push(...(await Promise.all(some)));
  }
  terminal.clear();
  const found: Facts = {
    port: options.port,
    protocol: protocol.name,
    verdict: verdictOf(facts),
    answers: facts,
    addressesNotAsked: left,
  };
  if (options.json) terminal.print(JSON.stringify(found, null, 2));
  else for (const line of report(found, terminal.style, terminal.columns)) terminal.print(line);
  return EXIT[found.verdict];
}

async function plan({ hosts, from }: ProbeOptions): Promise<{ tasks: Task[]; left: number; from: Vantage[] }> {
  const own = await everyAddress();
  if (hosts.length === 0) {
    const tasks = own.flatMap((one) =>
      clientsOf(one, from, own).map((client) => ({ address: one.address, host: null, client, own: one })),
    );
    return { tasks: tasks.slice(0, MOST), left: Math.max(tasks.length - MOST, 0), from: await vantages(own) };
  }
  const found = await Promise.all([...new Set(hosts)].map((host) => addressesOf(host, own)));
  const tasks = found.flat().flatMap(({ address, host, own: mine }) => {
    const sources = from.filter((source) => isIPv6(source) === isIPv6(address));
    const clients = from.length > 0 ? sources : mine === undefined ? [undefined] : clientsOf(mine, from, own);
    return clients.map((client) => ({ address, host, client, own: mine }));
  });
  return { tasks, left: 0, from: await vantages(own) };
}

/** Each address of a name, of the families that this machine has. @throws Failure */
async function addressesOf(host: string, own: readonly OwnAddress[]) {
  try {
    const all = isIP(host) === 0 ? await lookup(host, { all: true }) : [{ address: host }];
    return all.map(({ address }) => ({ address, host, own: own.find((one) => one.address === address) }));
  } catch (error) {
    throw lookupFailure(error as Error, host, 0);
  }
}

/** All of os.networkInterfaces(), and one more of 127.0.0.0/8 where the OS has all of it (Linux, Windows). */
async function everyAddress(): Promise<OwnAddress[]> {
  const own = ownAddresses();
  const at = own.findIndex(({ address }) => address === '127.0.0.1');
  const sorted = [...own.filter((one) => one.internal), ...own.filter((one) => !one.internal)];
  if (at < 0 || !(await isOwn('127.0.0.2')) || own.some(({ address }) => address === '127.0.0.2')) return sorted;
  return [{ ...(own[at] as OwnAddress), address: '127.0.0.2' }, ...sorted];
}

/**
 * Who asks at an address of this machine: one on another address, because a kernel that is not told answers a neighbour's
 * question from the neighbour's side, and one that asks itself proves nothing.
 */
function clientsOf(one: OwnAddress, from: readonly string[], own: readonly OwnAddress[]): (string | undefined)[] {
  if (from.length > 0) return from.filter((source) => isIPv6(source) === (one.family === 6));
  const others = own.filter(({ address, family }) => family === one.family && address !== one.address);
  const zone = one.address.split('%')[1];
  // A link-local address is asked on its own link; others by the loopback's, which no route gets in the way of.
  const near = others.filter((other) => zone === undefined || other.interface === one.interface);
  const sameKind = near.filter(({ address }) => address.split('%')[1] === zone);
  return [(sameKind.find(({ internal }) => internal) ?? sameKind[0] ?? near[0])?.address];
}

async function ask(
  task: Task,
  protocol: Protocol,
  options: ProbeOptions,
  from: readonly Vantage[],
): Promise<AnswerFact> {
  const { address, host, client, own } = task;
  const { port, tries, timeout } = options;
  const questions: Question[] = [];
  const messages = (attempt: number, local: Local) => {
    const added = protocol.questions(attempt, local, { address, port });
    questions.push(...added);
    return added.map(({ msg }) => msg);
  };
  const read = (msg: Buffer) => firstOf(questions, (question) => question.read(msg));
  const waits = Array.from({ length: tries }, () => timeout);
  const isAnswer = (msg: Buffer) => read(msg) !== undefined;
  const heard = await asked({ to: address, port, messages, isAnswer, from: client, waits, connected: true });
  const answer = typeof heard === 'object' ? heard : undefined;
  const askedBy = client ?? answer?.local.address ?? null;
  return {
    asked: address,
    host,
    askedBy,
    verdict: judge(heard, { address, port }, protocol),
    from: answer === undefined ? null : { address: answer.from, port: answer.port },
    says: answer === undefined ? null : (read(answer.msg) ?? null),
    error: typeof heard === 'string' && heard !== 'ECONNREFUSED' ? heard : null,
    proves: own === undefined ? null : askedBy !== null && (await sourceTowards(askedBy)) !== address,
    predicted: own === undefined ? [] : predictions(own, from),
  };
}

function firstOf<T, R>(items: readonly T[], of: (item: T) => R | undefined): R | undefined {
  for (const item of items) {
    const found = of(item);
    if (found !== undefined) return found;
  }
  return undefined;
}

function judge(heard: Heard | string | undefined, to: Local, protocol: Protocol): Verdict {
  if (heard === undefined) return 'silent';
  if (typeof heard === 'string') return heard === 'ECONNREFUSED' ? 'refused' : 'failed';
  const same = answers({ ...to, kind: 'one' }, heard.from, to.port);
  if (!same) return 'wrong';
  return heard.port === to.port || protocol.anyPort === true ? 'right' : 'otherPort';
}

/** One wrong answer is enough; right ones count where a server that leaves it to the kernel would have been wrong. */
function verdictOf(facts: readonly AnswerFact[]): Facts['verdict'] {
  if (facts.some(({ verdict }) => verdict === 'wrong' || verdict === 'otherPort')) return 'wrong';
  return facts.some(({ verdict, proves }) => verdict === 'right' && proves !== false) ? 'right' : 'unknown';
}
