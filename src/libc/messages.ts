/** recvmsg and sendmsg as C has them, over structs that hold what they point at. */
import { failure } from '../datagram/failure';
import { invalidArgType } from '../errors';
import { type Host, READABLE, WRITABLE } from '../ffi';
import { checkFd, checkInt } from './check';
import type { Descriptors } from './descriptors';
import { headerFields, partsOf, set, structOf } from './header';
import { block, Message } from './message';
import { isInstance, type StructBase } from './struct';
import { structsOf } from './structs';
import type { Waiter } from './wait';

export class Messages {
  readonly #host: Host;
  readonly #descriptors: Descriptors;
  readonly #waiter: Waiter;

  constructor(host: Host, descriptors: Descriptors, waiter: Waiter) {
    this.#host = host;
    this.#descriptors = descriptors;
    this.#waiter = waiter;
  }

  recvmsg(fd: number, message: unknown, flags: number): number {
    const { platform, syscalls } = this.#host;
    const { MSG_DONTWAIT } = platform.constants;
    const msg = this.#check(fd, message);
    const bits = checkInt('flags', flags);
    const parts = partsOf(platform, msg);
    // Copies, so that no layout, alignment or lifetime of theirs matters.
    const [name, control] = [parts.name, parts.control].map(
      (part) => part && block(part.length).subarray(0, part.length),
    );
    const header = new Message(this.#host);
    const result = this.#waiter.until(fd, READABLE, this.#patience(fd, bits, 'SO_RCVTIMEO'), 'recvmsg', () => {
      header.fill({ name, iov: parts.iov, control });
      return syscalls.recvmmsg(fd, header.bytes, 1, bits | MSG_DONTWAIT);
    });
    if (result < 0) throw failure(platform, result, 'recvmsg');
    this.#giveBack(msg, parts.name, name, parts.control, control, header);
    return header.length;
  }

  /** What the kernel says of the datagram, into the user's structs. */
  #giveBack(
    msg: StructBase,
    name: Buffer | undefined,
    nameCopy: Buffer | undefined,
    control: Buffer | undefined,
    controlCopy: Buffer | undefined,
    header: Message,
  ): void {
    const fields = headerFields(this.#host.platform);
    const { namelen, controllen } = header;
    if (name !== undefined && nameCopy !== undefined) name.set(nameCopy.subarray(0, namelen));
    if (control !== undefined && controlCopy !== undefined) control.set(controlCopy.subarray(0, controllen));
    set(msg, fields.name.length, namelen);
    set(structOf(msg, fields.control), fields.control.length, controllen);
    set(msg, fields.flags, fields.struct === 'WSAMSG' ? header.flags >>> 0 : header.flags);
  }

  sendmsg(fd: number, message: unknown, flags: number): number {
    const { platform, syscalls } = this.#host;
    const { MSG_DONTWAIT } = platform.constants;
    const msg = this.#check(fd, message);
    const bits = checkInt('flags', flags);
    const { name, iov, control } = partsOf(platform, msg);
    const parts = { name: name && this.#named(name), iov, control: control && copyOf(control) };
    const header = new Message(this.#host);
    const result = this.#waiter.until(fd, WRITABLE, this.#patience(fd, bits, 'SO_SNDTIMEO'), 'sendmsg', () => {
      header.fill(parts);
      return syscalls.sendmmsg(fd, header.bytes, 0, 1, bits | MSG_DONTWAIT);
    });
    if (result >= 0) return header.length;
    throw failure(
      platform,
      result,
      'sendmsg',
      parts.name && this.#descriptors.addresses.decode(parts.name, parts.name.length),
    );
  }

  /** BSD's sa_len, which nobody remembers, is the length that the message says. */
  #named(name: Buffer): Buffer {
    const copy = copyOf(name);
    if (this.#host.platform.saLen) copy[0] = Math.min(255, copy.length);
    return copy;
  }

  #check(fd: number, message: unknown): StructBase {
    checkFd(fd);
    const { platform } = this.#host;
    const { struct } = headerFields(platform);
    if (isInstance(message, structsOf(platform)[struct])) return message;
    throw invalidArgType('msg', `an instance of struct ${struct}`, message);
  }

  /** ms as Waiter takes them: what C would do with such flags on such a descriptor. */
  #patience(fd: number, flags: number, option: 'SO_RCVTIMEO' | 'SO_SNDTIMEO'): number | undefined {
    const { MSG_DONTWAIT } = this.#host.platform.constants;
    if ((flags & MSG_DONTWAIT) !== 0 || !this.#descriptors.blocks(fd)) return 0;
    return this.#descriptors.timeout(fd, option);
  }
}

function copyOf(bytes: Buffer): Buffer {
  const copy = block(bytes.length).subarray(0, bytes.length);
  copy.set(bytes);
  return copy;
}
