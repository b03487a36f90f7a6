/** The options of one descriptor: asked, set, and handed on to a second descriptor that stands in for it. */
import type { SocketKind } from '../platform/platform';
import { missing } from '../platform/settings';
import type { Engine } from './engine';
import { notSupported } from './failure';
import { block, wordsOf } from './ring';

interface Membership {
  readonly level: number;
  readonly name: number;
  readonly request: Buffer;
}

/** For calls that read or write at once: nobody else's code runs between. */
const int = block(4);
const intWords = wordsOf(int);
/** sizeof(struct sock_filter): what a kernel may take one byte of an option's length for. */
const LARGEST_UNIT = 8;

export abstract class DescriptorOptions {
  engine: Engine;
  /** What the descriptor is; of an adopted one whatever the user called it. */
  kind: SocketKind;
  /** -1 before open() and after close(). Written by Channel alone. */
  fd = -1;
  /** May datagrams say when they are to leave? */
  protected timed = false;
  #memberships: Map<string, Membership> | undefined;

  constructor(engine: Engine, kind: SocketKind) {
    this.engine = engine;
    this.kind = kind;
  }

  /** @param size 1 where the option is a u_char. */
  setInt(level: number, name: number | undefined, value: number, size: 1 | 4 = 4): number {
    const { platform, syscalls } = this.engine.host;
    if (this.fd < 0) return -platform.errno.EBADF;
    if (name === undefined) return notSupported(platform);
    if (size === 1) return syscalls.setsockopt(this.fd, level, name, Buffer.from([value]));
    intWords[0] = value;
    return syscalls.setsockopt(this.fd, level, name, int);
  }

  setBytes(level: number, name: number | undefined, value: Buffer): number {
    const { platform, syscalls } = this.engine.host;
    if (this.fd < 0) return -platform.errno.EBADF;
    if (name === undefined) return notSupported(platform);
    return syscalls.setsockopt(this.fd, level, name, value);
  }

  /** Lets datagrams say when they are to leave. → 0 or -errno */
  enableTxTime(): number {
    const { platform } = this.engine.host;
    const { txTime } = platform.settings;
    if (this.timed) return 0;
    if (missing(txTime)) return notSupported(platform);
    const { sock_txtime } = platform.structs;
    const value = new sock_txtime(Buffer.alloc(sock_txtime.size), { clockid: txTime.clocks.monotonic, flags: 0 });
    const result = this.setBytes(txTime.option.level, txTime.option.name, value.ref());
    this.timed = result === 0;
    return result;
  }

  /**
   * Any option. → its bytes, or -errno. Linux counts SO_GET_FILTER in instructions of 8 bytes, both the room that it is given
   * and what it has written, so there is room for as many. socket(7)
   */
  getBytes(level: number, name: number, length: number): Buffer | number {
    const { platform, syscalls } = this.engine.host;
    if (this.fd < 0) return -platform.errno.EBADF;
    const room = block(length * LARGEST_UNIT);
    const result = syscalls.getsockopt(this.fd, level, name, room.subarray(0, length));
    if (result < 0) return result;
    const { filter } = platform.settings;
    const counted = !missing(filter) && filter.attach.level === level && filter.attach.name === name;
    return room.subarray(0, counted ? result * LARGEST_UNIT : Math.min(result, length));
  }

  /** → the value, or -errno. For options that are never negative. */
  getInt(level: number, name: number): number {
    const { platform, syscalls } = this.engine.host;
    if (this.fd < 0) return -platform.errno.EBADF;
    const length = syscalls.getsockopt(this.fd, level, name, int);
    return length < 0 ? length : intWords[0];
  }

  /** A membership of this descriptor, which a second one has to have, too. */
  joined(level: number, name: number, request: Buffer): void {
    this.#memberships ??= new Map();
    this.#memberships.set(`${level}/${name}/${request.toString('hex')}`, { level, name, request });
  }

  left(level: number, name: number, request: Buffer): void {
    this.#memberships?.delete(`${level}/${name}/${request.toString('hex')}`);
  }

  /** What a program may have set between bind() and now. */
  inherit(from: DescriptorOptions): void {
    const { constants: c } = this.engine.host.platform;
    const settable: (readonly [level: number, name: number | undefined])[] = [
      [c.SOL_SOCKET, c.SO_BROADCAST],
      [c.IPPROTO_IP, c.IP_TTL],
      [c.IPPROTO_IP, c.IP_TOS],
      [c.IPPROTO_IP, c.IP_MULTICAST_TTL],
      [c.IPPROTO_IP, c.IP_MULTICAST_LOOP],
    ];
    if (this.kind !== 'udp4') {
      settable.push(
        [c.IPPROTO_IPV6, c.IPV6_UNICAST_HOPS],
        [c.IPPROTO_IPV6, c.IPV6_TCLASS],
        [c.IPPROTO_IPV6, c.IPV6_MULTICAST_IF],
        [c.IPPROTO_IPV6, c.IPV6_MULTICAST_HOPS],
        [c.IPPROTO_IPV6, c.IPV6_MULTICAST_LOOP],
      );
    }
    for (const [level, name] of settable) {
      if (name === undefined) continue;
      const value = from.getInt(level, name);
      if (value !== this.getInt(level, name)) this.setInt(level, name, value);
    }
    const through = from.getBytes(c.IPPROTO_IP, c.IP_MULTICAST_IF, 4); // an address: any number may be one
    if (typeof through !== 'number') this.setBytes(c.IPPROTO_IP, c.IP_MULTICAST_IF, through);
    if (from.timed) this.enableTxTime();
    for (const { level, name, request } of from.#memberships?.values() ?? []) {
      if (this.setBytes(level, name, request) === 0) this.joined(level, name, request);
    }
    for (const name of [c.SO_RCVBUF, c.SO_SNDBUF]) {
      const bytes = from.getInt(c.SOL_SOCKET, name);
      if (bytes === this.getInt(c.SOL_SOCKET, name)) continue;
      this.setInt(c.SOL_SOCKET, name, bytes);
      // Linux doubles what it is given, for its own bookkeeping (socket(7))
      if (this.getInt(c.SOL_SOCKET, name) > bytes) this.setInt(c.SOL_SOCKET, name, bytes >> 1);
    }
  }
}
