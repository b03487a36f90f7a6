/** What sockets cost before and beside their datagrams: a socket per question, binding and closing, starting, memory. */
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { answerOf, memoryOf, Program } from '../children';
import type { Metrics, SubjectId } from '../results';
import { environment, type Server, type ServerOptions, type Subject, start } from '../subjects';
import { type Case, type Context, IN_NODE, type Scenario, type Turn } from './case';
import { load } from './echo';

interface Repeated {
  readonly done: number;
  readonly cpuNs: number;
}

const perTime = ({ done, cpuNs }: Repeated): Metrics => ({ cpuNs: cpuNs / done });

/** How many of them are to take about that long. */
const QUERIES_PER_MS = 8;
const BINDS_PER_MS = 40;

async function query(turn: Turn): Promise<Metrics> {
  const { tools } = turn.context;
  const responder = new Program(tools.pinned('load', [tools.server, 'answer=send', 'awake=1']));
  try {
    const { ports } = await responder.hear<{ ports: number[] }>();
    const n = Math.ceil(turn.ms * QUERIES_PER_MS);
    return perTime(await turn.server.program.ask<Repeated>(`query port=${ports[0]} n=${n}`));
  } finally {
    await responder.stop();
  }
}

/** V8 has compiled all of it after some ten thousand. */
const WARM_MS = 2500;

const IN_TURN: readonly SubjectId[] = ['dgram', 'message', 'register', 'bun', 'c'];

const binding = (one: Pick<Case, 'name' | 'what' | 'quick' | 'server'>): Case => ({
  server: {},
  ...one,
  subjects: IN_TURN,
  warmMs: WARM_MS,
  run: async ({ server, ms }) => perTime(await server.program.ask<Repeated>(`binds n=${Math.ceil(ms * BINDS_PER_MS)}`)),
});

const lives: Scenario = {
  name: 'lives',
  title: 'Short lives',
  text: 'Create, send, receive, close, one socket after the other; and bind and close alone. CPU is that of the whole process.',
  figures: [{ metric: 'cpuNs', title: 'CPU µs each', digits: 1, scale: 1e-3 }],
  cases: [
    {
      name: 'query',
      what: 'a socket per question',
      subjects: IN_TURN,
      server: {},
      warmMs: WARM_MS,
      quick: true,
      run: query,
    },
    {
      name: 'first-queries',
      what: 'a socket per question, the first 2,000 of a process',
      subjects: IN_TURN,
      server: {},
      ms: 2000 / QUERIES_PER_MS,
      warmMs: 0,
      generations: 4,
      rounds: 1,
      run: query,
    },
    binding({ name: 'binds', what: 'bind and close', quick: true }),
    binding({ name: 'binds1000', what: 'bind and close, beside 1,000 sockets', server: { sockets: 1000 } }),
  ],
};

interface Started {
  readonly importMs: number;
  readonly importCpuMs: number;
  readonly cpuMs: number;
}

/** Has it imported ours before its program, and its clock, begins? */
const preloads = (runtime: readonly string[]): boolean => runtime.includes('-r');

/** A process is started, asked once, and says what it has cost until its answer had left. */
async function firstAnswer(
  runtime: readonly string[],
  words: readonly string[],
  { tools, dist }: Context,
): Promise<Metrics> {
  const began = performance.now();
  const server = new Program(tools.pinned('server', [...runtime, ...words]), environment(dist));
  const client = createSocket('udp4');
  try {
    const { port } = await server.hear<{ port: number }>();
    const answered = once(client, 'message').then(() => performance.now() - began);
    client.send('question', port, '127.0.0.1');
    const { importMs, importCpuMs, cpuMs } = await server.hear<Started>();
    const imported: Metrics = preloads(runtime) ? {} : { importMs, importCpuMs };
    return { firstAnswerCpuMs: cpuMs, ...imported, firstAnswerMs: await answered };
  } finally {
    client.close();
    await server.stop();
  }
}

/** What register costs every program that is started with it, and an import those that need no socket this time. */
async function withoutSocket(
  runtime: readonly string[],
  words: readonly string[],
  { tools, dist }: Context,
): Promise<Metrics> {
  const command = tools.pinned('server', [...runtime, ...words]);
  const { cpuMs } = await answerOf<Pick<Started, 'cpuMs'>>(command, environment(dist));
  return { noSocketCpuMs: cpuMs };
}

async function starting({ subject, context }: Turn, node: string): Promise<Metrics> {
  const file = (name: string) => join(__dirname, '../servers', name);
  if (subject.id === 'bun') return firstAnswer(subject.runtime, [file('first-answer-bun.mjs')], context);
  const library = subject.id === 'message' ? new URL(context.dist).pathname : 'node:dgram';
  const runtime = [node, ...subject.runtime.slice(1)];
  return {
    ...(await firstAnswer(runtime, [file('first-answer.cjs'), library], context)),
    ...(await withoutSocket(runtime, [file('no-socket.cjs'), library], context)),
  };
}

