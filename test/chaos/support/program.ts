/**
 * Programs of their own: what is tried here may abort a process, exhaust its descriptors or replace its clock. They use
 * the package as it was built, by its name, from the package's own directory, where the name leads to itself.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';

export const ROOT = join(__dirname, '../../..');

export interface Ended {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface ProgramOptions {
  /** Node's own. */
  readonly flags?: readonly string[];
  readonly args?: readonly string[];
  readonly env?: NodeJS.ProcessEnv;
  /** Put before the path of Node: ['strace', …]. */
  readonly under?: readonly string[];
  /** ms after which it is killed. Default 30 s. */
  readonly timeout?: number;
  readonly cwd?: string;
}

/** Functions that every program finds in scope. */
const PRELUDE = `
const dgram = require('node:dgram');
const { once } = require('node:events');
const say = (...what) => require('node:fs').writeSync(1, what.map(String).join(' ') + '\\n');
const stateOf = (socket) => socket[Object.getOwnPropertySymbols(socket).find((s) => s.description === 'state symbol')];
const fdOf = (socket) => stateOf(socket).handle.fd;
const bound = async (socket, port = 0, address = '127.0.0.1') => {
  socket.bind(port, address);
  await once(socket, 'listening');
  return socket;
};
const real = { setImmediate, setTimeout, setInterval, clearTimeout, hrtime: process.hrtime.bigint };
const turns = (count) => new Promise((done) => {
  const step = () => (count-- > 0 ? real.setImmediate(step) : done());
  step();
});
/** Resolves when condition() holds; false after so many ms. By the clock and the timers that the program began with. */
const when = (condition, ms = 5000) => new Promise((done) => {
  const started = real.hrtime();
  const look = () => {
    if (condition()) return done(true);
    if (real.hrtime() - started > BigInt(ms) * 1000000n) return done(false);
    real.setTimeout(look, 2);
  };
  look();
});
`;

export const library = "const { createSocket, createServer } = require('recvfromto');\n";

const running = new Set<ChildProcess>();
process.on('exit', () => {
  for (const child of running) child.kill('SIGKILL');
});

/** Runs `source`, the body of an async function in a CommonJS program, to its end. */
export function program(source: string, options: ProgramOptions = {}): Promise<Ended> {
  const body = `${PRELUDE}\n(async () => {\n${source}\n})();`;
  return node(['-e', body, ...(options.args ?? [])], options);
}

/** Runs node with `argv` to its end. */
export async function node(argv: readonly string[], options: ProgramOptions = {}): Promise<Ended> {
  const { flags = [], under = [], timeout = 30_000, env = {}, cwd = ROOT } = options;
  const [command, ...rest] = [...under, process.execPath, ...flags, ...argv] as [string, ...string[]];
  const child = spawn(command, rest, { cwd, env: { ...process.env, NODE_OPTIONS: '', ...env }, stdio: 'pipe' });
  running.add(child);
  child.stdin.end();
  let [stdout, stderr] = ['', ''];
  child.stdout.setEncoding('utf8').on('data', (text) => {
    stdout += text;
  });
  child.stderr.setEncoding('utf8').on('data', (text) => {
    stderr += text;
  });
  const timer = setTimeout(() => child.kill('SIGKILL'), timeout);
  const [code, signal] = (await once(child, 'close')) as [number | null, NodeJS.Signals | null];
  clearTimeout(timer);
  running.delete(child);
  return { code, signal, stdout, stderr };
}

/** What a program said, in lines; its stderr and how it ended, where that was not well. */
export function lines({ code, signal, stdout, stderr }: Ended): string[] {
  const said = stdout.split('\n').filter((line) => line !== '');
  return code === 0 ? said : [...said, `ended with ${signal ?? code}: ${stderr.slice(-2000)}`];
}
