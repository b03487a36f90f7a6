/** Messages made by hand from the fixtures, for calling a kernel model without any code of ours in between. */
import { type Facts, structBytes } from '../abi/facts';
import { Abi, type Cmsg } from './abi';
import type { Kernel } from './kernel';

export interface RawSend {
  readonly name: Buffer | undefined;
  readonly control?: Buffer | undefined;
  /** Where it is not the control's length. */
  readonly controllen?: number;
  readonly flags?: number;
  readonly payload?: Buffer;
  /** The same message so often. */
  readonly copies?: number;
}

/** One sendmmsg. → 'ok' where one message was sent, how many otherwise, or errno's name */
export function sendRaw(kernel: Kernel, fd: number, { copies = 1, ...raw }: RawSend): string {
  const { facts } = kernel;
  const { name, control, controllen, flags = 0, payload } = raw;
  const winsock = facts.os === 'win32';
  const body = own(payload ?? Buffer.from('raw'));
  const iov = iovecBytes(kernel, body);
  const pointers = {
    name: name === undefined ? 0n : kernel.addressOf(own(name)),
    iov: kernel.addressOf(iov),
    control: control === undefined ? 0n : kernel.addressOf(own(control.length === 0 ? Buffer.alloc(8) : control)),
  };
  const message = messageBytes(facts);
  const at = new Abi(facts).message(message, 0)!;
  pointer(message, facts, winsock ? 'name' : 'msg_name', pointers.name);
  pointer(message, facts, winsock ? 'lpBuffers' : 'msg_iov', pointers.iov);
  pointer(message, facts, winsock ? 'Control.buf' : 'msg_control', pointers.control);
  at.set('namelen', name?.length ?? 0);
  at.set('iovlen', 1);
  at.set('controllen', controllen ?? control?.length ?? 0);
  at.set('flags', flags);
  const array = Buffer.concat(Array.from({ length: copies }, () => message));
  const result = kernel.sendmmsg(fd, array, 0, copies, facts.constant('MSG_DONTWAIT') ?? 0);
  return result === 1 ? 'ok' : result > 0 ? String(result) : errnoOf(facts, result);
}

export interface RawReceived {
  readonly name: Buffer;
  readonly payload: string;
  readonly controllen: number;
  readonly control: readonly Cmsg[];
  readonly flags: number;
}

/** Up to `count` datagrams by one recvmmsg, or errno's name. `room`: bytes for control messages of each. */
export function receiveRaw(
  kernel: Kernel,
  fd: number,
  { count = 1, room = 256, flags = 0 } = {},
): RawReceived[] | string {
  const { facts } = kernel;
  const winsock = facts.os === 'win32';
  const abi = new Abi(facts);
  const array = Buffer.alloc(abi.stride * count);
  const slots = Array.from({ length: count }, (_, i) => {
    const bytes = array.subarray(i * abi.stride, (i + 1) * abi.stride);
    const [name, body, control] = [
      own(Buffer.alloc(128)),
      own(Buffer.alloc(2048)),
      own(Buffer.alloc(Math.max(room, 1))),
    ];
    pointer(bytes, facts, winsock ? 'name' : 'msg_name', kernel.addressOf(name));
    pointer(bytes, facts, winsock ? 'lpBuffers' : 'msg_iov', kernel.addressOf(iovecBytes(kernel, body)));
    pointer(bytes, facts, winsock ? 'Control.buf' : 'msg_control', kernel.addressOf(control));
    const message = abi.message(array, i)!;
    message.set('namelen', name.length);
    message.set('iovlen', 1);
    message.set('controllen', room);
    return { message, name, body, control };
  });
  const result = kernel.recvmmsg(fd, array, count, (facts.constant('MSG_DONTWAIT') ?? 0) | flags);
  if (result < 0) return errnoOf(facts, result);
  return slots.slice(0, result).map(({ message, name, body, control }) => ({
    name: name.subarray(0, message.get('namelen')),
    payload: body.subarray(0, message.get('len')).toString(),
    controllen: message.get('controllen'),
    control: cmsgsOf(abi, control.subarray(0, message.get('controllen'))),
    flags: message.get('flags'),
  }));
}

/** As a careful program reads them: what is cut short ends it. */
function cmsgsOf(abi: Abi, control: Buffer): Cmsg[] {
  const cmsgs: Cmsg[] = [];
  for (let at = 0; at + abi.headerSize <= control.length; ) {
    const { len, level, type, data } = abi.cmsg(control, at);
    if (len < abi.headerSize || at + len > control.length) break;
    cmsgs.push({ level, type, data });
    at += abi.align(len);
  }
  return cmsgs;
}

/** 'EINVAL' for the kernel's number of it. */
export function errnoOf(facts: Facts, result: number): string {
  const names = [
    'EINVAL',
    'EAGAIN',
    'EADDRNOTAVAIL',
    'ENETUNREACH',
    'ENODEV',
    'ENXIO',
    'ENOPROTOOPT',
    'EISCONN',
  ].concat([
    'EAFNOSUPPORT',
    'EFAULT',
    'EMSGSIZE',
    'EACCES',
    'EHOSTUNREACH',
    'EDESTADDRREQ',
    'EADDRINUSE',
    'EBADF',
    'EOPNOTSUPP',
    'ECONNREFUSED',
    'EPERM',
  ]);
  const number = (name: string) => facts.constant(name) ?? facts.constant(`WSA${name}`);
  return names.find((name) => number(name) === -result) ?? String(result);
}

/** Several control messages in a row. */
export function controls(abi: Abi, ...messages: [level: string, type: string | number, data: Buffer][]): Buffer {
  const { facts } = abi;
  return Buffer.concat(
    messages.map(([level, type, data]) =>
      abi.encodeCmsg({ level: facts.number(level), type: typeof type === 'number' ? type : facts.number(type), data }),
    ),
  );
}

function messageBytes(facts: Facts): Buffer {
  return Buffer.alloc(new Abi(facts).stride);
}

function iovecBytes(kernel: Kernel, body: Buffer): Buffer {
  const { facts } = kernel;
  const address = kernel.addressOf(body);
  const bytes =
    facts.os === 'win32'
      ? structBytes(facts, 'WSABUF', { len: body.length })
      : structBytes(facts, 'iovec', { iov_len: body.length });
  const { offset, size } = facts.field(
    ...((facts.os === 'win32' ? ['WSABUF', 'buf'] : ['iovec', 'iov_base']) as [string, string]),
  );
  write(bytes, offset, size, address);
  return own(bytes);
}

function pointer(message: Buffer, facts: Facts, field: string, address: bigint): void {
  const { offset, size } = facts.field(facts.os === 'win32' ? 'WSAMSG' : 'msghdr', field);
  write(message, offset, size, address);
}

function write(bytes: Buffer, offset: number, size: number, address: bigint): void {
  if (size === 8) bytes.writeBigUInt64LE(address, offset);
  else bytes.writeUInt32LE(Number(address), offset);
}

/** A copy with memory of its own. */
function own(bytes: Buffer): Buffer {
  const copy = Buffer.from(new ArrayBuffer(bytes.length));
  bytes.copy(copy);
  return copy;
}
