/** The questions of `probe`, and what it takes for an answer. */

import { generate, parse } from 'coap-packet';
import { decode, encode } from 'dns-packet';
import type { Facts } from '../../src/cli/probe/facts';
import { protocolNames } from '../../src/cli/probe/names';
import { choose } from '../../src/cli/probe/protocols/index';
import { report } from '../../src/cli/probe/report';
import { style } from '../../src/cli/style';
import { UsageError } from '../../src/cli/usage';

const LOCAL = { address: '10.0.0.9', port: 4000 };
const REMOTE = { address: '10.0.0.1', port: 5300 };
const ask = (name: string, attempt = 0) => {
  const [question] = choose(name, 9).questions(attempt, LOCAL, REMOTE);
  const msg = Buffer.from(question!.msg);
  return { msg, read: (answer: Uint8Array) => question!.read(Buffer.from(answer)) };
};
const changed = (msg: Buffer, bytes: Record<number, number>) => {
  const copy = Buffer.from(msg);
  for (const [at, byte] of Object.entries(bytes)) copy[Number(at)] = byte;
  return copy;
};

describe.each(protocolNames)('%s', (name) => {
  test('each try is a datagram, and its own echo or rubbish is no answer', () => {
    for (let attempt = 0; attempt < 4; attempt++) {
      const { msg, read } = ask(name, attempt);
      expect(msg.length).toBeGreaterThan(3);
      for (const rubbish of [msg, Buffer.alloc(0), Buffer.alloc(1), Buffer.alloc(600, 0xff), msg.subarray(0, 3)]) {
        expect(read(rubbish)).toBeUndefined();
      }
    }
  });

  test('is chosen by its port', () => {
    const ports = { dns: 53, ntp: 123, stun: 3478, coap: 5683, snmp: 161, sip: 5060, tftp: 69, ssdp: 1900 };
    expect(choose(undefined, ports[name]).name).toBe(name);
  });
});

test('dns: any response with our identifier, and what it says', () => {
  const { msg, read } = ask('dns');
  const query = decode(msg);
  expect(query.questions).toEqual([{ name: 'version.bind', type: 'TXT', class: 'CH' }]);
  const answers = [{ type: 'TXT' as const, name: 'version.bind', class: 'CH' as const, data: 'bind 9' }];
  const answer = { type: 'response' as const, questions: query.questions, id: query.id };
  expect(read(encode({ ...answer, answers }))).toBe('bind 9');
  expect(read(encode({ ...answer, flags: 5 }))).toBe('REFUSED');
  expect(read(encode({ ...answer, id: (query.id! + 1) & 0xffff }))).toBeUndefined();
  expect(decode(ask('dns', 1).msg).questions).toMatchObject([{ name: '.', type: 'NS' }]);
});

test('ntp: a server that gives our timestamp back', () => {
  const { msg, read } = ask('ntp');
  const answer = Buffer.alloc(48);
  answer[0] = 0x24;
  answer[1] = 2;
  msg.copy(answer, 24, 40, 48);
  expect([msg.length, msg[0]]).toEqual([48, 0x23]);
  expect(read(answer)).toBe('stratum 2');
  expect(read(changed(answer, { 1: 0 }))).toBe('refused to serve (kiss of death)');
  expect(read(changed(answer, { 24: answer[24]! ^ 1 }))).toBeUndefined();
});

test('stun: a response with our transaction', () => {
  const { msg, read } = ask('stun');
  expect(msg.subarray(0, 8).toString('hex')).toBe('000100002112a442');
  expect(read(changed(msg, { 0: 1, 1: 1 }))).toBe('binding success');
  expect(read(changed(msg, { 0: 1, 1: 0x11 }))).toBe('binding error');
  expect(read(changed(msg, { 0: 1, 1: 1, 19: msg[19]! ^ 1 }))).toBeUndefined();
});

test('coap: a response with our token, or a reset of our ping', () => {
  const get = ask('coap');
  const { token, messageId } = parse(get.msg);
  expect(get.read(generate({ code: '2.05', ack: true, messageId, token }))).toBe('2.05');
  expect(get.read(generate({ code: '4.04', confirmable: true, messageId: 1, token }))).toBe('4.04');
  expect(get.read(generate({ code: '2.05', ack: true, messageId: (messageId + 1) & 0xffff }))).toBeUndefined();
  const ping = ask('coap', 1);
  expect(ping.read(generate({ code: '0.00', reset: true, messageId: parse(ping.msg).messageId }))).toBe('reset');
});

test('snmp: the bytes of RFC 3414’s discovery, a report to it, and a version 2c response', () => {
  const discovery = ask('snmp');
  const hex = discovery.msg.toString('hex');
  // version 3; … 65507 bytes, reportable, the user-based model; no engine, boots 0, time 0, no user, no keys
  expect(hex).toMatch(/^30..02010330/);
  expect(hex).toContain('020300ffe3040104020103' + '0410' + '300e' + '0400020100020100040004000400');
  const report = Buffer.from(discovery.msg);
  // The PDU's tag: behind an empty context name, before its request-id, which may be any number.
  report[report.indexOf(Buffer.from('0400a0', 'hex')) + 2] = 0xa8;
  expect(discovery.read(report)).toBe('SNMPv3 report');
  const get = ask('snmp', 1);
  expect(get.msg.includes(Buffer.from('public'))).toBe(true);
  expect(get.read(changed(get.msg, { [get.msg.indexOf(0xa0)]: 0xa2 }))).toBe('SNMPv2c response');
});

