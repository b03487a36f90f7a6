/**
 * A real server with a real client: name servers written with npm packages, and name servers as they are run, all with
 * one zone, asked by dnsperf.
 */
import { execFile } from 'node:child_process';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { promisify } from 'node:util';
import { Program } from '../children';
import { cpuNsOf } from '../cpu';
import type { Metrics, SubjectId } from '../results';
import { environment, type Server, type Subject } from '../subjects';
import { ORIGIN, writeZone, type ZoneFiles } from '../zone';
import { type Case, type Context, CPU, type Scenario, type Turn } from './case';
import { hostFor } from './echo';

const run = promisify(execFile);

const CLIENTS = 20;
const OUTSTANDING = 100;
const TURN_MS = 600;
/** A client is started for each. */
const AROUND_MS = 100;
const PATIENCE_MS = 10_000;

/** The question dnsperf might ask: host1's address, id 1. */
const QUESTION = Buffer.from(
  `000100000001000000000000${[...`host1.${ORIGIN}`.split('.'), '']
    .map((label) => `0${label.length.toString(16)}${Buffer.from(label).toString('hex')}`)
    .join('')}00010001`,
  'hex',
);

async function freePort(): Promise<number> {
  const socket = createSocket('udp4').bind(0);
  await once(socket, 'listening');
  const { port } = socket.address();
  socket.close();
  return port;
}

/** Asks until it answers, as a supervisor does. @throws Error when it doesn't */
async function ready(host: string, port: number, who: string): Promise<void> {
  const socket = createSocket('udp4');
  let answered = false;
  socket
    .on('error', () => {})
    .once('message', () => {
      answered = true;
    });
  for (const until = performance.now() + PATIENCE_MS; !answered && performance.now() < until; await setTimeout(10)) {
    socket.send(QUESTION, port, host);
  }
  socket.close();
  if (!answered) throw new Error(`${who}: no answer from ${host}`);
}

const NSD = (port: number, { folder }: ZoneFiles) => `server:
  server-count: 1
  ip-address: 127.0.0.1@${port}
  username: ""
  zonesdir: "${folder}"
  database: ""
  pidfile: ""
  logfile: "${folder}/nsd.log"
  rrl-ratelimit: 0
  xfrdfile: "${folder}/xfrd.state"
  zonelistfile: "${folder}/zone.list"
  xfrdir: "${folder}"
remote-control:
  control-enable: no
zone:
  name: ${ORIGIN}
  zonefile: ${ORIGIN}.zone
`;

const KNOT = (port: number, { folder }: ZoneFiles) => `server:
  listen: 127.0.0.1@${port}
  rundir: "${folder}"
  udp-workers: 1
  tcp-workers: 1
  background-workers: 1
log:
  - target: "${folder}/knot.log"
    any: warning
database:
  storage: "${folder}"
zone:
  - domain: ${ORIGIN}
    storage: "${folder}"
    file: ${ORIGIN}.zone
`;

/** Written once, and gone when the benchmark ends. */
let zone: ZoneFiles | undefined;

function zoneFiles(): ZoneFiles {
  if (zone === undefined) {
    const folder = mkdtempSync(join(tmpdir(), 'bench-dns-'));
    process.once('exit', () => rmSync(folder, { recursive: true, force: true }));
    zone = writeZone(folder);
  }
  return zone;
}

/** How it is started with the zone; nsd and knot take it as a file of their own form. */
function commandOf(subject: Subject, program: string, port: number): string[] {
  const { runtime, file, words, id } = subject;
  const files = zoneFiles();
  const config = join(files.folder, `${id}.conf`);
  if (id === 'nsd' || id === 'knot') {
    writeFileSync(config, (id === 'nsd' ? NSD : KNOT)(port, files));
    return id === 'nsd' ? [file, '-d', '-c', config] : [file, '-c', config];
  }
  const bun = id === 'bun' ? ['runtime=bun'] : [];
  return [...runtime, join(__dirname, '../servers', program), ...words, ...bun, `zone=${files.json}`, `port=${port}`];
}

