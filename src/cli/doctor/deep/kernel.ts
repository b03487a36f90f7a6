/**
 * Sockets as a kernel has them: descriptors, names, options and control messages, on the system calls of a host or of a
 * model of one (test/models). What comes back is words for people: 'sent', 'EINVAL', '127.0.0.1'. Nothing here asks which
 * OS it is on; the platform's data says what there is.
 */
import { formatIPv4, formatIPv6, parseAddress } from '../../../address/ip';
import type { Syscalls } from '../../../ffi/index';
import type { Departure, Platform, SocketKind } from '../../../platform/platform';
import { type Cmsg, cmsgs, control } from './control';

export interface Place {
  /** Mapped ones with ::ffff: before them. */
  readonly address: string;
  readonly port: number;
  readonly scope?: number;
}

export interface Sending {
  readonly to?: Place;
  readonly payload?: Uint8Array;
  readonly control?: Uint8Array;
  /** msg_flags of the header, which a sender does not need. */
  readonly leftover?: number;
}

export interface Received {
  /** Bytes of the name: what kind of sockaddr it is. */
  readonly name: 'sockaddr_in' | 'sockaddr_in6' | 'no name';
  readonly from: string;
  readonly messages: readonly Cmsg[];
  /** Bytes of control messages. */
  readonly controllen: number;
  readonly cut: boolean;
}

/** Bytes of control messages that a datagram may have. */
const CONTROL = 512;
const PAYLOAD = 16_384;
const NAME = 128;
/** ms between two looks. */
const PAUSE = 2;
/** ms */
const SETTLED = 20;

/** There is nothing to try it on. */
export class CannotTry extends Error {}

export class Kernel {
  readonly platform: Platform;
  readonly #syscalls: Syscalls;
  readonly #patience: number;
  readonly #open = new Set<number>();
  // One set of buffers for every call: each of them is over when it returns.
  readonly #name = zeroed(NAME);
  readonly #body = zeroed(PAYLOAD);
  readonly #control = zeroed(CONTROL);
  readonly #iovec: Buffer;
  readonly #array: Buffer;

  /** @param patience ms to wait for a datagram; 0 for models, which deliver at once */
  constructor(platform: Platform, syscalls: Syscalls, patience: number) {
    this.platform = platform;
    this.#syscalls = syscalls;
    this.#patience = patience;
    this.#iovec = zeroed(platform.message.iovec.size);
    this.#array = zeroed(platform.message.size);
  }