const STARTS: readonly SubjectId[] = ['dgram', 'message', 'register', 'bun'];

const startCase = (line: number): Case => ({
  name: `start-node${line}`,
  what: `Node ${line}`,
  subjects: STARTS,
  generations: 1,
  rounds: 11,
  ms: 0,
  aroundMs: 200,
  quick: String(line) === process.versions.node.split('.', 1)[0],
  run(turn) {
    const node = turn.context.tools.nodes.get(line);
    if (node === undefined) throw new Error(`Node ${line} is not there`);
    return starting(turn, node);
  },
});

const starts: Scenario = {
  name: 'start',
  title: 'Start',
  text: 'CPU of all threads from the start of the process until its first answer has left, and what of it is the import. With register that is done before the program begins.',
  figures: [
    { metric: 'firstAnswerCpuMs', title: 'CPU ms to the first answer', digits: 1 },
    { metric: 'firstAnswerMs', title: 'ms to the first answer', digits: 1 },
    { metric: 'importCpuMs', title: 'import, CPU ms', digits: 1, ratios: false },
    { metric: 'importMs', title: 'import, ms', digits: 1, ratios: false },
    { metric: 'noSocketCpuMs', title: 'CPU ms of a program that opens no socket', digits: 1 },
  ],
  cases: [20, 24].map(startCase),
};

/** Runs `body` against a server of its own, which is ended afterwards. */
export async function withServer<T>(
  subject: Subject,
  options: ServerOptions,
  { tools, dist }: Context,
  body: (server: Server) => Promise<T>,
): Promise<T> {
  const server = await start(subject, options, dist, (command) => tools.pinned('server', command));
  try {
    return await body(server);
  } finally {
    await server.program.stop();
  }
}

const SETTLE_MS = 200;
const FURTHER = 1000;
const QUICK_FURTHER = 50;

async function atRest(subject: Subject, sockets: number, context: Context): Promise<number> {
  return withServer(subject, { sockets }, context, async ({ program }) => {
    await setTimeout(context.quick ? 0 : SETTLE_MS);
    return memoryOf(program.pid, 'VmRSS') ?? Number.NaN;
  });
}

async function memory({ subject, context }: Turn): Promise<Metrics> {
  const bare = await atRest(subject, 0, context);
  const one = await atRest(subject, 1, context);
  const thousand = context.quick ? QUICK_FURTHER : FURTHER;
  const many = await atRest(subject, 1 + thousand, context);
  const more = await atRest(subject, 1 + 3 * thousand, context);
  const loaded = await withServer(subject, {}, context, async (server) => {
    await load({ subject, server, context, ms: context.quick ? 100 : 1000 }, {}, { inflight: 64, warm: 0 });
    return memoryOf(server.program.pid, 'VmHWM') ?? Number.NaN;
  });
  return {
    bareMB: bare / 1024,
    oneOverBareMB: (one - bare) / 1024,
    thousandMB: (many - one) / 1024,
    perFurtherKB: (more - many) / (2 * thousand),
    loadedMB: loaded / 1024,
  };
}

const rests: Scenario = {
  name: 'memory',
  title: 'Memory',
  text: 'Resident memory with one idle socket, with a thousand more (compiling what opens them is most of that), with two thousand more than these, and at most while echoing; and of the heap for each of a thousand.',
  figures: [
    { metric: 'heapBytes', title: "V8's heap for each bound socket, bytes" },
    { metric: 'perFurtherKB', title: 'RSS for each bound socket beyond a thousand, KB', digits: 1 },
    { metric: 'thousandMB', title: 'RSS of a thousand sockets over one, MB', digits: 1 },
    { metric: 'oneOverBareMB', title: 'RSS of one socket over the bare runtime, MB', digits: 1 },
    { metric: 'loadedMB', title: 'RSS while echoing, MB', digits: 1 },
  ],
  cases: [
    {
      name: 'memory',
      what: 'resident',
      subjects: [...IN_NODE, 'c'],
      generations: 1,
      rounds: 2,
      ms: 0,
      aroundMs: 4000,
      quick: true,
      run: memory,
    },
    {
      name: 'heap',
      what: 'heap',
      subjects: ['dgram', 'message', 'register'],
      generations: 3,
      rounds: 1,
      warmMs: 0,
      server: {},
      quick: true,
      run: async ({ server, context }) => {
        const { bytes } = await server.program.ask<{ bytes: number }>(`heap sockets=${context.quick ? 50 : FURTHER}`);
        return { heapBytes: bytes };
      },
    },
  ],
};

export const lifeScenarios: readonly Scenario[] = [lives, starts, rests];
