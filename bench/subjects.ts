/** Who is compared with whom: how each server is started, and what the figures of each include. */
import { join } from 'node:path';
import { Program } from './children';
import type { Toolchain } from './toolchain';

export type SubjectId = 'message' | 'messages' | 'dgram' | 'bun' | 'deno' | 'deno-dgram' | 'c';
export type Family = '4' | '6' | 'dual';

export interface ServerOptions {
  family?: Family;
  mode?: 'echo' | 'count';
  answer?: 'reply' | 'send';
  sockets?: number;
  /** Lets the kernel coalesce: ours and C's only, and only to count (the C server would echo a run as one). */
  gro?: 1;
}

/** How a subject sends in the send scenarios: servers/control.mjs. */
export type How = 'one' | 'many' | 'segments';

export interface Subject {
  readonly id: SubjectId;
  readonly label: string;
  /** It learns each datagram's destination and answers from it; the load then asks an address that needs this. */
  readonly source: boolean;
  readonly command: readonly string[];
  /** What runs `-e CODE`, for the start times; undefined for what is no JavaScript runtime. */
  readonly evaluate: readonly string[] | undefined;
  readonly how: { readonly one: How; readonly peers: How; readonly label: string };
}

export interface Server {
  readonly program: Program;
  readonly ports: readonly number[];
}

const server = (file: string) => join(__dirname, 'servers', file);

const DENO = ['run', '--allow-all', '--unstable-net', '--quiet'];

function node(id: SubjectId, label: string, file: string, source: boolean, how: How, call: string): Subject {
  const { execPath } = process;
  const command = [execPath, server(file)];
  return { id, label, source, command, evaluate: [execPath, '-e'], how: { one: how, peers: how, label: call } };
}

/** The subjects that can be had, in the order of every table. */
export function subjectsOf({ bun, deno, server: c }: Toolchain): Subject[] {
  const subjects = [
    node('message', "recvfromto 'message'", 'recvfromto.mjs', true, 'one', 'recvfromto send'),
    node('messages', "recvfromto 'messages'", 'recvfromto-messages.mjs', true, 'many', 'recvfromto sendMany'),
    node('dgram', 'node:dgram', 'dgram.mjs', false, 'one', 'node:dgram send'),
  ];
  if (bun !== undefined) {
    subjects.push({
      id: 'bun',
      label: 'Bun.udpSocket',
      source: false,
      command: [bun, 'run', server('bun.mjs')],
      evaluate: [bun, '-e'],
      how: { one: 'many', peers: 'many', label: 'Bun sendMany' },
    });
  }
  if (deno !== undefined) {
    const shared = { source: false, evaluate: [deno, 'eval', '--unstable-net'] };
    const how = { one: 'one', peers: 'one' } as const;
    subjects.push({
      id: 'deno',
      label: 'Deno.listenDatagram',
      command: [deno, ...DENO, server('deno.mjs')],
      how: { ...how, label: 'Deno send' },
      ...shared,
    });
    subjects.push({
      id: 'deno-dgram',
      label: 'Deno node:dgram',
      command: [deno, ...DENO, server('dgram.mjs')],
      how: { ...how, label: 'Deno node:dgram send' },
      ...shared,
    });
  }
  subjects.push({
    id: 'c',
    label: 'C',
    source: true,
    command: [c],
    evaluate: undefined,
    how: { one: 'segments', peers: 'many', label: 'C sendmmsg, UDP_SEGMENT' },
  });
  return subjects;
}

/** Starts a server on the server's core. @throws Error with what it complained of */
export async function start(subject: Subject, tools: Toolchain, dist: string, options: ServerOptions): Promise<Server> {
  const words = Object.entries(options).map(([key, value]) => `${key}=${value}`);
  const env = { ...process.env, RECVFROMTO_DIST: dist, NODE_OPTIONS: '', NO_COLOR: '1' };
  const program = new Program(tools.pinned('server', [...subject.command, ...words]), env);
  try {
    const { ports } = await program.hear<{ ports: number[] }>();
    return { program, ports };
  } catch (error) {
    await program.stop();
    throw error;
  }
}
