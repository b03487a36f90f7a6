/** Which protocol to ask in: by name, by the port, or in all of them. */

import { quoted } from '../../quoted';
import { UsageError } from '../../usage';
import { type ProtocolName, protocolNames } from '../names';
import type { Protocol } from '../protocol';
import { coap } from './coap';
import { dns } from './dns';
import { ntp } from './ntp';
import { sip } from './sip';
import { snmp } from './snmp';
import { ssdp } from './ssdp';
import { stun } from './stun';
import { tftp } from './tftp';

const protocols: Readonly<Record<ProtocolName, Protocol>> = { dns, ntp, stun, coap, snmp, sip, tftp, ssdp };

/** IANA's service names and port numbers, and mDNS, which speaks DNS. */
const PORTS: Readonly<Record<number, ProtocolName>> = {
  53: 'dns',
  69: 'tftp',
  123: 'ntp',
  161: 'snmp',
  1900: 'ssdp',
  3478: 'stun',
  5060: 'sip',
  5353: 'dns',
  5683: 'coap',
};

export function protocolOf(port: number): ProtocolName | undefined {
  return PORTS[port];
}

/** @param name undefined: by the port. @throws UsageError */
export function choose(name: string | undefined, port: number): Protocol {
  if (name === undefined) return protocols[PORTS[port] as ProtocolName] ?? any;
  if (name.startsWith('hex:')) return hex(name.slice('hex:'.length));
  const known = protocols[name as ProtocolName];
  if (known === undefined || !Object.hasOwn(protocols, name)) {
    throw new UsageError(`--protocol needs ${protocolNames.join(', ')} or hex:…, not ${name || "''"}`, 'probe');
  }
  return known;
}

/** What an answer to bytes that nobody here understands says: itself. */
const TEXT = 24;
const read = (answer: Buffer): string => quoted(answer, TEXT);

function hex(digits: string): Protocol {
  const clean = digits.replaceAll(/[\s:]/g, '');
  if (!/^([0-9a-f]{2})*$/i.test(clean)) throw new UsageError('hex: needs pairs of hexadecimal digits', 'probe');
  const msg = Buffer.from(clean, 'hex');
  return { name: 'hex', anyPort: true, questions: () => [{ msg, read }] };
}

/** A port that is nobody's own: every question at once, and whatever comes is an answer. */
const any: Protocol = {
  name: 'any',
  anyPort: true,
  questions(attempt, local, remote) {
    const all = Object.values(protocols).flatMap((protocol) => protocol.questions(attempt, local, remote));
    return [...all, { msg: Buffer.alloc(0), read }];
  },
};
