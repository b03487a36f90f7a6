/** Addresses and control messages as bytes, written without the code under test. */
import type { Case } from './layouts';

export interface Peer {
  readonly address: string;
  readonly port: number;
  readonly scope?: number;
}

export interface ControlMessage {
  readonly level: number;
  readonly type: number;
  readonly data: Buffer;
}

/** Network-order bytes of a plain IPv4 or IPv6 address (also with a dotted tail). */
export function addressBytes(address: string): Buffer {
  if (!address.includes(':')) return Buffer.from(address.split('.').map(Number));
  const hex = address.replace(
    /(\d+)\.(\d+)\.(\d+)\.(\d+)$/,
    (...d) => `${((+d[1] << 8) | +d[2]).toString(16)}:${((+d[3] << 8) | +d[4]).toString(16)}`,
  );
  const [head, tail] = hex.split('::').map((half) => (half === '' ? [] : half.split(':')));
  const groups = tail === undefined ? head : [...head, ...Array(8 - head.length - tail.length).fill('0'), ...tail];
  return Buffer.from(groups.map((group) => group.padStart(4, '0')).join(''), 'hex');
}

/** In eight groups, or four decimal numbers: good for comparing, not for reading. */
export function addressText(bytes: Buffer): string {
  if (bytes.length === 4) return bytes.join('.');
  return bytes
    .toString('hex')
    .match(/..../g)!
    .map((group) => Number.parseInt(group, 16).toString(16))
    .join(':');
}

export function sockaddrBytes({ numbers }: Case, { address, port, scope = 0 }: Peer): Buffer {
  const ip = addressBytes(address);
  const bytes = Buffer.alloc(ip.length === 4 ? 16 : 28);
  const family = ip.length === 4 ? 2 : numbers.AF_INET6;
  if (numbers.saLen) bytes.set([bytes.length, family]);
  else bytes.writeUInt16LE(family);
  bytes.writeUInt16BE(port, 2);
  ip.copy(bytes, ip.length === 4 ? 4 : 8);
  if (ip.length === 16) bytes.writeUInt32LE(scope, 24);
  return bytes;
}

export function readSockaddr({ numbers }: Case, bytes: Buffer): Peer {
  const family = numbers.saLen ? bytes[1] : bytes.readUInt16LE();
  if (numbers.saLen && bytes[0] !== bytes.length) throw new Error(`sa_len ${bytes[0]} of ${bytes.length}`);
  const port = bytes.readUInt16BE(2);
  if (family === 2) {
    if (bytes.length !== 16) throw new Error(`sockaddr_in of ${bytes.length} bytes`);
    return { address: addressText(bytes.subarray(4, 8)), port };
  }
  if (family !== numbers.AF_INET6 || bytes.length !== 28) throw new Error(`family ${family} in ${bytes.length} bytes`);
  return { address: addressText(bytes.subarray(8, 24)), port, scope: bytes.readUInt32LE(24) };
}

const align = (length: number, to: number) => Math.ceil(length / to) * to;

export function controlBytes({ layout }: Case, messages: readonly ControlMessage[]): Buffer {
  const parts = messages.map(({ level, type, data }) => {
    const bytes = Buffer.alloc(align(layout.cmsg.data + data.length, layout.align));
    bytes.writeUIntLE(layout.cmsg.data + data.length, 0, layout.cmsg.lenSize === 8 ? 6 : 4);
    bytes.writeInt32LE(level, layout.cmsg.level);
    bytes.writeInt32LE(type, layout.cmsg.type);
    data.copy(bytes, layout.cmsg.data);
    return bytes;
  });
  return Buffer.concat(parts);
}

/** As strict as the strictest kernel: whole headers, whole lengths, nothing left over. */
export function readControlBytes({ layout }: Case, bytes: Buffer): ControlMessage[] {
  const messages: ControlMessage[] = [];
  let at = 0;
  while (at < bytes.length) {
    const wide = layout.cmsg.lenSize === 8;
    const len = wide ? Number(bytes.readBigUInt64LE(at)) : bytes.readUInt32LE(at);
    if (len < layout.cmsg.data || at + align(len, layout.align) > bytes.length) {
      throw new Error(`EINVAL: cmsg_len ${len} at ${at} of ${bytes.length}`);
    }
    messages.push({
      level: bytes.readInt32LE(at + layout.cmsg.level),
      type: bytes.readInt32LE(at + layout.cmsg.type),
      data: Buffer.from(bytes.subarray(at + layout.cmsg.data, at + len)),
    });
    at += align(len, layout.align);
  }
  return messages;
}

/** The control messages that tell an IPv4 destination. */
export function arrived4({ numbers }: Case, address: string, specDst: string, ifindex: number): ControlMessage[] {
  return numbers
    .arrival4(addressBytes(address), addressBytes(specDst), ifindex)
    .map(({ type, data }) => ({ level: 0, type, data }));
}

/** IPV6_PKTINFO, in or out. */
export function pktinfo6({ numbers }: Case, address: string, ifindex: number): ControlMessage {
  const data = Buffer.alloc(20);
  addressBytes(address).copy(data);
  data.writeUInt32LE(ifindex, 16);
  return { level: 41, type: numbers.IPV6_PKTINFO, data };
}