  close(): void {
    for (const fd of this.#open) this.#syscalls.close(fd);
    this.#open.clear();
  }

  /** Before the others. */
  release(fd: number): void {
    if (this.#open.delete(fd)) this.#syscalls.close(fd);
  }

  /** A socket that is asked for destinations, as ours are. @throws CannotTry */
  socket(kind: SocketKind, { asked = true }: { asked?: boolean } = {}): number {
    const { constants: c, requests, quirks } = this.platform;
    if (kind === 'dual' && !quirks.dualStack) throw new CannotTry('no dual-stack sockets here');
    const fd = this.#syscalls.socket(kind === 'udp4' ? c.AF_INET : c.AF_INET6);
    if (fd < 0) throw new CannotTry(`no ${kind} socket: ${this.#error(fd)}`);
    this.#open.add(fd);
    if (kind !== 'udp4') this.set(fd, c.IPPROTO_IPV6, c.IPV6_V6ONLY, kind === 'udp6' ? 1 : 0);
    if (asked) for (const { level, name, value = 1 } of requests[kind]) this.set(fd, level, name, value);
    return fd;
  }

  /** → 'ok' or errno's name */
  set(fd: number, level: number, name: number, value: number | Uint8Array): string {
    const bytes = owned(typeof value === 'number' ? new Uint8Array(Int32Array.of(value).buffer) : value);
    return this.#ok(this.#syscalls.setsockopt(fd, level, name, bytes));
  }

  get(fd: number, level: number, name: number): number {
    const bytes = zeroed(4);
    return this.#syscalls.getsockopt(fd, level, name, bytes) < 0 ? -1 : (new Int32Array(bytes.buffer)[0] ?? -1);
  }

  bind(fd: number, place: Place): string {
    return this.#ok(this.#syscalls.bind(fd, this.#nameOf(place)));
  }

  connect(fd: number, place: Place): string {
    return this.#ok(this.#syscalls.connect(fd, this.#nameOf(place)));
  }

  /** connect(2) to AF_UNSPEC. Some systems dissolve the connection and say EAFNOSUPPORT. */
  dissolve(fd: number, family: 4 | 6): string {
    const name = this.#nameOf({ address: family === 4 ? '0.0.0.0' : '::', port: 0 });
    this.#putFamily(name, this.platform.constants.AF_UNSPEC);
    return this.#ok(this.#syscalls.connect(fd, name));
  }

  /** A bound socket and where it is. @throws CannotTry */
  bound(kind: SocketKind, address: string, options: { asked?: boolean } = {}): { fd: number; port: number } {
    const fd = this.socket(kind, options);
    const result = this.bind(fd, { address, port: 0 });
    if (result !== 'ok') throw new CannotTry(`bind to ${address}: ${result}`);
    return { fd, port: this.port(fd) };
  }

  port(fd: number): number {
    const name = this.#name.fill(0);
    this.#syscalls.getsockname(fd, name);
    return name.readUInt16BE(this.platform.structs.sockaddr_in!.fields.sin_port!.offset);
  }

  index(name: string): number {
    return this.#syscalls.if_nametoindex(name);
  }

  /** → 'sent' or errno's name */
  send(fd: number, { to, payload = Buffer.from('deep'), control: bytes, leftover = 0 }: Sending): string {
    const { message: at, constants } = this.platform;
    const name = to === undefined ? undefined : this.#nameOf(to);
    const control = bytes === undefined || bytes.length === 0 ? undefined : filled(this.#control, bytes);
    this.#message(name, filled(this.#body, payload), control);
    this.#array.writeInt32LE(leftover, at.flags);
    const result = this.#syscalls.sendmmsg(fd, this.#array, 0, 1, constants.MSG_DONTWAIT);
    return result === 1 ? 'sent' : this.#error(result);
  }

  /** What was sent on this machine has come by then. */
  async settle(): Promise<void> {
    if (this.#patience > 0) await new Promise((done) => setTimeout(done, Math.min(this.#patience, SETTLED)));
  }

  /** undefined when none comes; errno's name of another failure. */
  async receive(fd: number, controlSpace = CONTROL): Promise<Received | string | undefined> {
    const end = performance.now() + this.#patience;
    for (;;) {
      const got = this.#receiveNow(fd, controlSpace);
      if (got !== undefined || performance.now() >= end) return got;
      await new Promise((done) => setTimeout(done, PAUSE));
    }
  }

  /** What is there. */
  #receiveNow(fd: number, controlSpace: number): Received | string | undefined {
    const { message: at, constants } = this.platform;
    const control = this.#control.subarray(0, controlSpace).fill(0);
    this.#message(this.#name, this.#body, control);
    const array = this.#array;
    const result = this.#syscalls.recvmmsg(fd, array, 1, constants.MSG_DONTWAIT);
    if (result < 0) return this.#error(result) === 'EAGAIN' ? undefined : this.#error(result);
    if (result === 0) return undefined;
    const controllen = array.readUInt32LE(at.controllen);
    return {
      ...this.#readName(this.#name, array.readUInt32LE(at.namelen)),
      messages: cmsgs(this.platform, control.subarray(0, controllen)),
      controllen,
      cut: (array.readInt32LE(at.flags) & constants.MSG_CTRUNC) !== 0,
    };
  }

  /** Control bytes that choose a source, as the package writes them. */
  source(kind: 'udp4' | 'udp6' | 'mapped', address: string, ifindex = 0): Buffer {
    const departure = this.platform.departures[kind] as Departure;
    return control(this.platform, departure, address, ifindex);
  }

  #message(name: Buffer | undefined, body: Buffer, control: Buffer | undefined): void {
    const { message: at } = this.platform;
    const [array, iovec] = [this.#array.fill(0), this.#iovec.fill(0)];
    this.#putPointer(iovec, at.iovec.base, body);
    iovec.writeUInt32LE(body.length, at.iovec.len);
    this.#putPointer(array, at.name, name);
    this.#putPointer(array, at.iov, iovec);
    this.#putPointer(array, at.control, control);
    array.writeUInt32LE(name?.length ?? 0, at.namelen);
    array.writeUInt32LE(1, at.iovlen);
    array.writeUInt32LE(control?.length ?? 0, at.controllen);
  }

  #putPointer(bytes: Buffer, at: number, target: Buffer | undefined): void {
    if (target === undefined || target.length === 0) return;
    const address = this.#syscalls.addressOf(target);
    if (this.platform.message.pointerSize === 8) bytes.writeBigUInt64LE(address, at);
    else bytes.writeUInt32LE(Number(address), at);
  }

  #nameOf({ address, port, scope = 0 }: Place): Buffer {
    const ip = parseAddress(address)!;
    const { structs, constants: c } = this.platform;
    const v4 = ip.family === 4;
    const { size, fields } = v4 ? structs.sockaddr_in! : structs.sockaddr_in6!;
    const name = this.#name.subarray(0, size).fill(0);
    const words = v4 ? [ip.word0] : [ip.word0, ip.word1, ip.word2, ip.word3];
    name.set(new Uint8Array(Int32Array.from(words).buffer), fields[v4 ? 'sin_addr' : 'sin6_addr']!.offset);
    name.writeUInt16BE(port, fields[v4 ? 'sin_port' : 'sin6_port']!.offset);
    if (!v4) name.writeUInt32LE(scope, fields.sin6_scope_id!.offset);
    this.#putFamily(name, v4 ? c.AF_INET : c.AF_INET6);
    return name;
  }

  #putFamily(name: Buffer, family: number): void {
    const { offset } = this.platform.structs.sockaddr_in!.fields.sin_family!;
    if (this.platform.saLen) {
      name[0] = name.length;
      name[offset] = family;
    } else name.writeUInt16LE(family, offset);
  }

