/**
 * A machine with a modelled kernel, links with peers, and sockets of ours on it. One per test.
 *
 *   lo    1      127.0.0.1/8  ::1
 *   eth0  3      10.0.0.1/24, 10.0.0.2, 10.0.0.3   2001:db8::1/64, ::2   fe80::1   ── link A: 10.0.0.9, 2001:db8::9, fe80::9
 *   eth1  0x102  10.1.0.1/24, 10.1.0.2             2001:db8:1::1/64      fe80::11  ── link B: 10.1.0.9, 2001:db8:1::9
 *                                                                        default route: eth0 ── 198.51.100.7
 */
import { setImmediate } from 'node:timers';
import { Engine } from '../../src/datagram/engine';
import { proved } from '../../src/datagram/engines';
import type { Host } from '../../src/ffi/index';
import { platformFor } from '../../src/platform';
import type { Platform } from '../../src/platform/platform';
import { Server, type ServerOptions } from '../../src/socket/server';
import { Socket } from '../../src/socket/socket';
import type { MessageListener, RemoteInfo, SocketOptions } from '../../src/types';
import { type Facts, target } from '../abi/facts';
import { FreeBSDKernel, NetBSDKernel, OpenBSDKernel } from './bsd';
import { DarwinKernel } from './darwin';
import type { Kernel } from './kernel';
import { LinuxKernel } from './linux';
import { Link, Machine, type Peer, peerOn } from './net';
import type { Sock } from './sock';
import { WindowsKernel } from './win32';

const kernels = {
  linux: LinuxKernel,
  android: LinuxKernel,
  darwin: DarwinKernel,
  freebsd: FreeBSDKernel,
  openbsd: OpenBSDKernel,
  netbsd: NetBSDKernel,
  win32: WindowsKernel,
} as const;

/** What the suite runs on: one of each OS, and 32-bit ones where the model has them. */
export const models = [
  'linux-x64',
  'linux-arm',
  'android-arm64',
  'darwin-arm64',
  'freebsd-x64',
  'openbsd-x64',
  'netbsd-x64',
  'netbsd-arm64',
  'win32-x64',
  'win32-ia32',
] as const;
export type ModelName = (typeof models)[number];

export const PORT = 5300;

/** Turns of the event loop without a system call after which nothing is on its way any more. */
const STILL = 4;
const TOO_LONG = 400;

/** A socket of ours, and what it has seen. */
export interface Observed {
  readonly socket: Socket;
  readonly messages: { readonly text: string; readonly rinfo: RemoteInfo }[];
  readonly errors: NodeJS.ErrnoException[];
  /** What came of its answers, in order. */
  readonly answers: (NodeJS.ErrnoException | null)[];
  readonly sock: Sock;
}

export class World {
  readonly platform: Platform;
  readonly machine: Machine;
  readonly kernel: Kernel;
  /** As it is opened. */
  readonly host: Host;
  readonly engine: Engine;
  readonly linkA = new Link();
  readonly linkB = new Link();
  /** On eth0's link. */
  readonly near: Peer;
  /** On eth1's link. */
  readonly side: Peer;
  /** Behind eth0's router. */
  readonly far: Peer;
  /** On the machine itself. */
  readonly own: Peer;
  readonly #open: { close(): unknown }[] = [];
  #now = 0;

