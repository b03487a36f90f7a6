/** One request of each protocol, in bytes, and how its answer is known. Written from the protocols, not the packages. */
import { randomBytes } from 'node:crypto';

export interface Question {
  /** @param id small, and different for each request of a burst */
  ask(id: number): Buffer;
  /** Is `answer` the answer to `ask(id)`? */
  answers(id: number, answer: Buffer): boolean;
}

const hex = (text: string): Buffer => Buffer.from(text.replaceAll(' ', ''), 'hex');
const includes = (part: (id: number) => Buffer) => (id: number, answer: Buffer) => answer.includes(part(id));

const word = (number: number): Buffer => {
  const bytes = Buffer.alloc(2);
  bytes.writeUInt16BE(number);
  return bytes;
};

/** RFC 1035: one question of type A. */
const label = (id: number): Buffer => Buffer.from(`\x04q${100 + id}\x04test`, 'latin1');
export const dns: Question = {
  ask: (id) => Buffer.concat([word(1000 + id), hex('0100 0001 0000 0000 0000'), label(id), hex('00 0001 0001')]),
  answers: (id, answer) => ((answer[2] ?? 0) & 0x80) !== 0 && answer.includes(label(id)),
};

/** RFC 7252: confirmable GET, with a token. */
export const coap: Question = {
  ask: (id) => Buffer.concat([hex('42 01'), word(7000 + id), word(300 + id), hex('b1 61')]),
  answers: (id, answer) => answer.includes(word(7000 + id)) || answer.includes(word(300 + id)),
};

/** RFC 1350: read request. The answer is block 1 of a file that holds its own name. */
export const tftp: Question = {
  ask: (id) => Buffer.concat([word(1), Buffer.from(`file${id}\0octet\0`)]),
  answers: (id, answer) => answer.readUInt16BE(0) === 3 && answer.subarray(4).toString().startsWith(`file${id}`),
};

/** RFC 3261 and 3581: OPTIONS, answered to where it came from. */
export const sip: Question = {
  ask: (id) =>
    Buffer.from(
      [
        'OPTIONS sip:server@example.test SIP/2.0',
        `Via: SIP/2.0/UDP client.example.test:5060;branch=z9hG4bK-${id}-${randomBytes(4).toString('hex')};rport`,
        'Max-Forwards: 70',
        'From: <sip:client@example.test>;tag=1',
        'To: <sip:server@example.test>',
        `Call-ID: call-${id}.`,
        'CSeq: 1 OPTIONS',
        'Content-Length: 0',
        '',
        '',
      ].join('\r\n'),
    ),
  answers: (id, answer) => answer.toString().startsWith('SIP/2.0 200') && answer.includes(`call-${id}.`),
};

/** RFC 5389: binding request. */
const transaction = (id: number): Buffer => Buffer.concat([Buffer.alloc(10, 7), word(id)]);
export const stun: Question = {
  ask: (id) => Buffer.concat([hex('0001 0000 2112a442'), transaction(id)]),
  answers: (id, answer) => answer.readUInt16BE(0) === 0x0101 && answer.includes(transaction(id)),
};

/** OSC 1.0: a message with one integer. */
export const osc: Question = {
  ask: (id) => Buffer.concat([Buffer.from('/echo\0\0\0,i\0\0'), word(0), word(500 + id)]),
  answers: includes((id) => word(500 + id)),
};

/** RFC 3416: GetRequest of sysDescr.0, SNMP v2c. */
export const snmp: Question = {
  ask: (id) =>
    Buffer.concat([
      hex('30 27 02 01 01 04 06'),
      Buffer.from('public'),
      hex('a0 1a 02 02'),
      word(300 + id),
      hex('02 01 00 02 01 00 30 0e 30 0c 06 08 2b 06 01 02 01 01 01 00 05 00'),
    ]),
  answers: includes((id) => Buffer.concat([hex('02 02'), word(300 + id)])),
};