  #readName(name: Buffer, length: number): Pick<Received, 'name' | 'from'> {
    const { structs, constants: c, saLen } = this.platform;
    const { sin_family, sin_addr } = structs.sockaddr_in!.fields as Record<string, { offset: number }>;
    const family = saLen ? name[sin_family!.offset] : name.readUInt16LE(sin_family!.offset);
    const words = (offset: number, count: number) =>
      Array.from({ length: count }, (_, at) => name.readInt32LE(offset + 4 * at));
    if (length === 0) return { name: 'no name', from: '' };
    if (family === c.AF_INET) {
      return { name: 'sockaddr_in', from: formatIPv4(words(sin_addr!.offset, 1)[0]!) };
    }
    const [a = 0, b = 0, d = 0, e = 0] = words(structs.sockaddr_in6!.fields.sin6_addr!.offset, 4);
    return { name: 'sockaddr_in6', from: formatIPv6(a, b, d, e) };
  }

  #ok(result: number): string {
    return result < 0 ? this.#error(result) : 'ok';
  }

  #error(result: number): string {
    const names = Object.entries(this.platform.errno).filter(([, number]) => number === -result);
    // One number may have two names; EAGAIN is the one that everybody knows.
    return names.find(([name]) => name === 'EAGAIN')?.[0] ?? names[0]?.[0] ?? `errno ${-result}`;
  }
}

/** With memory of its own: what a pointer leads to must be nobody else's. */
function zeroed(size: number): Buffer {
  return Buffer.from(new ArrayBuffer(size));
}

function filled(buffer: Buffer, bytes: Uint8Array): Buffer {
  buffer.set(bytes);
  return buffer.subarray(0, bytes.length);
}

function owned(bytes: Uint8Array): Buffer {
  return filled(zeroed(bytes.length), bytes);
}
