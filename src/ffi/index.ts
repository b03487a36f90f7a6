/**
 * The door to the operating system: what it is (platform), what it can be told (syscalls), how it tells us (readiness).
 * Opened on first use and kept; nothing is loaded before. Callers in datagram/ and socket/ get the parts as arguments.
 */
import type { networkInterfaces } from 'node:os';
import { unsupportedPlatform } from '../errors';
import { checkSystem, hostMachine, hostPlatform } from '../platform/index';
import type { Platform } from '../platform/platform';
import type { LookupFunction } from '../types';
import { hasBinary, type Koffi, loadKoffi, mayRefuseAddons } from './koffi';
import { heedDrops } from './permission';
import type { Readiness } from './readiness';
import type { Syscalls } from './syscalls';
import { isMainThread } from './thread';
import type { Ending } from './wait/at-exit';

export { ERROR, READABLE, type Readiness, type Ready, type Waiter, type Watcher, WRITABLE } from './readiness';
export type { Syscalls } from './syscalls';
export { isMainThread } from './thread';

export interface Host {
  readonly platform: Platform;
  readonly syscalls: Syscalls;
  readonly readiness: Readiness;
  /** Stands for os.networkInterfaces() where the host is a model. */
  readonly networkInterfaces?: typeof networkInterfaces;
  /** A model has no end. */
  readonly ending?: Ending;
  /** Stands for dns.lookup() there. Such a host has ports of its own: a worker of cluster opens them itself. */
  readonly lookup?: LookupFunction;
}

/** What one host needs of these is loaded when it is opened; the rest never. */
const load = {
  posix: () => require('./calls/posix') as typeof import('./calls/posix'),
  winsock: () => require('./calls/winsock') as typeof import('./calls/winsock'),
  uv: () => require('./wait/uv') as typeof import('./wait/uv'),
  many: () => require('./wait/many') as typeof import('./wait/many'),
  nested: () => require('./wait/nested') as typeof import('./wait/nested'),
  epoll: () => require('./wait/epoll') as typeof import('./wait/epoll'),
};

let opened: Host | undefined;

/**
 * The host this process runs on.
 * @throws ERR_RECVFROMTO_UNSUPPORTED_PLATFORM, ERR_ACCESS_DENIED (Node's permission model without --allow-net)
 */
export function openHost(): Host {
  try {
    opened ??= open(hostPlatform());
  } catch (error) {
    throw isOwnFile(error) ? gone(error) : error;
  }
  return opened;
}

/** Is it a file of this package that was not found? Node says so, too, of one that this process may not read. */
const isOwnFile = (error: unknown): error is Error => /^Cannot find module '\.\//.test((error as Error).message);

const gone = (cause: Error): Error =>
  Object.assign(
    unsupportedPlatform(
      'recvfromto cannot read its own files any more, which it needs for the first socket of a process: make that one before ' +
        `the process gives up root, and before the files are replaced (${cause.message.split('\n', 1)[0]})`,
    ),
    { cause },
  );

/**
 * Can the host be opened? Loads nothing where all signs are good, so that a program which never opens a socket is
 * left alone, and so is each of its workers: one that is terminated while it loads koffi ends the process (docs/koffi.md
 * §2.17). Where they are not (Node's permission model, --no-addons, a runtime of its own, no binary in the usual place)
 * the host is opened to see. What goes wrong in spite of good signs is thrown by {@link openHost}, at the first socket.
 * @throws as {@link openHost}
 */
export function checkHost(): void {
  const machine = hostMachine();
  checkSystem(machine.name);
  const { bun, deno } = process.versions as Record<string, string | undefined>;
  const inNode = bun === undefined && deno === undefined;
  if (!inNode || mayRefuseAddons() || !hasBinary(machine)) openHost();
}

function open(platform: Platform): Host {
  const koffi = loadKoffi(platform);
  const watched = (fd: number): boolean => readiness.isWatched(fd);
  const syscalls =
    platform.calls === 'winsock'
      ? load.winsock().winsock(koffi, platform, watched)
      : load.posix().posix(koffi, platform, watched);
  const ending: Ending = {};
  const readiness = openReadiness(koffi, platform, syscalls, ending);
  heedDrops(syscalls, -platform.errno.EACCES);
  return { platform, syscalls, readiness, ending };
}

/**
 * Runtimes are told apart before anything is tried: koffi's poll panics Bun, uncatchably.
 * @throws ERR_RECVFROMTO_UNSUPPORTED_PLATFORM where this runtime cannot wait on this OS
 */
export function openReadiness(koffi: Koffi, platform: Platform, syscalls: Syscalls, ending: Ending = {}): Readiness {
  const { bun, deno } = process.versions as Record<string, string | undefined>;
  const inNode = bun === undefined && deno === undefined;
  // With node:ffi libuv's handles are our own, and nobody would close them when a worker is terminated.
  if (inNode && (koffi.node.poll !== undefined || isMainThread())) {
    const { constants, errno } = platform;
    const refusal = (fd: number) => {
      const result = syscalls.getsockopt(fd, constants.SOL_SOCKET, constants.SO_TYPE, Buffer.alloc(4));
      if (result >= 0) return undefined;
      return result === -errno.EBADF ? 'EBADF' : 'ENOTSOCK';
    };
    const uv = load.uv().uvReadiness(koffi, platform, refusal, ending);
    if (platform.epoll === undefined) return uv;
    const set = () => load.nested().nestedReadiness(koffi, platform, uv);
    return isMainThread() ? load.many().manyReadiness(uv, set) : set();
  }
  if (platform.epoll !== undefined) return load.epoll().epollReadiness(koffi, platform);
  const other = bun === undefined ? `Deno ${deno}` : `Bun ${bun}`;
  const runtime = inNode ? 'a worker with node:ffi' : other;
  throw unsupportedPlatform(
    `recvfromto cannot wait for datagrams in ${runtime} on ${platform.name}; it can in Node.js`,
  );
}
