/**
 * A recvfromto program that sends from addresses it must not, or no longer, send from, and tells what happened. Asked
 * "remove ADDRESS/LENGTH" it takes that address off v0 before it answers. Ends when its standard input does.
 */
import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { library } from './library';

export type Kind = 'udp4' | 'udp6' | 'dual';

export interface Speech {
  readonly ports: Readonly<Record<Kind, number>>;
  /** Sent in this order at the beginning. */
  readonly sends: readonly Send[];
}

export interface Send {
  readonly kind: Kind;
  readonly address: string;
  readonly port: number;
  readonly localAddress: string;
}

export interface Outcome {
  /** The text that was answered, or of `sends` the one that was sent. */
  readonly of: string | number;
  readonly code?: string;
  readonly localAddress?: string;
}

const { ports, sends } = JSON.parse(process.argv[2] ?? '') as Speech;

function tell(of: Outcome['of'], error?: unknown): void {
  const { code, localAddress } = (error ?? {}) as { code?: string; localAddress?: string };
  process.stdout.write(`${JSON.stringify({ of, ...(error ? { code: code ?? String(error), localAddress } : {}) })}\n`);
}

async function open(kind: Kind) {
  const socket = library().createSocket({ type: kind === 'udp4' ? 'udp4' : 'udp6', ipv6Only: kind === 'udp6' });
  socket.on('message', (msg, rinfo) => {
    const text = msg.toString();
    const [word, prefix = ''] = text.split(' ');
    if (word === 'remove') execFileSync('ip', ['addr', 'del', prefix, 'dev', 'v0']);
    socket.reply(Buffer.from(`re:${text}`), rinfo, (error) => tell(text, error));
  });
  socket.bind(ports[kind]);
  await once(socket, 'listening');
  return socket;
}

async function main(): Promise<void> {
  const sockets = { udp4: await open('udp4'), udp6: await open('udp6'), dual: await open('dual') };
  process.stdin.resume().once('end', () => {
    for (const socket of Object.values(sockets)) socket.close();
  });
  process.stdout.write('"listening"\n');
  for (const [at, { kind, ...target }] of sends.entries()) {
    // Misuse may be thrown, as dgram does, or told to the callback.
    try {
      sockets[kind].send(Buffer.from(`send ${at}`), target, (error) => tell(at, error));
    } catch (error) {
      tell(at, error);
    }
  }
}

main();
