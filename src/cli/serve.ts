/**
 * `recvfromto serve`: an echo server on all addresses that shows what each datagram said about itself. It ends with a
 * signal, or when nobody reads its output any more.
 */
import { lookup } from 'node:dns/promises';
import { isIP } from 'node:net';
import { createServer, type RemoteInfo, type Server } from '../index';
import { listenFailure, lookupFailure } from './failure';
import { joinAll } from './groups';
import type { ServeOptions } from './options';
import { isOwn } from './own-address';
import { JsonReport, type Report, TextReport } from './serve-report';
import type { Terminal } from './terminal';
import { upper } from './upper';

export async function serve(options: ServeOptions, terminal: Terminal): Promise<number> {
  const { json, quiet } = options;
  const host = options.host === undefined ? undefined : await address(options.host);
  const example = (await isOwn('127.0.0.2')) ? '127.0.0.2' : '127.0.0.1';
  const server = createServer({ recvDrops: true, host });
  await listening(server, options.port);
  const report: Report = json ? new JsonReport(terminal, quiet) : new TextReport(terminal, quiet, example);
  try {
    joinAll(server, options.groups);
    // From here to answer() without a pause: what comes while nobody listens is lost.
    const started = performance.now();
    report.listening(server.address());
    answer(server, options, report);
    await ended(terminal);
    report.end(server.stats().droppedByKernel, performance.now() - started);
  } finally {
    await new Promise<void>((closed) => server.close(closed));
  }
  return 0;
}

/** Answers everything from now on. */
function answer(server: Server, options: ServeOptions, report: Report): void {
  server.on('error', (error) => report.failed(error));
  server.on('message', (msg: Buffer, rinfo: RemoteInfo) => {
    server.reply(options.upper ? upper(msg) : msg, rinfo, (error) => report.datagram(msg, rinfo, error));
  });
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
