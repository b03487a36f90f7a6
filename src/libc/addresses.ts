/** Socket addresses of the calls: objects or sockaddr structs → bytes, and bytes → objects. */
import { mismatch } from '../datagram/answer';
import type { Endpoint } from '../datagram/endpoint';
import { Names } from '../datagram/names';
import { newRemote, SOCKADDR_SPACE, Sockaddrs } from '../datagram/sockaddr';
import { invalidAddress, invalidArgType, outOfRange, sourceMismatch } from '../errors';
import type { Host } from '../ffi';
import type { Arrived } from '../platform/platform';
import { checkInteger, checkObject, checkPort } from './check';
import { block } from './message';
import { isName, isStruct, layoutOf, type StructBase } from './struct';

/** An address and a port, as dgram spells them. */
export interface SocketName {
  /** Link-local IPv6 addresses have a zone (`fe80::1%eth0`). */
  readonly address: string;
  /** IPv4-mapped addresses are IPv6. */
  readonly family: 'IPv4' | 'IPv6';
  /** 0…65535. */
  readonly port: number;
}

/** A sockaddr for a call, and what stands in it for an error to name. */
export interface Encoded {
  readonly bytes: Buffer;
  readonly place: { readonly address: string; readonly port: number };
  /** undefined where the user handed over a struct. */
  readonly end: Endpoint | undefined;
}

export class Addresses {
  readonly names: Names;
  readonly #host: Host;
  readonly #sockaddrs: Sockaddrs;
  /** For names that are decoded at once. */
  readonly #name = block(SOCKADDR_SPACE);
  readonly #remote = newRemote();

  constructor(host: Host) {
    const { platform, syscalls, networkInterfaces } = host;
    this.#host = host;
    this.names = new Names(syscalls, { list: networkInterfaces, zoneIsIndex: platform.quirks.zoneIsIndex });
    this.#sockaddrs = new Sockaddrs(platform);
  }

  /**
   * @param what the argument's name
   * @param family of the socket, whose unspecified address stands where none is given; undefined: there must be one
   * @throws ERR_INVALID_ARG_TYPE, ERR_INVALID_IP_ADDRESS, ERR_SOCKET_BAD_PORT
   */
  encode(what: string, value: unknown, family?: 4 | 6): Encoded {
    if (isStruct(value)) return this.#encodeStruct(what, value);
    const { address, port } = checkObject(what, value);
    const anywhere = family === 4 ? '0.0.0.0' : '::';
    const end = this.endpoint(`${what}.address`, address === undefined && family !== undefined ? anywhere : address);
    const number = port === undefined && family !== undefined ? 0 : checkPort(port, family !== undefined);
    return { bytes: this.#sockaddrs.encode(end, number), place: { address: end.text, port: number }, end };
  }

  #encodeStruct(what: string, struct: StructBase): Encoded {
    if (!isName(layoutOf(struct))) throw invalidArgType(what, 'of type object, or a sockaddr', struct);
    const bytes = block(struct.buffer.length);
    bytes.set(struct.buffer);
    if (this.#host.platform.saLen) bytes[0] = Math.min(255, bytes.length);
    const { address, port } = this.decode(bytes, bytes.length);
    return { bytes: this.#fitting(bytes), place: { address, port }, end: undefined };
  }

  /** A sockaddr_storage may hold either family, and BSD wants the length of that one (P15, P16). */
  #fitting(bytes: Buffer): Buffer {
    const remote = newRemote();
    const known = this.#sockaddrs.read(bytes, wordsOf(bytes), 0, remote);
    const size = this.#sockaddrs.size(remote.family);
    if (!known || bytes.length <= size) return bytes;
    if (this.#host.platform.saLen) bytes[0] = size;
    return bytes.subarray(0, size);
  }

  /** An IP literal. @throws ERR_INVALID_ARG_TYPE, ERR_INVALID_IP_ADDRESS */
  endpoint(what: string, text: unknown): Endpoint {
    if (typeof text !== 'string') throw invalidArgType(what, 'of type string', text);
    const end = this.names.endpoint(text);
    if (end === undefined) throw invalidAddress(text);
    return end;
  }

  /** Where a connection is dissolved to. */
  unspecified(family: 4 | 6): Buffer {
    const bytes = this.#sockaddrs.encode({ family, word0: 0, word1: 0, word2: 0, word3: 0, scope: 0 }, 0);
    this.#sockaddrs.writeFamily(bytes, this.#host.platform.constants.AF_UNSPEC);
    return bytes;
  }

  /** `bytes` must begin at a multiple of 4. What is no IP address is 0.0.0.0 and port 0. */
  decode(bytes: Buffer, length: number): SocketName {
    const remote = this.#remote;
    const whole = bytes === this.#name ? bytes : this.#name.fill(0);
    if (whole !== bytes) whole.set(bytes.subarray(0, Math.min(length, SOCKADDR_SPACE)));
    this.#sockaddrs.read(whole, wordsOf(whole), 0, remote);
    return {
      address: this.names.endpointOf(remote).text,
      family: remote.family === 4 ? 'IPv4' : 'IPv6',
      port: remote.port,
    };
  }

  /** Where the socket is bound, or an empty port where it is not; a negative result is the kernel's. */
  local(fd: number): SocketName | number {
    const bytes = this.#name.fill(0);
    const length = this.#host.syscalls.getsockname(fd, bytes);
    return length < 0 ? length : this.decode(bytes, length);
  }

  /** Where it is connected to; a negative result is the kernel's. */
  peer(fd: number): SocketName | number {
    const bytes = this.#name.fill(0);
    const length = this.#host.syscalls.getpeername(fd, bytes);
    return length < 0 ? length : this.decode(bytes, length);
  }

  /** What the control messages said of a datagram that came to a socket which is bound to `local`. */
  arrival(arrived: Arrived, local: SocketName) {
    this.names.refresh();
    return this.names.arrival(arrived, local.port, local.family === 'IPv6');
  }

  /**
   * Rule 9 of docs/rules.md.
   * @throws ERR_RECVFROMTO_SOURCE_MISMATCH where the kernel would ignore the source, or leak the datagram
   */
  checkSource(source: Endpoint, to: Endpoint): void {
    const why = mismatch(source, to) ?? this.#misfit(source, to);
    if (why !== undefined) throw sourceMismatch(source.text, to.text, why);
  }

  /** As far as the host's own addresses tell. */
  #misfit(source: Endpoint, to: Endpoint): string | undefined {
    const { names } = this;
    names.refresh();
    if (names.isSubnetBroadcast(source)) return 'a multicast or broadcast address is no source';
    if (!source.loopback || source.ipv4 || to.loopback || names.isOurs(to)) return undefined;
    return 'the loopback address reaches nobody outside';
  }

  /** An interface by name or index. @throws ERR_INVALID_ARG_TYPE, ERR_OUT_OF_RANGE */
  ifindex(value: unknown): number {
    if (typeof value !== 'string') return checkInteger('options.interface', value, 1, 2 ** 31 - 1);
    const found = this.#host.syscalls.if_nametoindex(value);
    if (found === 0) throw outOfRange('options.interface', 'the name or the index of an interface', value);
    return found;
  }
}

export function wordsOf(bytes: Buffer): Int32Array {
  return new Int32Array(bytes.buffer, bytes.byteOffset, bytes.length >> 2);
}
