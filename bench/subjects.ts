/** Who is compared with whom: how each server is started, and what the figures of each include. */
import { join } from 'node:path';
import { Program } from './children';
import type { SubjectId } from './results';
import type { Toolchain } from './toolchain';

export type Family = '4' | '6' | 'dual';

/** Words for a server: servers/control.mjs, servers/node.mjs, native/server.c. */
export interface ServerOptions {
  readonly family?: Family;
  readonly mode?: 'echo' | 'count';
  readonly answer?: 'reply' | 'send';
  readonly how?: 'plain' | 'callback' | 'awaited' | 'late';
  readonly sockets?: number;
  /** µs of work for each message, which is not answered. */
  readonly work?: number;
  readonly beside?: 'http' | 'timers';
}

/** How a subject sends in the send scenarios: servers/sending.mjs, native/commands.h. */
export type How = 'one' | 'many' | 'segments' | 'tick' | 'name' | 'paced';

export interface Subject {
  readonly id: SubjectId;
  readonly label: string;
  /** It learns each datagram's destination and answers from it; the load then asks an address that needs this. */
  readonly source: boolean;
  /** What runs a JavaScript file; empty: the server is a program of its own. */
  readonly runtime: readonly string[];
  readonly file: string;
  readonly words: readonly string[];
  /** Its fastest way to send to one peer, and to many. */
  readonly sends: { readonly one: How; readonly peers: How };
}

export interface Server {
  readonly program: Program;
  readonly ports: readonly number[];
  /** Of the HTTP server beside it. */
  readonly http?: number;
}

const inServers = (file: string) => join(__dirname, 'servers', file);

const DENO = ['run', '--allow-all', '--unstable-net', '--quiet'];
const ONE = { one: 'one', peers: 'one' } as const;
const MANY = { one: 'many', peers: 'many' } as const;

const ours = (id: SubjectId, label: string, ...words: string[]): Subject => ({
  id,
  label,
  source: true,
  runtime: [process.execPath],
  file: inServers('node.mjs'),
  words: ['module=recvfromto', ...words],
  sends: id === 'messages' ? MANY : ONE,
});

const cServer = (file: string, id: SubjectId, label: string, ...words: string[]): Subject => ({
  id,
  label,
  source: true,
  runtime: [],
  file,
  words,
  sends: { one: 'segments', peers: 'many' },
});

const nameServer = (id: 'nsd' | 'knot', file: string): Subject => ({ ...cServer(file, id, id), source: false });

/** The subjects that can be had, in the order of every table. `dist` is a file URL, register.js stands beside it. */
export function subjectsOf({ bun, deno, server: c, nsd, knotd }: Toolchain, dist: string): Subject[] {
  const dgram = { source: false, file: inServers('node.mjs'), words: ['module=dgram'], sends: ONE };
  const register = new URL('register.js', dist).pathname;
  const other: Subject[] = [];
  if (bun !== undefined) {
    const file = inServers('bun.mjs');
    other.push({ id: 'bun', label: 'Bun', source: false, runtime: [bun, 'run'], file, words: [], sends: MANY });
  }
  if (deno !== undefined) {
    const runtime = [deno, ...DENO];
    const file = inServers('deno.mjs');
    other.push({ id: 'deno', label: 'Deno', source: false, runtime, file, words: [], sends: ONE });
    other.push({ ...dgram, id: 'deno-dgram', label: "Deno's node:dgram", runtime });
  }
  return [
    { ...dgram, id: 'dgram', label: 'node:dgram', runtime: [process.execPath] },
    ours('message', 'recvfromto', 'answer=reply'),
    ours('shared', 'ownBuffers: false', 'answer=reply', 'own=0'),
    ours('messages', "'messages'", 'event=messages'),
    ours('gro', 'gro: true, ownBuffers: false', 'answer=reply', 'gro=1', 'own=0'),
    ours('runs', "gro: 'runs', ownBuffers: false", 'answer=run', 'gro=runs', 'own=0'),
    { ...dgram, id: 'register', label: 'register', source: true, runtime: [process.execPath, '-r', register] },
    {
      ...dgram,
      id: 'register-gso',
      label: 'register, gso=on',
      source: true,
      runtime: ['env', 'RECVFROMTO=gso=on', process.execPath, '-r', register],
    },
    ...other,
    cServer(c, 'c', 'C'),
    cServer(c, 'c-gso', 'C, UDP_SEGMENT', 'gso=1'),
    cServer(c, 'c-gro', 'C, UDP_GRO too', 'gso=1', 'gro=1'),
    ...(nsd === undefined ? [] : [nameServer('nsd', nsd)]),
    ...(knotd === undefined ? [] : [nameServer('knot', knotd)]),
  ];
}

/** The environment of everything that is measured: nothing from outside changes how it runs. */
export function environment(dist: string): NodeJS.ProcessEnv {
  return { ...process.env, RECVFROMTO_DIST: dist, NODE_OPTIONS: '', NO_COLOR: '1' };
}

/** Starts a server on the server's core. @throws Error with what it complained of */
export async function start(
  { runtime, file, words }: Subject,
  options: ServerOptions,
  dist: string,
  placed: (command: readonly string[]) => string[],
): Promise<Server> {
  const given = Object.entries(options).map(([key, value]) => `${key}=${value}`);
  const program = new Program(placed([...runtime, file, ...words, ...given]), environment(dist));
  try {
    return { program, ...(await program.hear<Omit<Server, 'program'>>()) };
  } catch (error) {
    await program.stop();
    throw error;
  }
}
