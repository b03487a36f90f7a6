/**
 * `recvfromto serve`: an echo server on all addresses that shows what each datagram said about itself. It ends with a
 * signal, or when nobody reads its output any more.
 */
import { lookup } from 'node:dns/promises';
import { isIP } from 'node:net';
import type { CodedError } from '../errors';
import { createServer, type RemoteInfo, type Server } from '../index';
import { banner } from './banner';
import { type Echo, EchoLines } from './echo-lines';
import { listenFailure, lookupFailure, reason } from './failure';
import type { ServeOptions } from './options';
import { isOwn } from './own-address';
import { summary } from './summary';
import { Tally } from './tally';
import type { Terminal } from './terminal';
import { Throttle } from './throttle';
import { place } from './units';
import { upper } from './upper';

export async function serve(options: ServeOptions, terminal: Terminal): Promise<number> {
  const { style } = terminal;
  const host = options.host === undefined ? undefined : await address(options.host);
  const example = (await isOwn('127.0.0.2')) ? '127.0.0.2' : '127.0.0.1';
  const server = createServer({ recvDrops: true, host });
  await listening(server, options.port);
  // From here to answer() without a pause: what comes while nobody listens is lost.
  const started = performance.now();
  for (const line of banner(server.address(), example, style)) terminal.print(line);
  const throttle = new Throttle(
    (line) => terminal.print(line),
    () => terminal.ready,
  );
  const served = answer(server, options, throttle, terminal);
  await ended(terminal);
  throttle.end();
  const { droppedByKernel: dropped } = server.stats();
  await new Promise<void>((closed) => server.close(closed));
  for (const line of summary({ ...served, dropped, time: performance.now() - started }, style)) terminal.print(line);
  return 0;
}

/** Answers everything from now on; what it returns goes on counting. */
function answer(server: Server, options: ServeOptions, throttle: Throttle, terminal: Terminal) {
  const destinations = new Tally();
  const refused = new Tally();
  const lines = new EchoLines(terminal.style);
  if (!options.quiet) terminal.print(lines.head());
  server.on('error', (error) => throttle.add(() => terminal.style.red(`error: ${reason(error)}`)));
  server.on('message', (msg, rinfo) => {
    destinations.add(rinfo.destination?.address ?? 'unknown');
    server.reply(options.upper ? upper(msg) : msg, rinfo, (error) => {
      const why = error === null ? undefined : because(error, rinfo);
      if (why !== undefined) refused.add(why);
      if (!options.quiet) throttle.add(() => lines.line(echo(msg, rinfo, why), terminal.columns));
    });
  });
  return { destinations, refused };
}

function echo(msg: Buffer, rinfo: RemoteInfo, refused: string | undefined): Echo {
  const { address, port, destination, localAddress: answeredFrom } = rinfo;
  const to = destination?.address ?? 'unknown';
  return { from: place(address, port), to, via: destination?.interface ?? '?', answeredFrom, refused, msg };
}

/** The reason alone, where the line says the rest. */
function because(error: Error, { address, port }: RemoteInfo): string {
  const { code, message } = error as CodedError;
  if (code === 'EADDRNOTAVAIL') return 'the address it was sent to is gone';
  const start = `Cannot reply to ${address}:${port}: `;
  return message.startsWith(start) ? message.slice(start.length) : reason(error);
}

/** @throws Failure */
async function address(host: string): Promise<string> {
  if (isIP(host) !== 0) return host;
  try {
    return (await lookup(host)).address;
  } catch (error) {
    throw lookupFailure(error as Error, host, 0);
  }
}

/** @throws Failure */
function listening(server: Server, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    const failed = (error: Error) => reject(listenFailure(error, port));
    server.once('error', failed);
    server.listen(port, () => {
      server.off('error', failed);
      resolve();
    });
  });
}

/** A second signal ends the process at once, as without us. SIGHUP is left alone, because nohup(1) ignores it. */
function ended(terminal: Terminal): Promise<void> {
  return new Promise((resolve) => {
    terminal.onClosed(resolve);
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => resolve());
  });
}
