/**
 * A host in memory: a kernel that keeps to one platform's layout, byte by byte, and does what a test tells it to.
 * Pointers are resolved like real ones: to bytes of buffers whose address was taken, and nowhere else.
 */
import {
  ERROR,
  type Host,
  READABLE,
  type Readiness,
  type Ready,
  type Syscalls,
  type Watcher,
  WRITABLE,
} from '../../src/ffi/index';
import { platformFor } from '../../src/platform/index';
import type { Platform } from '../../src/platform/platform';
import { type ControlMessage, controlBytes, type Peer, readControlBytes, readSockaddr, sockaddrBytes } from './bytes';
import type { Case, Layout } from './layouts';

export interface Incoming {
  readonly from: Peer;
  readonly payload: Buffer | string;
  readonly control?: readonly ControlMessage[];
  /** Raw control bytes, where messages would be too well-formed. */
  readonly rawControl?: Buffer;
  readonly flags?: number;
}

export interface Sent {
  readonly fd: number;
  /** undefined: without a name, as on connected sockets. */
  readonly to: Peer | undefined;
  readonly payload: string;
  readonly control: ControlMessage[];
}

export interface FakeSocket {
  readonly family: number;
  name: Peer | undefined;
  peer: Peer | undefined;
  /** What recvmmsg finds; a number is -errno. */
  readonly incoming: (Incoming | number)[];
  readonly options: Map<string, Buffer>;
}

/** What a rehearsal asks; any other that is not open must not be asked. */
const NO_DESCRIPTOR = 0x7fffffff;
const EBADF = 9;

export class FakeHost implements Host {
  readonly platform: Platform;
  readonly syscalls: FakeSyscalls;
  readonly readiness: FakeReadiness;

  /** @param segments has the kernel UDP_SEGMENT? Without, every datagram is a message, and easier to count. */
  constructor(on: Case, segments = false) {
    const { segment, ...platform } = platformFor(on.name, on.arch);
    this.platform = segments && segment !== undefined ? { ...platform, segment } : platform;
    this.syscalls = new FakeSyscalls(on);
    this.readiness = new FakeReadiness();
  }
}

export class FakeSyscalls implements Syscalls {
  readonly sockets = new Map<number, FakeSocket>();
  readonly sent: Sent[] = [];
  readonly calls: string[] = [];
  readonly interfaces = new Map<number, string>([[1, 'lo']]);
  /** What sendmmsg returns for so many messages: a count, or -errno. Default: all of them. */
  sendResult: (count: number, fd: number) => number = (count) => count;
  bindResult: (to: Peer) => number = () => 0;
  connectResult = 0;
  readonly #case: Case;
  readonly #memory: { base: bigint; bytes: Buffer }[] = [];
  /** The first block ends just above a multiple of 2³², so that sums carry into the upper half. */
  #break: bigint;
  #nextFd = 10;
  #nextPort = 40000;

  constructor(on: Case) {
    this.#case = on;
    this.#break = on.layout.pointer === 8 ? 0x7ffe_ffff_f000n : 0x7fff_f000n;
  }

  socket(family: number): number {
    const fd = this.#nextFd++;
    this.sockets.set(fd, { family, name: undefined, peer: undefined, incoming: [], options: new Map() });
    return fd;
  }

  adopt(fd: number): number {
    return this.sockets.has(fd) ? 0 : -9;
  }

  close(fd: number): number {
    if (!this.sockets.delete(fd)) throw new Error(`close(${fd}): not open`);
    return 0;
  }

