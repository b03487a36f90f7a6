/**
 * A call that receives many datagrams and is nobody's promise (macOS' recvmsg_x): found by name, and used only where it has done
 * the same as recvmsg with datagrams of our own on this very machine. Until then, and for good where it differs, the loop over
 * recvmsg stands in.
 */
import type { Platform, PrivateBatch } from '../../platform/platform';
import { READABLE } from '../readiness';
import type { Syscalls } from '../syscalls';
import type { Batch, BatchCall } from './batch';

/** Checks its arguments. → how many messages were filled, or -errno */
export type PrivateCall = (fd: number, messages: Buffer, count: number, flags: number) => number;
/** Of the host that the call belongs to. */
export type ProofCalls = Pick<
  Syscalls,
  'socket' | 'bind' | 'close' | 'getsockname' | 'setsockopt' | 'poll' | 'addressOf' | 'sendmmsg'
>;

export class PrivateReceive implements Batch {
  readonly #one: Batch;
  readonly #batch: PrivateBatch;
  readonly #prove: () => PrivateCall | string;
  /** The call, or why it is not used; undefined as long as nobody has asked. */
  #proved: PrivateCall | string | undefined;

  /** @param call undefined where there is none */
  constructor(one: Batch, platform: Platform, batch: PrivateBatch, call: PrivateCall | undefined, calls: ProofCalls) {
    this.#one = one;
    this.#batch = batch;
    this.#prove = () => {
      if (call === undefined) return `this libc has no ${batch.symbol}`;
      return difference(platform, batch, calls, call, one) ?? call;
    };
  }

  /** Of recvmsg alone: the private call leaves an error behind what it receives to the kernel (soreceive_m_list). */
  get late(): Batch['late'] {
    return this.#one.late;
  }

  get refused(): ReadonlySet<BatchCall> {
    return this.#one.refused;
  }

  /** Why many datagrams are not received by one call; undefined where they are. Compares now, where that has not been done. */
  get unproved(): string | undefined {
    if (this.#proved === undefined) this.#compare();
    return typeof this.#proved === 'string' ? this.#proved : undefined;
  }

  readonly recvmmsg = (fd: number, messages: Buffer, count: number, flags: number): number => {
    if (count === 1 || flags !== this.#batch.flags) return this.#one.recvmmsg(fd, messages, count, flags);
    if (this.#proved === undefined) this.#compare();
    if (typeof this.#proved === 'string') return this.#one.recvmmsg(fd, messages, count, flags);
    return this.#proved!(fd, messages, count, flags);
  };

  get sendmmsg(): Batch['sendmmsg'] {
    return this.#one.sendmmsg;
  }

  forget(fd: number): void {
    this.#one.forget(fd);
  }

  probe(): void {}

  #compare(): void {
    this.#proved = 'it is being compared'; // with calls that come here
    try {
      this.#proved = this.#prove();
    } catch (error) {
      this.#proved = (error as Error).message;
    }
  }
}

/** Bytes of each message's parts. The last payload is longer than its room. */
const ROOM = 24;
const CONTROL = 128;
const NAME = 32;
const PAYLOADS = ['recvfromto', '', 'compares what two calls do with this'];
/** ms in all, and rounds until several came by one call. */
const PATIENCE = 200;
const ROUNDS = 4;

/** → what the private call does otherwise than recvmsg; undefined where it is the same */
function difference(
  platform: Platform,
  { flags, symbol, message }: PrivateBatch,
  calls: ProofCalls,
  call: PrivateCall,
  one: Batch,
): string | undefined {
  if (message.size !== platform.message.size) return `${symbol} has messages of another size`;
  const [from, to] = [boundSocket(platform, calls), boundSocket(platform, calls)];
  try {
    const expected = round(platform, calls, from, to, (messages, _count) => one.recvmmsg(to.fd, messages, 1, flags));
    if (expected.seen === undefined) return `recvmsg did not receive what was sent: ${expected.because}`;
    let most = 0;
    for (let tries = 0; tries < ROUNDS && most < 2; tries++) {
      const got = round(platform, calls, from, to, (messages, count) => call(to.fd, messages, count, flags));
      if (got.seen === undefined) return `${symbol}: ${got.because}`;
      const at = got.seen.findIndex((seen, i) => seen !== expected.seen![i]);
      if (at >= 0) return `${symbol} says ${got.seen[at]}, recvmsg ${expected.seen[at]}`;
      most = Math.max(most, got.most);
    }
    const empty = call(to.fd, new Messages(platform, calls).bytes, PAYLOADS.length, flags);
    if (empty !== -platform.errno.EAGAIN!) return `${symbol} returns ${empty} where nothing is to be received`;
    return most < 2 ? `${symbol} never received two datagrams at once` : undefined;
  } finally {
    calls.close(from.fd);
    calls.close(to.fd);
  }
}

interface Bound {
  readonly fd: number;
  /** Its sockaddr. */
  readonly name: Buffer;
}

/** On 127.0.0.1, asked what all sockets are asked. @throws where there is none */
function boundSocket({ constants, requests, structs, saLen }: Platform, calls: ProofCalls): Bound {
  const { size, fields } = structs.sockaddr_in!;
  const fd = calls.socket(constants.AF_INET);
  if (fd < 0) throw new Error('there is no IPv4 socket to compare with');
  const name = owned(size);
  const family = fields.sin_family!.offset;
  if (saLen) name.set([size], 0);
  if (saLen) name[family] = constants.AF_INET;
  else name.writeUInt16LE(constants.AF_INET, family);
  name.set([127, 0, 0, 1], fields.sin_addr!.offset);
  for (const { level, name: option } of requests.udp4) calls.setsockopt(fd, level, option, one4());
  if (calls.bind(fd, name) < 0 || calls.getsockname(fd, name) < 0) {
    calls.close(fd);
    throw new Error('there is no loopback interface to compare on');
  }
  return { fd, name };
}

interface Round {
  /** What was said of each datagram; undefined where not all came. */
  readonly seen: readonly string[] | undefined;
  readonly because: string;
  /** Datagrams by one call. */
  readonly most: number;
}

function round(
  platform: Platform,
  calls: ProofCalls,
  from: Bound,
  to: Bound,
  receive: (messages: Buffer, count: number) => number,
): Round {
  const out = new Messages(platform, calls);
  for (const [i, text] of PAYLOADS.entries()) {
    const sent = calls.sendmmsg(from.fd, out.outgoing(i, text, to.name), 0, 1, platform.constants.MSG_DONTWAIT);
    if (sent !== 1) return { seen: undefined, because: `sending failed (${sent})`, most: 0 };
  }
  const messages = new Messages(platform, calls);
  let filled = 0;
  let most = 0;
  for (const end = Date.now() + PATIENCE; filled < PAYLOADS.length; ) {
    // What is sent on loopback may take a moment: the last of them as well.
    calls.poll(to.fd, READABLE, PATIENCE);
    calls.poll(from.fd, READABLE, 1);
    const result = receive(messages.from(filled), PAYLOADS.length - filled);
    if (result > PAYLOADS.length - filled || (result <= 0 && result !== -platform.errno.EAGAIN!) || Date.now() > end) {
      return { seen: undefined, because: `${filled} of ${PAYLOADS.length} came, then ${result}`, most };
    }
    if (result > 0) filled += result;
    most = Math.max(most, result);
  }
  return { seen: PAYLOADS.map((_, i) => messages.describe(i)), because: '', most };
}

/** An array of messages, and the memory that it points to. */
class Messages {
  readonly bytes: Buffer;
  readonly #platform: Platform;
  readonly #calls: ProofCalls;
  readonly #bodies: Buffer[] = [];
  readonly #controls: Buffer[] = [];
  readonly #names: Buffer[] = [];
  readonly #iovecs: Buffer[] = [];

  constructor(platform: Platform, calls: ProofCalls) {
    this.#platform = platform;
    this.#calls = calls;
    const { message: at } = platform;
    this.bytes = owned(at.size * PAYLOADS.length);
    for (let i = 0; i < PAYLOADS.length; i++) {
      const [body, control, name, iovec] = [owned(ROOM), owned(CONTROL), owned(NAME), owned(at.iovec.size)];
      this.#bodies.push(body);
      this.#controls.push(control);
      this.#names.push(name);
      this.#iovecs.push(iovec);
      this.#point(iovec, at.iovec.base, body);
      iovec.writeUInt32LE(ROOM, at.iovec.len);
      this.#put(i, name, iovec, control);
    }
  }

  /** The array from message `i` on. */
  from(i: number): Buffer {
    return this.bytes.subarray(i * this.#platform.message.size);
  }

  /** Message `i` alone, to be sent. */
  outgoing(i: number, text: string, to: Buffer): Buffer {
    const { iovec: at } = this.#platform.message;
    const body = Buffer.concat([owned(0), Buffer.from(text)]);
    const payload = owned(Math.max(body.length, 1));
    body.copy(payload);
    this.#bodies[i] = payload;
    const iovec = this.#iovecs[i]!;
    this.#point(iovec, at.base, payload);
    iovec.writeUInt32LE(body.length, at.len);
    to.copy(this.#names[i]!);
    this.#put(i, this.#names[i]!.subarray(0, to.length), iovec, undefined);
    return this.from(i);
  }

  /** All that was told of message `i`. */
  describe(i: number): string {
    const { message: at, constants } = this.#platform;
    const words = this.from(i);
    const hex = (bytes: Buffer | undefined, length: number) => bytes?.toString('hex', 0, length);
    const namelen = words.readUInt32LE(at.namelen);
    const controllen = words.readUInt32LE(at.controllen);
    const length = words.readUInt32LE(at.len);
    const flags = words.readInt32LE(at.flags) & (constants.MSG_TRUNC | constants.MSG_CTRUNC);
    return [
      length,
      hex(this.#bodies[i], length),
      hex(this.#names[i], namelen),
      hex(this.#controls[i], controllen),
      flags,
    ].join(' ');
  }

  #put(i: number, name: Buffer, iovec: Buffer, control: Buffer | undefined): void {
    const { message: at } = this.#platform;
    const words = this.from(i);
    this.#point(words, at.name, name);
    words.writeUInt32LE(name.length, at.namelen);
    this.#point(words, at.iov, iovec);
    words.writeUInt32LE(1, at.iovlen);
    this.#point(words, at.control, control);
    words.writeUInt32LE(control?.length ?? 0, at.controllen);
    words.writeInt32LE(0, at.flags);
  }

  #point(bytes: Buffer, at: number, target: Buffer | undefined): void {
    bytes.writeBigUInt64LE(target === undefined ? 0n : this.#calls.addressOf(target), at);
  }
}

/** With memory of its own: what a pointer leads to must be nobody else's. */
function owned(size: number): Buffer {
  return Buffer.from(new ArrayBuffer(size));
}

function one4(): Buffer {
  const value = owned(4);
  value.writeInt32LE(1);
  return value;
}
