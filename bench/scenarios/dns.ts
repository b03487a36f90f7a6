/**
 * A real server with a real client: name servers written with npm packages, and name servers as they are run, all with
 * one zone, asked by dnsperf. A turn is short, so each starts its server anew.
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
import { environment, type Subject } from '../subjects';
import { ORIGIN, writeZone, type ZoneFiles } from '../zone';
import { type Case, type Context, CPU, type Scenario, type Turn } from './case';
import { hostFor } from './echo';

const run = promisify(execFile);

const CLIENTS = 20;
const OUTSTANDING = 100;
const WARM_MS = 1500;
/** One at a time takes other ways than a batch, which a JIT compiler has to learn as well. */
const PACED_WARM_MS = 5000;
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

/** How it is started with the zone; nsd and knot take it as a file of their own form. */
function commandOf(subject: Subject, program: string, port: number, zone: ZoneFiles): string[] {
  const { runtime, file, words, id } = subject;
  const config = join(zone.folder, 'server.conf');
  if (id === 'nsd' || id === 'knot') {
    writeFileSync(config, (id === 'nsd' ? NSD : KNOT)(port, zone));
    return id === 'nsd' ? [file, '-d', '-c', config] : [file, '-c', config];
  }
  const bun = id === 'bun' ? ['runtime=bun'] : [];
  return [...runtime, join(__dirname, '../servers', program), ...words, ...bun, `zone=${zone.json}`, `port=${port}`];
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

interface Asking {
  readonly host: string;
  readonly port: number;
  readonly ms: number;
  readonly questions: string;
  readonly more?: readonly string[];
}

async function ask({ tools }: Context, { host, port, ms, questions, more = [] }: Asking) {
  const seconds = (ms / 1000).toFixed(2);
  const limits = ['-l', seconds, '-c', `${CLIENTS}`, '-T', '1', '-q', `${OUTSTANDING}`, '-t', '1', ...more];
  const command = tools.pinned('load', [tools.dnsperf!, '-s', host, '-p', `${port}`, '-d', questions, ...limits]);
  const { stdout } = await run(command[0]!, command.slice(1), { timeout: ms + PATIENCE_MS });
  return parsed(stdout);
}

async function measure(turn: Turn, program: string, more: readonly string[] = []): Promise<Metrics> {
  const { subject, context, ms } = turn;
  const folder = mkdtempSync(join(tmpdir(), 'bench-dns-'));
  const zone = writeZone(folder);
  const port = await freePort();
  const command = context.tools.pinned('server', commandOf(subject, program, port, zone));
  const server = new Program(command, environment(context.dist));
  const host = hostFor(subject);
  try {
    await ready(host, port, subject.label);
    const asking = { host, port, questions: zone.questions };
    await ask(context, { ...asking, ms: Math.min(WARM_MS, ms * 1.5) });
    if (more.length > 0) await ask(context, { ...asking, ms: PACED_WARM_MS, more });
    server.check();
    const before = cpuNsOf(server.pid);
    const { completed, lost, perSecond, latencyUs } = await ask(context, { ...asking, ms, more });
    server.check();
    const cpuNs = (cpuNsOf(server.pid) - before) / completed;
    return { cpuNs, perSecond, latencyUs, lostShare: lost / (completed + lost) };
  } finally {
    await server.stop();
    rmSync(folder, { recursive: true, force: true });
  }
}

const SERVERS: readonly SubjectId[] = ['dgram', 'message', 'shared', 'register', 'bun', 'nsd', 'knot'];
const PACED: readonly SubjectId[] = ['dgram', 'message', 'register', 'bun', 'knot'];

function served(
  name: string,
  what: string,
  program: string,
  subjects: readonly SubjectId[],
  more: readonly string[] = [],
): Case {
  return {
    name,
    what,
    subjects,
    generations: 1,
    rounds: 3,
    ms: 1000,
    aroundMs: more.length > 0 ? 2000 + PACED_WARM_MS : 2000,
    needs: 'dnsperf',
    quick: name !== 'dns-packet-5000',
    run: (turn) => measure(turn, program, more),
  };
}

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
    served('dns-packet', 'with dns-packet', 'dns-packet.mjs', SERVERS),
    served('dns-packet-5000', 'the same, 5,000 questions a second', 'dns-packet.mjs', PACED, ['-Q', '5000']),
    served('dns2', 'with dns2', 'dns2.cjs', ['dgram', 'register', 'bun']),
  ],
};
