#!/usr/bin/env node
/**
 * The command `recvfromto`: parses, runs one of its commands, and turns what comes back into an exit status. An error
 * that has a code is a line; one without is a bug of ours, and shows its stack.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { doctor } from './doctor/command';
import { Failure } from './failure';
import { type Invocation, invocation } from './options';
import { send } from './send';
import { serve } from './serve';
import { Terminal } from './terminal';
import { EX_USAGE, UsageError, usage } from './usage';

const terminal = new Terminal();

function run(call: Invocation): number | Promise<number> {
  switch (call.command) {
    case 'help':
      terminal.print(usage(call.of).trimEnd());
      return 0;
    case 'version':
      terminal.print(version());
      return 0;
    case 'serve':
      return serve(call.options, terminal);
    case 'send':
      return send(call.options, terminal);
    case 'doctor':
      return doctor(call.options, version(), terminal);
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
    process.exitCode = await run(invocation(process.argv.slice(2)));
  } catch (error) {
    process.exitCode = failed(error);
  }
}

void main();
