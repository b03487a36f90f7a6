/**
 * Asks every row of one subject with every client and gathers, per row, all that the clients, the cable and the server
 * itself say about it. Judging is verdict.ts's.
 */
import { ask, type Heard, type Job, type Query, RESOLVERS, type Resolver, resolve } from './clients';
import { Program, script } from './programs';
import { type Row, SECTIONS, type Shape } from './rows';
import type { Line, Order } from './server';
import type { Client } from './topology';
import type { Packet, Wire } from './wire';

/** One row asked of one way to listen. */
export interface Finding {
  readonly row: Row;
  readonly shape: Shape;
  /** Port of the server. */
  readonly port: number;
  readonly unconnected: Heard;
  /** Unicast only. */
  readonly connected?: Heard;
  readonly resolvers: Partial<Record<Resolver, boolean>>;
  /** Answers that came to the unconnected client's port, and to the connected one's. */
  readonly packets: readonly Packet[];
  /** What the server heard of the unconnected client; of the connected one. */
  readonly lines: readonly Line[];
}

const PORTS: Record<Order['subject'], number> = { dgram: 5300, recvfromto: 5400 };
const port = (subject: Order['subject'], shape: Shape) =>
  PORTS[subject] + 2 * ['sockets', 'server', 'dual'].indexOf(shape);

/** Seconds: short where wrong answers are expected, which are waited for in vain; long where a slow host must not fail. */
const PATIENCE: Record<Order['subject'], number> = { dgram: 1, recvfromto: 5 };

export async function survey(client: Client, wire: Wire, subject: Order['subject']): Promise<Finding[]> {
  const shapes: Shape[] = subject === 'dgram' ? ['sockets', 'dual'] : ['sockets', 'server', 'dual'];
  const listen = shapes.map((shape) => ({ shape, port: port(subject, shape) }));
  const server = new Program<Line>(process.execPath, script('server.ts', { subject, listen } satisfies Order));
  await server.listening();

  const asked = SECTIONS.flatMap(({ rows, shapes: all }) =>
    all.filter((shape) => shapes.includes(shape)).flatMap((shape) => rows.map((row) => ({ row, shape }))),
  );
  const patience = PATIENCE[subject];
  const jobs = asked.flatMap(({ row, shape }) => jobsOf(row, shape, port(subject, shape), patience));
  const queries = asked.flatMap(({ row, shape }) => queriesOf(row, port(subject, shape) + 1, patience));
  const [heard, resolved] = await Promise.all([ask(client, jobs), resolve(client, queries)]);
  await server.end();
  await wire.settle();

  return asked.map(({ row, shape }) => {
    const key = id(row, shape);
    const unconnected = heard.get(`${key} unconnected`);
    const connected = heard.get(`${key} connected`);
    if (!unconnected) throw new Error(`client.py lost ${key}`);
    const clientPorts = [unconnected, connected].flatMap((one) => (one ? [one.port] : []));
    const serverPort = port(subject, shape);
    return {
      row,
      shape,
      port: serverPort,
      unconnected,
      ...(connected && { connected }),
      resolvers: Object.fromEntries(
        queries.flatMap((query, at) =>
          query.row === row && query.port === serverPort + 1 ? [[query.resolver, resolved[at] as boolean]] : [],
        ),
      ),
      packets: clientPorts.flatMap((clientPort) => wire.answers(serverPort, clientPort)),
      lines: server.lines.filter((line) => line.text?.startsWith(`${key} `)),
    };
  });
}

const id = (row: Row, shape: Shape) => `${shape} ${row.asked} by ${row.via}`;

function jobsOf(row: Row, shape: Shape, to: number, patience: number): Job[] {
  const modes = row.kind === 'unicast' ? (['unconnected', 'connected'] as const) : (['unconnected'] as const);
  return modes.map((mode) => ({
    id: `${id(row, shape)} ${mode}`,
    text: `${id(row, shape)} ${mode}`,
    mode,
    family: row.family,
    to: row.asked,
    port: to,
    patience,
    ...(row.device !== undefined && { device: row.device }),
  }));
}

// Resolvers ask unicast addresses only: neither of them sets SO_BROADCAST or sends to groups.
function queriesOf(row: Row, to: number, patience: number): Query[] {
  if (row.kind !== 'unicast') return [];
  const name = `${row.asked.replace(/[.:]+/g, '-')}.test`;
  return RESOLVERS.map((resolver) => ({ resolver, row, port: to, name, patience }));
}
