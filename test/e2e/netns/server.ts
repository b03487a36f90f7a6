/**
 * The server that is asked: a program of its own, started with one JSON argument (see {@link Order}). It answers each
 * text with `re:` and the text, DNS queries with DNS answers, and writes a JSON line about each datagram. It ends when
 * its standard input does.
 */
import * as dgram from 'node:dgram';
import { once } from 'node:events';
import { answerQuery } from './dns';
import { library } from './library';
import type { Shape } from './rows';
import { GROUPS } from './topology';

export interface Order {
  readonly subject: 'dgram' | 'recvfromto';
  /** What to open, and on which port; the port after it speaks DNS. */
  readonly listen: readonly { readonly shape: Shape; readonly port: number }[];
  readonly replyInterface?: 'route' | 'ingress';
  /** No lines, for load. */
  readonly quiet?: true;
}

export interface Line {
  readonly shape: Shape;
  readonly text: string;
  readonly remote: { readonly address: string; readonly port: number };
  readonly destination?: { address: string; family: string; port: number; ifindex: number; interface?: string };
  readonly localAddress?: string;
  /** What the callback of the answer said. */
  readonly error?: { readonly code: string; readonly message: string };
}

type Info = dgram.RemoteInfo & Pick<Line, 'destination' | 'localAddress'>;
type Answer = (msg: Buffer, info: Info, sent: (error?: Error | null) => void) => void;
type Hear = (msg: Buffer, info: Info, answer: Answer) => void;

const order = JSON.parse(process.argv[2] ?? '') as Order;
const closers: (() => void)[] = [];

function hear(shape: Shape, dns: boolean): Hear {
  return (msg, info, answer) => {
    const text = dns ? '' : msg.toString();
    answer(dns ? answerQuery(msg) : Buffer.from(`re:${text}`), info, (error) => {
      if (order.quiet) return;
      const { address, port, destination, localAddress } = info;
      const line: Line = {
        shape,
        text,
        remote: { address, port },
        ...(destination && { destination }),
        ...(localAddress !== undefined && { localAddress }),
        ...(error && { error: { code: (error as NodeJS.ErrnoException).code ?? '', message: error.message } }),
      };
      if (!dns) process.stdout.write(`${JSON.stringify(line)}\n`);
    });
  };
}

/** Opens sockets of node:dgram, or ours: the code is the same but for the one line that answers. */
async function openSocket(type: 'udp4' | 'udp6', ipv6Only: boolean, port: number, listener: Hear): Promise<void> {
  const ours = order.subject === 'recvfromto';
  const { createSocket } = ours ? library() : (dgram as unknown as ReturnType<typeof library>);
  const socket = createSocket({
    type,
    ipv6Only,
    ...(ours && order.replyInterface && { replyInterface: order.replyInterface }),
  });
  const answer: Answer = ours
    ? (msg, info, sent) => socket.reply(msg, info as never, sent)
    : (msg, info, sent) => socket.send(msg, info.port, info.address, sent);
  socket.on('message', (msg: Buffer, info: object) => listener(msg, info as Info, answer));
  socket.bind(port, type === 'udp4' ? '0.0.0.0' : '::');
  await once(socket, 'listening');
  closers.push(() => socket.close());
  join(socket, type, type === 'udp6' && !ipv6Only);
}

/** The groups on v0; a dual-stack socket joins those of both families. */
function join(socket: { addMembership(group: string, local: string): void }, type: string, dual: boolean): void {
  if (type === 'udp4' || dual) socket.addMembership(GROUPS.ipv4, '10.77.0.1');
  if (type === 'udp4') return;
  socket.addMembership(GROUPS.linkScope, '::%v0');
  socket.addMembership(GROUPS.siteScope, '::%v0');
}

async function openServer(port: number, listener: Hear): Promise<void> {
  const server = library().createServer();
  const answer: Answer = (msg, info, sent) => server.reply(msg, info as never, sent);
  server.on('message', (msg: Buffer, info: object) => listener(msg, info as Info, answer));
  server.listen(port);
  await once(server, 'listening');
  closers.push(() => server.close());
  for (const socket of server.sockets) join(socket, socket.type, false);
}

async function open(shape: Shape, port: number, listener: Hear): Promise<void> {
  if (shape === 'dual') return openSocket('udp6', false, port, listener);
  // node:dgram has no createServer; what it does is what one would write by hand.
  if (shape === 'server' && order.subject === 'recvfromto') return openServer(port, listener);
  await openSocket('udp4', false, port, listener);
  await openSocket('udp6', true, port, listener);
}

async function main(): Promise<void> {
  for (const { shape, port } of order.listen) {
    await open(shape, port, hear(shape, false));
    await open(shape, port + 1, hear(shape, true));
  }
  process.stdin.resume().once('end', () => {
    for (const close of closers) close();
  });
  process.stdout.write('"listening"\n');
}

main();