/** What dnsperf prints at its end. @throws Error for output of another form */
export function parsed(text: string): { completed: number; lost: number; perSecond: number; latencyUs: number } {
  const figure = (pattern: RegExp) => {
    const found = pattern.exec(text)?.[1];
    if (found === undefined) throw new Error(`dnsperf: nothing like ${pattern} in what it says`);
    return Number(found);
  };
  return {
    completed: figure(/Queries completed:\s+(\d+)/),
    lost: figure(/Queries lost:\s+(\d+)/),
    perSecond: figure(/Queries per second:\s+([\d.]+)/),
    latencyUs: figure(/Average Latency \(s\):\s+([\d.]+)/) * 1e6,
  };
}

/** @param more arguments for dnsperf */
async function ask({ subject, server, context, ms }: Turn, more: readonly string[]) {
  const { tools } = context;
  const where = ['-s', hostFor(subject), '-p', `${server.ports[0]}`, '-d', zoneFiles().questions];
  const limits = `-l ${(ms / 1000).toFixed(2)} -c ${CLIENTS} -T 1 -q ${OUTSTANDING} -t 1`.split(' ');
  const command = tools.pinned('load', [tools.dnsperf!, ...where, ...limits, ...more]);
  server.program.check();
  const { stdout } = await run(command[0]!, command.slice(1), { timeout: ms + PATIENCE_MS });
  server.program.check();
  return parsed(stdout);
}

async function serve(subject: Subject, program: string, { tools, dist }: Context): Promise<Server> {
  const port = await freePort();
  const server = new Program(tools.pinned('server', commandOf(subject, program, port)), environment(dist));
  try {
    await ready(hostFor(subject), port, subject.label);
  } catch (error) {
    await server.stop();
    throw error;
  }
  return { program: server, ports: [port] };
}

async function measure(turn: Turn, more: readonly string[]): Promise<Metrics> {
  const { pid } = turn.server.program;
  const before = cpuNsOf(pid);
  const { completed, lost, perSecond, latencyUs } = await ask(turn, more);
  const cpuNs = (cpuNsOf(pid) - before) / completed;
  return { cpuNs, perSecond, latencyUs, lostShare: lost / (completed + lost) };
}

const SERVERS: readonly SubjectId[] = ['dgram', 'message', 'shared', 'register', 'bun', 'nsd', 'knot'];
const PACED: readonly SubjectId[] = ['dgram', 'message', 'register', 'bun', 'knot'];

/** A case, as they all are: the servers run, and take turns. */
const served = (
  one: Pick<Case, 'name' | 'what' | 'subjects' | 'quick' | 'warmMs'>,
  program: string,
  more: readonly string[] = [],
): Case => ({
  needs: 'dnsperf',
  ms: TURN_MS,
  aroundMs: AROUND_MS,
  warmMs: 1500,
  rounds: 3,
  ...one,
  start: (subject, context) => serve(subject, program, context),
  run: (turn) => measure(turn, more),
});

export const dns: Scenario = {
  name: 'dns',
  title: 'A name server, asked by dnsperf',
  text: `${CLIENTS} clients, ${OUTSTANDING} questions on the way, 1,000 names with addresses and texts.`,
  figures: [
    { ...CPU, title: 'CPU µs per question', digits: 1, scale: 1e-3 },
    { metric: 'perSecond', title: 'thousands per second', digits: 1, scale: 1e-3 },
    { metric: 'latencyUs', title: 'average latency, µs' },
  ],
  cases: [
    served({ name: 'dns-packet', what: 'with dns-packet', subjects: SERVERS, quick: true }, 'dns-packet.mjs'),
    served(
      // One at a time takes other ways than a batch, and is rare: a JIT compiler needs longer for it.
      { name: 'dns-packet-5000', what: 'the same, 5,000 questions a second', subjects: PACED, warmMs: 6000 },
      'dns-packet.mjs',
      ['-Q', '5000'],
    ),
    served({ name: 'dns2', what: 'with dns2', subjects: ['dgram', 'register', 'bun'], quick: true }, 'dns2.cjs'),
  ],
};
