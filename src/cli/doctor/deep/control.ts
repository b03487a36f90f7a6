/** Control messages by the platform's layout: written as the package writes them, and read as they come. Pure. */
import { parseAddress } from '../../../address/ip';
import type { ControlLayout, Departure, Platform } from '../../../platform/platform';

export interface Cmsg {
  readonly level: number;
  readonly type: number;
  /** Bytes of its payload. */
  readonly size: number;
}

const aligned = ({ align }: ControlLayout, size: number) => (size + align - 1) & -align;

/** One message that chooses a source. */
export function control({ cmsg }: Platform, departure: Departure, address: string, ifindex: number): Buffer {
  const { level, type, size } = departure;
  const bytes = Buffer.from(new ArrayBuffer(cmsg.data + aligned(cmsg, size)));
  const words = new Int32Array(bytes.buffer);
  bytes.writeUInt32LE(cmsg.data + size, cmsg.cmsg_len);
  bytes.writeInt32LE(level, cmsg.cmsg_level);
  bytes.writeInt32LE(type, cmsg.cmsg_type);
  const { word0, word1, word2, word3 } = parseAddress(address)!;
  departure.write({ bytes, words }, cmsg.data, { word0, word1, word2, word3, ifindex });
  return bytes;
}

/** One that says it is longer than the buffer. */
export function withLength({ cmsg }: Platform, message: Buffer, length: number): Buffer {
  const bytes = Buffer.from(message);
  bytes.writeUInt32LE(length, cmsg.cmsg_len);
  return bytes;
}

/** As CMSG_NXTHDR walks; one that is cut counts with what is there of it. */
export function cmsgs({ cmsg }: Platform, bytes: Buffer): Cmsg[] {
  const found: Cmsg[] = [];
  for (let at = 0; at + cmsg.headerSize <= bytes.length; ) {
    const length = bytes.readUInt32LE(at + cmsg.cmsg_len);
    if (length < cmsg.headerSize) break;
    const size = Math.min(length, bytes.length - at) - cmsg.data;
    const [level, type] = [bytes.readInt32LE(at + cmsg.cmsg_level), bytes.readInt32LE(at + cmsg.cmsg_type)];
    found.push({ level, type, size: Math.max(size, 0) });
    at += aligned(cmsg, length);
  }
  return found;
}