  bind(fd: number, name: Buffer): number {
    const to = readSockaddr(this.#case, name);
    const failed = this.bindResult(to);
    if (failed < 0) return failed;
    this.#socket(fd).name = { ...to, port: to.port || this.#nextPort++ };
    return 0;
  }

  connect(fd: number, name: Buffer): number {
    this.calls.push('connect');
    if (this.connectResult < 0) return this.connectResult;
    const unspec = this.#case.numbers.saLen ? name[1] === 0 : name.readUInt16LE() === 0;
    this.#socket(fd).peer = unspec ? undefined : readSockaddr(this.#case, name);
    return 0;
  }

  getsockname(fd: number, name: Buffer): number {
    return this.#copyName(this.#socket(fd).name, name, fd);
  }

  getpeername(fd: number, name: Buffer): number {
    return this.#copyName(this.#socket(fd).peer, name, fd);
  }

  setsockopt(fd: number, level: number, name: number, value: Buffer): number {
    this.calls.push('setsockopt');
    this.#socket(fd).options.set(`${level}/${name}`, Buffer.from(value));
    return 0;
  }

  getsockopt(fd: number, level: number, name: number, value: Buffer): number {
    const known = this.#socket(fd).options.get(`${level}/${name}`);
    if (known === undefined)
      value.writeInt32LE(2); // SOCK_DGRAM, and good enough for the rest
    else known.copy(value);
    return 4;
  }

  /** Bytes of the datagram that is next, whatever is asked. */
  ioctlInt(fd: number): number {
    const first = this.#socket(fd).incoming[0];
    return typeof first === 'object' ? Buffer.byteLength(first.payload) : 0;
  }

  /** Does not wait. */
  poll(fd: number, events: number): number {
    const first = this.#socket(fd).incoming[0];
    const failed = typeof first === 'number' ? ERROR | READABLE : 0;
    return failed | (events & (WRITABLE | (first === undefined ? 0 : READABLE)));
  }

  recvmmsg(fd: number, messages: Buffer, count: number): number {
    if (fd === NO_DESCRIPTOR) return -EBADF;
    const { incoming } = this.#socket(fd);
    this.calls.push('recvmmsg');
    if (messages.length < count * this.#case.layout.size) throw new Error('EFAULT');
    const first = incoming[0];
    if (first === undefined) return -this.#case.numbers.EAGAIN;
    if (typeof first === 'number') {
      incoming.shift();
      return first;
    }
    let filled = 0;
    while (filled < count && typeof incoming[0] === 'object')
      this.#fill(messages, filled++, incoming.shift() as Incoming);
    return filled;
  }

  sendmmsg(fd: number, messages: Buffer, first: number, count: number): number {
    this.#socket(fd);
    this.calls.push('sendmmsg');
    const result = this.sendResult(count, fd);
    for (let i = 0; i < result; i++) this.sent.push(...cut(this.#read(messages, first + i, fd)));
    return result;
  }

  if_indextoname(ifindex: number, name: Buffer): number {
    const known = this.interfaces.get(ifindex);
    if (known === undefined) return -6;
    name.write(`${known}\0`);
    return 0;
  }

  if_nametoindex(name: string): number {
    for (const [ifindex, known] of this.interfaces) if (known === name) return ifindex;
    return 0;
  }

  addressOf(bytes: Buffer): bigint {
    const base = this.#break;
    this.#memory.push({ base, bytes });
    this.#break = ((base + BigInt(bytes.length) + 64n) / 16n) * 16n;
    return base;
  }

  /** The only open descriptor. */
  get only(): number {
    const [fd, ...more] = this.sockets.keys();
    if (fd === undefined || more.length > 0) throw new Error(`${more.length + 1} descriptors are open`);
    return fd;
  }

  #socket(fd: number): FakeSocket {
    const socket = this.sockets.get(fd);
    if (socket === undefined) throw new Error(`EBADF ${fd}`);
    return socket;
  }

  #copyName(peer: Peer | undefined, name: Buffer, fd: number): number {
    const family = this.#socket(fd).family === 2 ? '0.0.0.0' : '::';
    return sockaddrBytes(this.#case, peer ?? { address: family, port: 0 }).copy(name);
  }

  /** Bytes behind a pointer, which must lie in one buffer whose address was taken. */
  #at(address: bigint, length: number): Buffer {
    for (const { base, bytes } of this.#memory) {
      const offset = address - base;
      if (offset >= 0n && offset + BigInt(length) <= bytes.length) {
        return bytes.subarray(Number(offset), Number(offset) + length);
      }
    }
    throw new Error(`EFAULT: ${length} bytes at ${address.toString(16)}`);
  }

  #message(messages: Buffer, slot: number): Message {
    const start = slot * this.#case.layout.size;
    return new Message(this.#case.layout, messages.subarray(start, start + this.#case.layout.size));
  }

  #fill(messages: Buffer, slot: number, { from, payload, control = [], rawControl, flags = 0 }: Incoming): void {
    const { numbers } = this.#case;
    const message = this.#message(messages, slot);
    if (message.flags !== 0) throw new Error(`msg_flags ${message.flags} was not reset`);
    const name = sockaddrBytes(this.#case, from);
    if (message.namelen < name.length) throw new Error(`msg_namelen ${message.namelen} was not reset`);
    name.copy(this.#at(message.name, message.namelen));
    message.namelen = name.length;
    const bytes = rawControl ?? controlBytes(this.#case, control);
    if (message.controllen !== 256) throw new Error(`msg_controllen ${message.controllen} was not reset`);
    bytes.copy(this.#at(message.control, message.controllen));
    message.controllen = bytes.length;
    const data = Buffer.from(payload);
    let room = 0;
    for (const part of this.#iovecs(message)) {
      data.copy(part, 0, Math.min(room, data.length));
      room += part.length;
    }
    message.len = Math.min(data.length, room);
    message.flags = flags | (data.length > room ? numbers.MSG_TRUNC : 0);
  }

  #read(messages: Buffer, slot: number, fd: number): Sent {
    const message = this.#message(messages, slot);
    if (message.flags !== 0) throw new Error(`EINVAL: msg_flags ${message.flags}`);
    if ((message.name === 0n) !== (message.namelen === 0)) throw new Error('EFAULT: name and namelen');
    if ((message.control === 0n) !== (message.controllen === 0)) throw new Error('EINVAL: control and controllen');
    const to = message.name === 0n ? undefined : readSockaddr(this.#case, this.#at(message.name, message.namelen));
    const control =
      message.control === 0n ? [] : readControlBytes(this.#case, this.#at(message.control, message.controllen));
    return { fd, to, payload: Buffer.concat(this.#iovecs(message)).toString('latin1'), control };
  }

  #iovecs(message: Message): Buffer[] {
    const { iovec } = this.#case.layout;
    return Array.from({ length: message.iovlen }, (_, i) => {
      const bytes = this.#at(message.iov + BigInt(i * iovec.size), iovec.size);
      const length = iovec.lenSize === 8 ? Number(bytes.readBigUInt64LE(iovec.len)) : bytes.readUInt32LE(iovec.len);
      return this.#at(pointerAt(this.#case.layout, bytes, iovec.base), length);
    });
  }
}

/** UDP_SEGMENT (udp(7)): one message, many datagrams. */
function cut(message: Sent): Sent[] {
  const segment = message.control.find(({ level, type }) => level === 17 && type === 103);
  if (segment === undefined) return [message];
  if (segment.data.length !== 2) throw new Error(`EINVAL: UDP_SEGMENT of ${segment.data.length} bytes`);
  const size = segment.data.readUInt16LE();
  const { payload } = message;
  const control = message.control.filter((one) => one !== segment);
  const count = Math.ceil(payload.length / size);
  if (size === 0 || count > 64 || payload.length > 65507) throw new Error(`EINVAL: ${count} segments of ${size}`);
  return Array.from({ length: count }, (_, i) => ({
    ...message,
    control,
    payload: payload.slice(i * size, (i + 1) * size),
  }));
}

function pointerAt({ pointer }: Layout, bytes: Buffer, at: number): bigint {
  return pointer === 8 ? bytes.readBigUInt64LE(at) : BigInt(bytes.readUInt32LE(at));
}

/** One element of the array, as the kernel sees it. */
class Message {
  readonly #layout: Layout;
  readonly #bytes: Buffer;

  constructor(layout: Layout, bytes: Buffer) {
    this.#layout = layout;
    this.#bytes = bytes;
  }

  get name(): bigint {
    return pointerAt(this.#layout, this.#bytes, this.#layout.name);
  }
  get iov(): bigint {
    return pointerAt(this.#layout, this.#bytes, this.#layout.iov);
  }
  get control(): bigint {
    return pointerAt(this.#layout, this.#bytes, this.#layout.control);
  }
  get iovlen(): number {
    return this.#bytes.readUInt32LE(this.#layout.iovlen);
  }
  get namelen(): number {
    return this.#bytes.readUInt32LE(this.#layout.namelen);
  }
  set namelen(value: number) {
    this.#bytes.writeUInt32LE(value, this.#layout.namelen);
  }
  get controllen(): number {
    const at = this.#layout.controllen;
    return this.#layout.controllenSize === 8 ? Number(this.#bytes.readBigUInt64LE(at)) : this.#bytes.readUInt32LE(at);
  }
  set controllen(value: number) {
    this.#bytes.writeUInt32LE(value, this.#layout.controllen);
  }
  get flags(): number {
    return this.#bytes.readUInt32LE(this.#layout.flags);
  }
  set flags(value: number) {
    this.#bytes.writeUInt32LE(value, this.#layout.flags);
  }
  set len(value: number) {
    this.#bytes.writeUInt32LE(value, this.#layout.len);
  }
}

/** Fires when it is told to. */
export class FakeReadiness implements Readiness {
  readonly watchers = new Map<number, FakeWatcher>();
  refuse: Error | undefined;

  watch(fd: number, given: Ready, events = 0): Watcher {
    const ready = typeof given === 'function' ? given : (now: number) => given.ready(now);
    if (this.refuse !== undefined) throw this.refuse;
    const watcher = new FakeWatcher(ready, () => this.watchers.delete(fd));
    watcher.start(events);
    this.watchers.set(fd, watcher);
    return watcher;
  }

  isWatched(fd: number): boolean {
    return this.watchers.has(fd);
  }

  fire(fd: number, events: number): void {
    const watcher = this.watchers.get(fd);
    if (watcher === undefined) throw new Error(`nobody waits for ${fd}`);
    watcher.ready(events);
  }
}

export class FakeWatcher implements Watcher {
  events = 0;
  refed = true;
  readonly ready: (events: number) => void;
  readonly #closed: () => void;

  constructor(ready: (events: number) => void, closed: () => void) {
    this.ready = ready;
    this.#closed = closed;
  }

  start(events: number): void {
    this.events = events;
  }
  ref(): void {
    this.refed = true;
  }
  unref(): void {
    this.refed = false;
  }
  close(): void {
    this.#closed();
  }
}