/** ASHRAE 135, annex J: ReadProperty of a device's object-name. */
export const bacnet: Question = {
  ask: (id) => hex(`81 0a 00 11 01 04 00 05 ${(64 + id).toString(16)} 0c 0c 02 00 00 01 19 4d`),
  answers: (id, answer) => answer[6] === 0x30 && answer[7] === 64 + id,
};

/** BEP 5: ping. */
export const dht: Question = {
  ask: (id) => Buffer.from(`d1:ad2:id20:abcdefghij0123456789e1:q4:ping1:t2:p${id}1:y1:qe`),
  answers: (id, answer) => answer.includes(`1:t2:p${id}`) && answer.includes('1:y1:r'),
};

/** BEP 15: connect. */
export const tracker: Question = {
  ask: (id) => Buffer.concat([hex('0000041727101980 00000000 0000'), word(600 + id)]),
  answers: (id, answer) => answer.length === 16 && answer.readUInt32BE(0) === 0 && answer.readUInt32BE(4) === 600 + id,
};

/** RFC 2865: Access-Request of a user without a password, who is rejected. */
export const radius: Question = {
  ask: (id) => Buffer.concat([Buffer.from([1, id, 0, 24]), Buffer.alloc(16, 9), hex('01 04'), Buffer.from('me')]),
  answers: (id, answer) => answer[0] === 3 && answer[1] === id,
};

/** UPnP Device Architecture 1.1: M-SEARCH. Its answers carry nothing of the request. */
export const ssdp: Question = {
  ask: () =>
    Buffer.from(
      'M-SEARCH * HTTP/1.1\r\nHOST: 239.255.255.250:1900\r\nMAN: "ssdp:discover"\r\nMX: 1\r\nST: upnp:rootdevice\r\n\r\n',
    ),
  answers: (_id, answer) => answer.toString().startsWith('HTTP/1.1 200'),
};

/** RakNet: unconnected ping. */
export const raknet: Question = {
  ask: (id) =>
    Buffer.concat([hex('01 00000000 0000'), word(800 + id), hex('00ffff00fefefefefdfdfdfd12345678'), Buffer.alloc(8)]),
  answers: (id, answer) => answer[0] === 0x1c && answer.includes(word(800 + id)),
};

/** RFC 862 */
export const echo: Question = {
  ask: (id) => Buffer.from(`echo ${id}.`),
  answers: includes((id) => Buffer.from(`echo ${id}.`)),
};

/** RFC 2131: DHCPDISCOVER, with the broadcast flag. */
export const dhcp: Question = {
  ask: () =>
    Buffer.concat([
      hex('01 01 06 00 12345678 0000 8000'),
      Buffer.alloc(16),
      hex('020000007764'),
      Buffer.alloc(10 + 64 + 128),
      hex('63825363 35 01 01 ff'),
    ]),
  answers: (_id, answer) => answer[0] === 2 && answer.includes(hex('12345678')),
};

/** ENet 1.3's CONNECT, in a datagram without a peer, and its VERIFY_CONNECT (enet/protocol.h). */
const connectId = (id: number): Buffer => Buffer.concat([hex('c0de'), word(100 + id)]);
export const enet: Question = {
  ask: (id) =>
    Buffer.concat([
      hex('8fff 0001'), // to no peer yet, sent at 1 ms
      hex('82 ff 0001'), // CONNECT, to be acknowledged
      word(id),
      hex('ff ff 00000578 00010000 00000001 00000000 00000000 00001388 00000002 00000002'),
      connectId(id),
      hex('00000000'),
    ]),
  answers: includes(connectId),
};

/** BEP 29: ST_SYN, and the ST_STATE that acknowledges it. */
export const utp: Question = {
  ask: (id) => Buffer.concat([hex('41 00'), randomBytes(2), hex('00000001 00000000 00040000'), word(70 + id), word(0)]),
  answers: (id, answer) => answer[0] === 0x21 && answer.readUInt16BE(18) === 70 + id,
};
