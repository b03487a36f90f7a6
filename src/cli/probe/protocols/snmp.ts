/**
 * SNMP: first version 3's discovery of the engine, which needs no name and no password (RFC 3414, section 4); then
 * sysUpTime of version 2c in the community "public" (RFC 3416). BER as RFC 3417, section 8 wants it.
 */
import { randomInt } from 'node:crypto';
import type { Protocol, Question } from '../protocol';
import { reading } from '../protocol';

const INTEGER = 0x02;
const OCTETS = 0x04;
const NULL = 0x05;
const OID = 0x06;
const SEQUENCE = 0x30;
const GET = 0xa0;
const RESPONSE = 0xa2;
const REPORT = 0xa8;
const VERSION_2C = 1;
const VERSION_3 = 3;
/** RFC 3412, section 6.4: a report is wanted. Section 6.5: the user-based model is 3. */
const REPORTABLE = 4;
const USER_BASED = 3;
/** RFC 3417, section 3.2: everybody takes 484 bytes; what UDP can carry is offered. */
const MOST_BYTES = 65507;
/** 1.3.6.1.2.1.1.3.0 */
const SYS_UP_TIME = Buffer.from([0x2b, 6, 1, 2, 1, 1, 3, 0]);

export const snmp: Protocol = {
  name: 'snmp',
  questions: (attempt) => [attempt % 2 === 0 ? discovery() : upTime()],
};

function discovery(): Question {
  const id = randomInt(1, 2 ** 31 - 1);
  const empty = octets('');
  const security = ber(SEQUENCE, empty, integer(0), integer(0), empty, empty, empty);
  const msg = ber(
    SEQUENCE,
    integer(VERSION_3),
    ber(SEQUENCE, integer(id), integer(MOST_BYTES), octets(Buffer.from([REPORTABLE])), integer(USER_BASED)),
    octets(security),
    ber(SEQUENCE, empty, empty, ber(GET, integer(id), integer(0), integer(0), ber(SEQUENCE))),
  );
  const read = reading((answer) => {
    const [version, header, , scoped] = children(children(answer)[0]!.body);
    if (numberOf(version!) !== VERSION_3 || numberOf(children(header!.body)[0]!) !== id) return undefined;
    return children(scoped!.body)[2]!.tag === REPORT ? 'SNMPv3 report' : undefined;
  });
  return { msg, read };
}

function upTime(): Question {
  const id = randomInt(1, 2 ** 31 - 1);
  const binding = ber(SEQUENCE, ber(OID, SYS_UP_TIME), ber(NULL));
  const get = ber(GET, integer(id), integer(0), integer(0), ber(SEQUENCE, binding));
  const msg = ber(SEQUENCE, integer(VERSION_2C), octets('public'), get);
  const read = reading((answer) => {
    const [version, , pdu] = children(children(answer)[0]!.body);
    const isOurs =
      numberOf(version!) === VERSION_2C && pdu!.tag === RESPONSE && numberOf(children(pdu!.body)[0]!) === id;
    return isOurs ? 'SNMPv2c response' : undefined;
  });
  return { msg, read };
}

interface Element {
  readonly tag: number;
  readonly body: Buffer;
}

function ber(tag: number, ...parts: readonly Uint8Array[]): Buffer {
  const body = Buffer.concat(parts);
  const { length } = body;
  const head = length < 0x80 ? [tag, length] : [tag, 0x82, length >> 8, length & 0xff];
  return Buffer.concat([Buffer.from(head), body]);
}

function integer(value: number): Buffer {
  const bytes = Buffer.alloc(5);
  bytes.writeUIntBE(value, 0, 5);
  // The fewest bytes, of which the first bit is the sign.
  let at = 0;
  while (at < 4 && bytes[at] === 0 && bytes[at + 1]! < 0x80) at++;
  return ber(INTEGER, bytes.subarray(at));
}

function octets(value: string | Uint8Array): Buffer {
  return ber(OCTETS, Buffer.from(value as string));
}

/** What stands in these bytes, one behind the other. @throws RangeError where they end too early */
function children(bytes: Buffer): Element[] {
  const found: Element[] = [];
  for (let at = 0; at < bytes.length; ) {
    const tag = bytes.readUInt8(at);
    const first = bytes.readUInt8(at + 1);
    const more = first < 0x80 ? 0 : first & 0x7f;
    const length = more === 0 ? first : bytes.readUIntBE(at + 2, more);
    const start = at + 2 + more;
    if (start + length > bytes.length) throw new RangeError('cut');
    found.push({ tag, body: bytes.subarray(start, start + length) });
    at = start + length;
  }
  return found;
}

function numberOf({ tag, body }: Element): number {
  return tag === INTEGER && body.length > 0 && body.length <= 6 ? body.readIntBE(0, body.length) : Number.NaN;
}
