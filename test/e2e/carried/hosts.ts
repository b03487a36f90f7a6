/**
 * Hosts made of network namespaces, for the scenes beside this file. The namespace that the tests run in (run.sh makes it)
 * is one of them; others are children, and go with their last process.
 */
import { type ChildProcessWithoutNullStreams, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { createSocket, type RemoteInfo, type Socket, type SocketOptions } from '../../../src/index';

/** What peer.py saw of a datagram, or says. */
export interface Line {
  readonly from?: string;
  readonly to?: string;
  readonly port?: number;
  readonly size?: number;
  readonly data?: string;
  readonly ttl?: number;
  readonly tos?: number;
  readonly sent?: number;
  readonly listening?: number;
}

interface Order {
  readonly to?: readonly [address: string, port: number];
  readonly data?: string;
  readonly from?: string;
  readonly ttl?: number;
  readonly tos?: number;
  readonly count?: number;
  readonly echo?: boolean;
}

const children: ChildProcessWithoutNullStreams[] = [];
const sockets: Socket[] = [];

/** Another host. */
export class Host {
  readonly #enter: readonly string[];
  readonly namespace: string;

  private constructor(pid: string) {
    this.namespace = `/proc/${pid}/ns/net`;
    this.#enter = [`--net=${this.namespace}`];
  }

  static async make(): Promise<Host> {
    // The shell names itself as /proc does, which may show the outer PID namespace.
    const script = 'read -r pid rest < /proc/self/stat && echo "$pid" && exec sleep 600';
    const holder = spawn('unshare', ['--net', 'sh', '-c', script]);
    children.push(holder);
    const [line] = await once(holder.stdout, 'data');
    const host = new Host(String(line).trim());
    host.sh('ip link set lo up; for f in /proc/sys/net/ipv4/conf/*/rp_filter; do echo 0 > $f; done');
    return host;
  }

  /** Runs a script there. → its output */
  sh(script: string): string {
    return execFileSync('nsenter', [...this.#enter, 'sh', '-ec', script], { encoding: 'utf8' });
  }

  /** Starts peer.py there. */
  peer(port: number, ...more: string[]): Promise<Peer> {
    return Peer.start(['nsenter', ...this.#enter], port, more);
  }

  /** A cable to another host, or to ours. */
  async cable(own: string, other: Host | undefined, theirs: string): Promise<void> {
    sh(`ip link add cable-a type veth peer name cable-b
      ip link set cable-a netns ${this.namespace} && ${other ? `ip link set cable-b netns ${other.namespace}` : 'true'}`);
    this.sh(`ip link set cable-a name ${own}`);
    const rename = `ip link set cable-b name ${theirs}`;
    if (other === undefined) sh(rename);
    else other.sh(rename);
  }
}

/** peer.py, on another host or on ours. */
export class Peer {
  readonly lines: Line[] = [];
  readonly port: number;
  readonly #process: ChildProcessWithoutNullStreams;

  private constructor(process: ChildProcessWithoutNullStreams, port: number) {
    this.#process = process;
    this.port = port;
    children.push(process);
    process.stderr.on('data', (text) => console.error(String(text)));
    createInterface(process.stdout).on('line', (line) => this.lines.push(JSON.parse(line)));
  }

  static async start(prefix: readonly string[], port: number, more: readonly string[] = []): Promise<Peer> {
    const [command, ...rest] = [...prefix, 'python3', join(__dirname, 'peer.py'), String(port), ...more];
    const peer = new Peer(spawn(command, rest), port);
    await until(() => peer.lines.length === 1);
    peer.lines.length = 0;
    return peer;
  }

  /** Tells it something. Datagrams have left when this is done. */
  async tell(order: Order): Promise<void> {
    const sent = () => this.lines.filter((line) => line.sent !== undefined).length;
    const before = sent();
    this.#process.stdin.write(`${JSON.stringify(order)}\n`);
    if (order.to !== undefined) await until(() => sent() > before);
  }

  /** The datagrams that it has received, `count` at least. */
  async heard(count: number): Promise<Line[]> {
    const all = () => this.lines.filter((line) => line.from !== undefined);
    await until(() => all().length >= count);
    return all();
  }

  forget(): void {
    this.lines.length = 0;
  }

  end(): void {
    this.#process.kill('SIGKILL');
  }
}

/** Runs a script on our own host. */
export function sh(script: string): string {
  return execFileSync('sh', ['-ec', script], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });
}

export interface Bound {
  readonly socket: Socket;
  readonly got: [text: string, rinfo: RemoteInfo][];
}

/** A socket of ours on our own host, and what it has received. */
export async function bound(
  options: SocketOptions,
  { port = 0, address }: { port?: number; address?: string } = {},
): Promise<Bound> {
  const socket = createSocket(options);
  sockets.push(socket);
  const got: Bound['got'] = [];
  socket.on('message', (msg, rinfo) => got.push([String(msg), rinfo]));
  await new Promise<void>((done, fail) => socket.once('error', fail).bind(port, address, done));
  socket.removeAllListeners('error');
  return { socket, got };
}

/** What becomes of a send(), or of a reply(). */
export function outcome(act: (done: (error: Error | null, bytes: number) => void) => void): Promise<Error | null> {
  return new Promise((done) => act((error) => done(error)));
}

/** @throws after a while, with what was waited for */
export async function until(condition: () => boolean, ms = 10_000): Promise<void> {
  const end = Date.now() + ms;
  while (!condition()) {
    if (Date.now() > end) throw new Error(`in vain: ${condition}`);
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
}

/** Long enough for a datagram that is not to come. */
export function quiet(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, 150));
}

/** To be called when a test is done. */
export function closeSockets(): void {
  for (const socket of sockets.splice(0)) if (socket.fd >= 0) socket.close();
}

/** To be called when all are done: namespaces go with their processes. */
export function endHosts(): void {
  closeSockets();
  for (const child of children.splice(0)) child.kill('SIGKILL');
}

/**
 * For a test that needs something of this machine: runs `probe`, and skips the test where it fails, saying why. With CI=true
 * that is a failure, as a green run must mean that something was tested, unless the `kernel` may have been built without.
 */
export function needs(what: string, probe: string, kernel = false): jest.It {
  try {
    sh(probe);
    return test;
  } catch (error) {
    const why = String((error as { stderr?: unknown }).stderr ?? error).trim();
    if (process.env.CI === 'true' && !kernel) return test; // and fails
    process.stderr.write(`skipped: ${what} (${why})\n`);
    return test.skip as unknown as jest.It;
  }
}
