/**
 * What all sockets of one host share: its calls, its caches, and the memory for batches. Made on first use.
 */
import { LOOPBACK } from '../address/ip';
import { steadyClock } from '../captured';
import type { Host } from '../ffi/index';
import { missing } from '../platform/settings';
import type { Endpoint } from './endpoint';
import { ErrorQueueReader } from './error-queue';
import { notSupported } from './failure';
import { Names } from './names';
import { Receiver } from './receiver';
import { block, wordsOf } from './ring';
import { RingPool } from './ring-pool';
import { MappedSockaddrs, newRemote, SOCKADDR_SPACE, Sockaddrs, type SocketAddress } from './sockaddr';

/** The port of RFC 863; any would do. */
const DISCARD = 9;
/** Receivers kept for the next socket that wants their size; a program wants one or two. */
const MAX_RECEIVERS = 8;

export class Engine {
  readonly host: Host;
  readonly names: Names;
  readonly sockaddrs: Sockaddrs;
  readonly rings: RingPool;
  #errorQueue: ErrorQueueReader | undefined;
  /** By batch and size. */
  readonly #receivers = new Map<number, Receiver>();
  readonly #plain: Engine;
  #mapped: Engine | undefined;

  /** The clock of everything that is per host, in ms. */
  readonly now: () => number;

  /** @param plain is given to make its {@link mapped} one */
  constructor(host: Host, now: () => number = steadyClock(), plain?: Engine) {
    this.host = host;
    this.now = now;
    const { zoneIsIndex } = host.platform.quirks;
    this.#plain = plain ?? this;
    this.names = plain?.names ?? new Names(host.syscalls, { now, list: host.networkInterfaces, zoneIsIndex });
    this.sockaddrs = plain === undefined ? new Sockaddrs(host.platform) : new MappedSockaddrs(host.platform);
    this.rings = new RingPool(host.platform, host.syscalls, this.sockaddrs);
  }

  /** The same host for sockets whose AF_INET descriptors stand in for AF_INET6 ones: their addresses are ::ffff:a.b.c.d. */
  get mapped(): Engine {
    this.#mapped ??= this.#plain === this ? new Engine(this.host, this.now, this) : this;
    return this.#mapped;
  }

  get plain(): Engine {
    return this.#plain;
  }

  /** Receivers are used synchronously, so sockets that want the same sizes share one. */
  receiver(batch: number, maxDatagramSize: number): Receiver {
    if (this.#plain !== this) return this.#plain.receiver(batch, maxDatagramSize);
    const key = batch * 0x10000 + maxDatagramSize;
    let receiver = this.#receivers.get(key);
    if (receiver === undefined) {
      receiver = new Receiver(this.host.platform, this.host.syscalls, this.names, batch, maxDatagramSize);
      if (this.#receivers.size < MAX_RECEIVERS) this.#receivers.set(key, receiver);
    }
    return receiver;
  }

  /** Writes a datagram that is not sent, so that V8 has compiled what writes before one is. @param mapped as ::ffff:127.0.0.1? */
  rehearse(mapped: boolean): void {
    const here = mapped ? this.names.endpointMapped(LOOPBACK) : this.names.endpointIPv4(LOOPBACK);
    const ring = this.rings.take({ flush() {} });
    try {
      ring.write(Buffer.of(0), 1, here, DISCARD, here, undefined, undefined);
    } finally {
      this.rings.give(ring);
    }
  }

  /** undefined where this OS has none. */
  get errorQueue(): ErrorQueueReader | undefined {
    const { errorQueue } = this.host.platform.settings;
    if (missing(errorQueue)) return undefined;
    this.#errorQueue ??= new ErrorQueueReader(this, errorQueue);
    return this.#errorQueue;
  }

  /**
   * The address of this host that the kernel would send from to `remote`: connect(2) looks the route up, and sends
   * nothing. → or -errno
   */
  sourceFor(remote: SocketAddress): SocketAddress | number {
    return this.#connected(remote, (fd) => {
      const name = block(SOCKADDR_SPACE);
      const length = this.host.syscalls.getsockname(fd, name);
      if (length < 0) return length;
      const local = newRemote();
      this.sockaddrs.read(name, wordsOf(name), 0, local);
      return local;
    });
  }

  /** The path MTU to `remote` as this host knows it, in bytes of IP; -errno where it cannot be had. Nothing is sent. */
  pathMtu(remote: Endpoint): number {
    const result = this.#connected(remote, (fd) => this.pathMtuOf(fd, remote));
    return typeof result === 'number' ? result : -this.host.platform.errno.EINVAL;
  }

  /** The same of a connected descriptor. */
  pathMtuOf(fd: number, remote: Endpoint): number {
    const { platform, syscalls } = this.host;
    const { pathMtu } = platform.settings;
    const option = missing(pathMtu) ? undefined : pathMtu[remote.ipv4 ? 4 : 6];
    if (option === undefined) return notSupported(platform);
    const bytes = block(option.size);
    const length = syscalls.getsockopt(fd, option.level, option.name, bytes);
    return length < 0 ? length : wordsOf(bytes)[option.at >>> 2];
  }

  /** Asks a descriptor that is connected to `remote`, and closes it. */
  #connected<Answer>(remote: SocketAddress, ask: (fd: number) => Answer): Answer | number {
    const { syscalls } = this.host;
    const fd = syscalls.socket(this.sockaddrs.af(remote.family));
    if (fd < 0) return fd;
    const failed = syscalls.connect(fd, this.sockaddrs.encode(remote, DISCARD));
    const answer = failed < 0 ? failed : ask(fd);
    syscalls.close(fd);
    return answer;
  }

  /**
   * Does routing deliver what is sent to this IPv6 address to this host, although no interface has it (AnyIP: `ip -6 route
   * add local 2001:db8::/64 dev lo`)? Only such addresses are reached through the loopback interface. Nothing is sent.
   */
  isRoutedHere(address: Endpoint): boolean {
    const { platform, syscalls } = this.host;
    const { bindToDevice } = platform.settings;
    if (address.ipv4 || missing(bindToDevice)) return false;
    const [option] = bindToDevice.ask.udp6;
    if (option?.takes !== 'name') return false;
    const fd = syscalls.socket(this.sockaddrs.af(6));
    if (fd < 0) return false;
    const bound = syscalls.setsockopt(fd, option.level, option.name, Buffer.from('lo\0'));
    const result = bound < 0 ? bound : syscalls.connect(fd, this.sockaddrs.encode(address, DISCARD));
    syscalls.close(fd);
    return result >= 0;
  }

  /** Asks the kernel, which knows better than any list of interfaces: can a socket be bound to it? */
  isLocal(source: SocketAddress): boolean {
    const { syscalls } = this.host;
    const fd = syscalls.socket(this.sockaddrs.af(source.family));
    if (fd < 0) return true;
    const result = syscalls.bind(fd, this.sockaddrs.encode(source, 0));
    syscalls.close(fd);
    return result >= 0;
  }
}