test('sip: a status with our call', () => {
  const { msg, read } = ask('sip');
  const text = msg.toString();
  expect(text).toMatch(
    /^OPTIONS sip:10\.0\.0\.1:5300 SIP\/2\.0\r\nVia: SIP\/2\.0\/UDP 10\.0\.0\.9:4000;branch=z9hG4bK\w+;rport\r\n/,
  );
  const [, call] = /Call-ID: (\S+)/.exec(text)!;
  expect(read(Buffer.from(`SIP/2.0 200 OK\r\nCall-ID: ${call}\r\n\r\n`))).toBe('200 OK');
  expect(read(Buffer.from('SIP/2.0 200 OK\r\nCall-ID: another\r\n\r\n'))).toBeUndefined();
});

test('tftp and ssdp: errors are answers, and may come from another port', () => {
  expect(ask('tftp').msg.toString('latin1')).toBe('\0\x01recvfromto-probe\0octet\0');
  expect(ask('tftp').read(Buffer.from('\0\x05\0\x01File not found\0'))).toBe('error 1');
  expect(ask('ssdp').read(Buffer.from('HTTP/1.1 200 OK\r\nST: upnp:rootdevice\r\n\r\n'))).toBe('200 OK');
  expect(ask('ssdp').msg.toString()).toContain('\r\nHOST: 10.0.0.1:5300\r\n');
  for (const name of ['tftp', 'ssdp', 'hex:00']) expect(choose(name, 9).anyPort).toBe(true);
});

test('hex: those bytes, and any answer', () => {
  expect(ask('hex:68 69:0a').msg.toString()).toBe('hi\n');
  expect(ask('hex:').msg).toHaveLength(0);
  expect(ask('hex:00').read(Buffer.from('what'))).toBe('"what"');
  for (const bad of ['hex:0', 'hex:zz', 'smtp', 'toString', '']) expect(() => choose(bad, 9)).toThrow(UsageError);
});

test('a port that is nobody’s own is asked in all of them at once', () => {
  const any = choose(undefined, 5300);
  expect(any.questions(0, LOCAL, REMOTE)).toHaveLength(protocolNames.length + 1);
});

describe('report', () => {
  const answer: Facts['answers'][number] = {
    asked: '10.0.0.7',
    host: null,
    askedBy: '10.0.0.1',
    verdict: 'wrong',
    from: { address: '10.0.0.1', port: 53 },
    says: 'REFUSED',
    error: null,
    proves: true,
    predicted: [{ network: '10.0.0.0/24 on eth0', client: '10.0.0.2', source: '10.0.0.1', verdict: 'wrong' }],
  };
  const facts = (verdict: Facts['verdict'], ...answers: Facts['answers']): Facts => ({
    port: 53,
    protocol: 'dns',
    verdict,
    answers,
    addressesNotAsked: 0,
  });
  const text = (given: Facts) => report(given, style(false));

  test('what is wrong, and for whom', () => {
    const right = { ...answer, asked: '10.0.0.1', verdict: 'right', proves: false } as const;
    expect(text(facts('wrong', answer, right))).toEqual([
      'Port 53, asked in dns',
      '',
      '  Asked at  asked by  answers from  answer',
      '  10.0.0.7  10.0.0.1  ✗ 10.0.0.1    REFUSED',
      '  10.0.0.1  10.0.0.1  ✓ itself      REFUSED (the kernel would do the same)',
      '',
      'This server answers from other addresses than it is asked on: 1 answer of 2.',
      'It is bound to all addresses, and leaves it to the kernel from which one to answer.',
      '',
      'Predicted for clients on the network (nothing was sent to them):',
      '  ✗ 10.0.0.7: 10.0.0.0/24 on eth0 from 10.0.0.1',
    ]);
  });

  test('another port, no answer, an error, nobody, another host', () => {
    const from = { address: '10.0.0.7', port: 54 };
    expect(text(facts('wrong', { ...answer, verdict: 'otherPort', from })).join('\n')).toMatch(
      /✗ 10\.0\.0\.7#54 .*\n\nThis server answers from another port than it is asked on\.$/,
    );
    const none = { ...answer, from: null, says: null, predicted: [] };
    expect(text(facts('unknown', { ...none, verdict: 'silent' })).at(-1)).toBe(
      'There was no answer that proves anything.',
    );
    expect(text(facts('unknown', { ...none, verdict: 'failed', error: 'EACCES' }))[3]).toMatch(/– not asked +EACCES$/);
    expect(text(facts('unknown', { ...none, verdict: 'refused' })).at(-1)).toBe('Nobody listens there.');
    const other = { ...answer, host: 'ns.example', verdict: 'right', proves: null, predicted: [] } as const;
    expect(text(facts('right', { ...other, from: { address: '10.0.0.7', port: 53 } })).slice(3)).toEqual([
      '  ns.example (10.0.0.7)  10.0.0.1  ✓ itself      REFUSED',
      '',
      'Every answer came from the asked address: 1 of 1.',
      'What hosts answer to other clients, only those can see.',
    ]);
  });
});
