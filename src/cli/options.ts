/** What the commands read from the command line, and how its words become values. Knows no sockets. */
import { isIP } from 'node:net';
import { type CommandName, UsageError } from './usage';

export interface ServeOptions {
  readonly port: number;
  /** undefined: all addresses. */
  readonly host: string | undefined;
  readonly groups: readonly Group[];
  readonly upper: boolean;
  readonly quiet: boolean;
  readonly json: boolean;
}

export interface Group {
  readonly address: string;
  /** The interface to join on; undefined: the system's choice. */
  readonly via: string | undefined;
}

export interface SendOptions {
  readonly host: string;
  readonly port: number;
  /** undefined: what stdin holds, if it is a pipe or a file. `-`: stdin, whatever it is. */
  readonly text: string | undefined;
  /** An IP literal. */
  readonly from: string | undefined;
  readonly count: number;
  /** ms */
  readonly timeout: number;
  readonly json: boolean;
}

export interface ProbeOptions {
  readonly port: number;
  /** undefined: by the port. */
  readonly protocol: string | undefined;
  /** None: every address of this machine. */
  readonly hosts: readonly string[];
  /** IP literals to ask from; none: one that shows most. */
  readonly from: readonly string[];
  /** ms for each try */
  readonly timeout: number;
  readonly tries: number;
  readonly json: boolean;
}

export interface AuditOptions {
  readonly json: boolean;
}

export interface DoctorOptions {
  readonly json: boolean;
  readonly deep: boolean;
  /** One case of `--deep` alone; for the processes that doctor starts. */
  readonly only: string | undefined;
}

export type Invocation =
  | { readonly command: 'help' | 'version'; readonly text: string }
  | { readonly command: 'serve'; readonly options: ServeOptions }
  | { readonly command: 'send'; readonly options: SendOptions }
  | { readonly command: 'probe'; readonly options: ProbeOptions }
  | { readonly command: 'audit'; readonly options: AuditOptions }
  | { readonly command: 'doctor'; readonly options: DoctorOptions };

/** RFC 8085, section 3.1.1: a datagram a second is what may be sent blindly; this many are sent only when answered. */
export const MOST = 1_000_000;
/** An hour; setTimeout takes no more than 2³¹-1 ms. */
export const LONGEST = 3_600_000;

/** How the words of one command become values. Each throws a UsageError of that command. */
export function readers(command: CommandName) {
  const refuse = (message: string): never => {
    throw new UsageError(message, command);
  };
  const integer = (name: string, min: number, max: number) => (text: string) => {
    const number = /^\d{1,9}$/.test(text) ? Number(text) : Number.NaN;
    if (number >= min && number <= max) return number;
    return refuse(`${name} needs a whole number from ${min} to ${max}, not ${text || "''"}`);
  };
  const literal = (name: string) => (text: string) =>
    isIP(text) === 0 ? refuse(`${name} needs an IP address, not ${text || "''"}`) : text;
  return { refuse, integer, literal };
}

/** `192.0.2.7:53`, `[2001:db8::7]:53`, `name:53`, and as it is printed here, `192.0.2.7#53`. */
export function hostAndPort(word: string): { host: string; port: string } | undefined {
  const [, bracketed, behind] = /^\[(.+)\](?:[:#](.*))?$/.exec(word) ?? [];
  if (bracketed !== undefined && behind !== undefined) return { host: bracketed, port: behind };
  const [, host, port] = /^(.+)#(.*)$/.exec(word) ?? /^([^:]+):([^:]*)$/.exec(word) ?? [];
  return host === undefined || port === undefined ? undefined : { host, port };
}

/** `[2001:db8::7]` → `2001:db8::7` */
export function withoutBrackets(host: string): string {
  return /^\[(.+)\]$/.exec(host)?.[1] ?? host;
}

/** `239.1.2.3`, `239.1.2.3@eth0`, `ff02::1:5300%eth0` */
export function group(word: string, refuse: (message: string) => never): Group {
  const [, address = '', via] = /^([^@%]*)(?:[@%](.+))?$/.exec(word) ?? [];
  const isGroup = isIP(address) === 4 ? /^2(2[4-9]|3\d)\./.test(address) : /^ff/i.test(address) && isIP(address) === 6;
  if (!isGroup) refuse(`--join needs a multicast address, as in 239.1.2.3@eth0, not ${word || "''"}`);
  return { address, via };
}