  /** @param made a system that is not among the fixtures, around the kernel that its facts name */
  constructor(name: string, made?: { readonly facts: Facts; readonly platform: Platform }) {
    const facts = made?.facts ?? target(name);
    // A copy: what is cached by Platform is then this test's own, whatever a mutation run does to the original.
    this.platform = { ...(made?.platform ?? platformFor(facts.os, facts.arch, facts.libc)) };
    this.machine = new Machine(interfaces(facts.os, this.linkA, this.linkB));
    this.kernel = new kernels[facts.os as keyof typeof kernels](facts, this.machine);
    this.near = peerOn(this.linkA, ['10.0.0.9', '2001:db8::9', 'fe80::9'], 4000);
    this.side = peerOn(this.linkB, ['10.1.0.9', '2001:db8:1::9', 'fe80::19'], 4001);
    this.far = peerOn(this.linkA, ['198.51.100.7', '2001:db8:ffff::7'], 4002);
    this.own = this.machine.program(['127.0.0.1', '10.0.0.2', '::1', '2001:db8::2'], 4003);
    this.host = {
      platform: this.platform,
      syscalls: this.kernel,
      readiness: this.kernel.readiness,
      networkInterfaces: () => this.machine.networkInterfaces(),
    };
    this.engine = new Engine(proved(this.host), () => this.#now);
  }

  /** How the system writes the zone of an interface. */
  zone(ifindex: number): string {
    return this.kernel.facts.os === 'win32' ? String(ifindex) : (this.machine.byIndex(ifindex)?.name ?? '');
  }

  /** Lets whatever was learned about interfaces grow old. */
  later(ms: number): void {
    this.#now += ms;
  }

  /** A bound socket that answers every message with its text in capitals, unless `listener` does something else. */
  bind(
    options: SocketOptions,
    { port = PORT, address }: { port?: number; address?: string } = {},
    listener?: (observed: Observed, ...message: Parameters<MessageListener>) => void,
  ): Promise<Observed> {
    return this.#observe(options, (socket, done) => socket.bind(port, address, done), listener);
  }

  /** The same around a descriptor that is bound already, as libuv's handles are handed over. */
  adopt(options: SocketOptions, fd: number): Promise<Observed> {
    const handle = { fd, recvStart: () => 0, close: () => void this.kernel.close(fd) };
    return this.#observe(options, (socket, done) => socket.bind(handle as never, done), undefined, fd);
  }

  async #observe(
    options: SocketOptions,
    bind: (socket: Socket, done: () => void) => void,
    listener?: (observed: Observed, ...message: Parameters<MessageListener>) => void,
    fd?: number,
  ): Promise<Observed> {
    const socket = new Socket({ batch: 8, maxDatagramSize: 2048, ...options }, undefined, this.engine);
    this.#open.push(socket);
    const observed = { socket, messages: [], errors: [], answers: [] } as Omit<Observed, 'sock'> as Observed;
    socket.on('message', (msg, rinfo) => {
      observed.messages.push({ text: msg.toString(), rinfo });
      if (listener === undefined) answer(observed, msg, rinfo);
      else listener(observed, msg, rinfo);
    });
    const before = new Set(this.kernel.sockets.keys());
    await new Promise<void>((done, failed) => {
      socket.once('error', failed);
      bind(socket, () => {
        socket.off('error', failed);
        done();
      });
    });
    socket.on('error', (error) => observed.errors.push(error));
    const opened = fd ?? ([...this.kernel.sockets.keys()].find((each) => !before.has(each)) as number);
    return Object.assign(observed, { sock: this.kernel.sockets.get(opened) });
  }

  async server(options: ServerOptions, listener: (server: Server, ...message: Parameters<MessageListener>) => void) {
    const server = new Server({ batch: 8, maxDatagramSize: 2048, ...options }, undefined, this.engine);
    this.#open.push(server);
    server.on('message', (msg, rinfo) => listener(server, msg, rinfo));
    await new Promise<void>((done, failed) => {
      server.once('error', failed);
      server.listen(PORT, done);
    });
    return server;
  }

  /** Waits until nothing happens any more. */
  async quiet(): Promise<void> {
    for (let turns = 0, still = 0; still < STILL && turns < TOO_LONG; turns++) {
      const before = this.#activity;
      await new Promise((done) => setImmediate(done));
      still = before === this.#activity ? still + 1 : 0;
    }
  }

  /** Waits for something that takes real time. */
  async until(condition: () => boolean, ms = 2000): Promise<void> {
    const end = performance.now() + ms;
    while (!condition() && performance.now() < end) await new Promise((done) => setTimeout(done, 1));
    await this.quiet();
  }

  close(): void {
    for (const each of this.#open) {
      try {
        each.close();
      } catch {
        // closed by the test
      }
    }
  }

  get #activity(): number {
    return this.kernel.calls + this.kernel.readiness.calls;
  }
}

/** Replies with the text in capitals. */
export function answer({ socket, answers }: Observed, msg: Buffer, rinfo: RemoteInfo): void {
  socket.reply(msg.toString().toUpperCase(), rinfo, (error) => answers.push(error));
}

function interfaces(os: string, linkA: Link, linkB: Link) {
  const name = (unix: string, darwin: string, windows: string) =>
    os === 'darwin' ? darwin : os === 'win32' ? windows : unix;
  const all = (...addresses: string[]) =>
    addresses.map((text) => {
      const [address, prefix] = text.split('/');
      return { address, prefix: Number(prefix) };
    });
  return [
    { name: name('lo', 'lo0', 'Loopback'), index: 1, link: undefined, addresses: all('127.0.0.1/8', '::1/128') },
    {
      name: name('eth0', 'en0', 'Ethernet'),
      index: 3,
      link: linkA,
      mtu: 1500,
      addresses: all(
        '10.0.0.1/24',
        '10.0.0.2/24',
        '10.0.0.3/24',
        '2001:db8::1/64',
        '2001:db8::2/64',
        'fe80::1/64',
        'fe80::2/64',
      ),
    },
    {
      name: name('eth1', 'en1', 'Ethernet 2'),
      index: 0x102,
      link: linkB,
      mtu: 1500,
      addresses: all('10.1.0.1/24', '10.1.0.2/24', '2001:db8:1::1/64', '2001:db8:1::2/64', 'fe80::11/64'),
    },
  ];
}
