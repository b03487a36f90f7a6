/** The command line, parsed by node:util and checked once: from argv to what a command reads. Knows no sockets. */
import { isIP } from 'node:net';
import { type ParseArgsConfig, parseArgs } from 'node:util';
import { type CommandName, UsageError } from './usage';

export interface ServeOptions {
  readonly port: number;
  /** undefined: all addresses. */
  readonly host: string | undefined;
  readonly upper: boolean;
  readonly quiet: boolean;
}

export interface SendOptions {
  readonly host: string;
  readonly port: number;
  readonly text: string;
  /** An IP literal. */
  readonly from: string | undefined;
  readonly count: number;
  /** ms */
  readonly timeout: number;
}

export interface DoctorOptions {
  readonly json: boolean;
}

export type Invocation =
  | { readonly command: 'help'; readonly of: CommandName | undefined }
  | { readonly command: 'version' }
  | { readonly command: 'serve'; readonly options: ServeOptions }
  | { readonly command: 'send'; readonly options: SendOptions }
  | { readonly command: 'doctor'; readonly options: DoctorOptions };

/** RFC 8085, section 3.1.1: a datagram a second is what may be sent blindly; this many are sent only when answered. */
const MOST = 1_000_000;
/** An hour; setTimeout takes no more than 2³¹-1 ms. */
const LONGEST = 3_600_000;

/** @param args without node and the script. @throws UsageError */
export function invocation(args: readonly string[]): Invocation {
  const [command, ...rest] = args;
  switch (command) {
    case 'serve':
      return serveOptions(rest);
    case 'send':
      return sendOptions(rest);
    case 'doctor':
      return doctorOptions(rest);
    default:
      return mainOptions(args);
  }
}

function mainOptions(args: readonly string[]): Invocation {
  const options = { help: { type: 'boolean', short: 'h' }, version: { type: 'boolean', short: 'v' } } as const;
  const { values, positionals } = parsed({ args: [...args], options, allowPositionals: true }, undefined);
  if (positionals.length > 0) throw new UsageError(`unknown command ${positionals[0]}`);
  if (values.help) return { command: 'help', of: undefined };
  if (values.version) return { command: 'version' };
  throw new UsageError('no command given: serve, send or doctor');
}

function serveOptions(args: string[]): Invocation {
  const options = {
    port: { type: 'string', default: '5300' },
    host: { type: 'string', default: 'any' },
    upper: { type: 'boolean', default: false },
    quiet: { type: 'boolean', default: false },
    help: { type: 'boolean', short: 'h' },
  } as const;
  const { values } = parsed({ args, options }, 'serve');
  if (values.help) return { command: 'help', of: 'serve' };
  const { host, upper, quiet } = values;
  if (host === '') throw new UsageError('--host needs an address, or any', 'serve');
  const port = integer('--port', values.port, 0, 65535, 'serve');
  return { command: 'serve', options: { port, host: host === 'any' ? undefined : host, upper, quiet } };
}

function sendOptions(args: string[]): Invocation {
  const options = {
    from: { type: 'string' },
    count: { type: 'string', default: '1' },
    timeout: { type: 'string', default: '2000' },
    help: { type: 'boolean', short: 'h' },
  } as const;
  const { values, positionals } = parsed({ args, options, allowPositionals: true }, 'send');
  if (values.help) return { command: 'help', of: 'send' };
  const [host, port, text = 'hello', extra] = positionals;
  if (!host || port === undefined) throw new UsageError('needs a host and a port', 'send');
  if (extra !== undefined) throw new UsageError(`one text only: quote it, as in '${text} ${extra}'`, 'send');
  const { from } = values;
  if (from !== undefined && isIP(from) === 0) throw new UsageError(`--from needs an IP address, not ${from}`, 'send');
  return {
    command: 'send',
    options: {
      host,
      port: integer('port', port, 1, 65535, 'send'),
      text,
      from,
      count: integer('--count', values.count, 1, MOST, 'send'),
      timeout: integer('--timeout', values.timeout, 1, LONGEST, 'send'),
    },
  };
}

function doctorOptions(args: string[]): Invocation {
  const options = { json: { type: 'boolean', default: false }, help: { type: 'boolean', short: 'h' } } as const;
  const { values } = parsed({ args, options }, 'doctor');
  return values.help ? { command: 'help', of: 'doctor' } : { command: 'doctor', options: { json: values.json } };
}

function parsed<Config extends ParseArgsConfig>(config: Config, command: CommandName | undefined) {
  try {
    return parseArgs({ ...config, strict: true });
  } catch (error) {
    if (!String((error as NodeJS.ErrnoException).code).startsWith('ERR_PARSE_ARGS_')) throw error;
    throw new UsageError(firstSentence((error as Error).message), command);
  }
}

/** node:util explains at length; the first sentence says it, or says it in riddles. */
function firstSentence(message: string): string {
  const [, option] = /^Option '(?:-\w, )?(--\w+).*argument (?:missing|is ambiguous)/.exec(message) ?? [];
  if (option !== undefined) return `${option} needs a value`;
  const [first] = message.split(/\. |\n|; /, 1);
  return `${first.charAt(0).toLowerCase()}${first.slice(1)}`.replace(/\.$/, '');
}

function integer(name: string, text: string, min: number, max: number, command: CommandName): number {
  const number = /^\d{1,9}$/.test(text) ? Number(text) : Number.NaN;
  if (number >= min && number <= max) return number;
  throw new UsageError(`${name} needs a whole number from ${min} to ${max}, not ${text || "''"}`, command);
}
