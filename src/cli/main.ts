#!/usr/bin/env node
/**
 * The command `recvfromto`: parses, runs one of its commands, and turns what comes back into an exit status. An error
 * that has a code is a line; one without is a bug of ours, and shows its stack.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Failure } from './failure';
import type { Invocation } from './options';
import { invocation } from './program';
import { Terminal } from './terminal';
import { EX_USAGE, UsageError } from './usage';

const terminal = new Terminal();

/** Each command loads what it needs, so that help is quick. */
const load = {
  serve: () => require('./serve') as typeof import('./serve'),
  send: () => require('./send') as typeof import('./send'),
  probe: () => require('./probe/probe') as typeof import('./probe/probe'),
  audit: () => require('./audit/audit') as typeof import('./audit/audit'),
  doctor: () => require('./doctor/doctor') as typeof import('./doctor/doctor'),
};

/** → exit status */
function run(call: Invocation): number | Promise<number> {
  switch (call.command) {
    case 'help':
    case 'version':
      terminal.print(call.text);
      return 0;
    case 'serve':
      return load.serve().serve(call.options, terminal);
    case 'send':
      return load.send().send(call.options, terminal);
    case 'probe':
      return load.probe().probe(call.options, terminal);
    case 'audit':
      return load.audit().audit(call.options, terminal);
    case 'doctor':
      return load.doctor().doctor(call.options, version(), terminal);
  }
}

function version(): string {
  return JSON.parse(readFileSync(join(__dirname, '../../package.json'), 'utf8')).version;
}

/** → exit status */
function failed(error: unknown): number {
  if (error instanceof UsageError) {
    const who = error.command === undefined ? 'recvfromto' : `recvfromto ${error.command}`;
    terminal.complain(`${error.message} (see ${who} --help)`, who);
    return EX_USAGE;
  }
  const known = error instanceof Failure || (error instanceof Error && 'code' in error);
  if (known) terminal.complain(error.message);
  else console.error(error);
  return 1;
}

async function main(): Promise<void> {
  // What fails in a callback of the event loop ends here (an unsupported runtime does, at bind).
  process.on('uncaughtException', (error) => process.exit(failed(error)));
  try {
    process.exitCode = await run(invocation(process.argv.slice(2), version(), terminal.columns));
  } catch (error) {
    process.exitCode = failed(error);
  }
}

void main();
