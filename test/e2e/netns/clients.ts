/** The clients, all of them other people's code: python3's sockets, dig and kdig. */
import { join } from 'node:path';
import { mapLimited, run } from './programs';
import type { Row } from './rows';
import type { Client } from './topology';

export interface Job {
  readonly id: string;
  readonly mode: 'connected' | 'unconnected' | 'send';
  readonly family: 4 | 6;
  readonly to: string;
  readonly port: number;
  readonly text: string;
  /** Seconds to wait for an answer. */
  readonly patience: number;
  readonly device?: string;
  readonly bind?: string;
}

export interface Heard {
  readonly id: string;
  /** Local port of the client. */
  readonly port: number;
  readonly answer: string | null;
  readonly from: string | null;
}

/** Asks all of them at once. → by id */
export async function ask(client: Client, jobs: readonly Job[]): Promise<Map<string, Heard>> {
  const input = jobs.map((job) => JSON.stringify(job)).join('\n');
  const { stdout, stderr, status } = await run([...client.enter, 'python3', join(__dirname, 'client.py')], input);
  if (status !== 0) throw new Error(`client.py ended with ${status}: ${stderr}`);
  const heard = stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Heard);
  return new Map(heard.map((one) => [one.id, one]));
}

/** Runs the load. */
export async function load(client: Client, address: string, port: number, count: number, window: number) {
  const argv = [address, port, count, window].map(String);
  const { stdout, stderr, status } = await run([...client.enter, 'python3', join(__dirname, 'load.py'), ...argv]);
  if (status !== 0) throw new Error(`load.py ended with ${status}: ${stderr}`);
  return JSON.parse(stdout) as { answered: number; seconds: number };
}

export const RESOLVERS = ['dig', 'kdig'] as const;
export type Resolver = (typeof RESOLVERS)[number];

export interface Query {
  readonly resolver: Resolver;
  readonly row: Row;
  readonly port: number;
  readonly name: string;
  readonly patience: number;
}

/** Resolves with whether the resolver accepted the answer. A few at once: each is a process. */
export function resolve(client: Client, queries: readonly Query[]): Promise<boolean[]> {
  return mapLimited(16, queries, async ({ resolver, row, port, name, patience }) => {
    const server = row.device === undefined ? `@${row.asked}` : `@${row.asked}%${row.device}`;
    const once = resolver === 'dig' ? ['+tries=1', `+time=${patience}`] : ['+retry=0', `+time=${patience}`];
    const options = [server, '-p', String(port), ...once, '+short', name, 'TXT'];
    return (await run([...client.enter, resolver, ...options])).stdout.includes(`asked ${name}`);
  });
}
