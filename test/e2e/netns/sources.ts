/** Sources that cannot be: vanished between request and answer, never ours, or not fit for the peer. */
import { ask, type Job } from './clients';
import { Program, script } from './programs';
import type { Report } from './report';
import type { Kind, Outcome, Send, Speech } from './speaker';
import { type Client, ip } from './topology';
import type { Wire } from './wire';

const PORTS: Speech['ports'] = { udp4: 5500, udp6: 5501, dual: 5502 };
/** Ports of the client that nobody listens on, one for each send. */
const DISCARD = 2000;

const PEER: Record<Kind, string> = { udp4: '10.77.0.100', udp6: 'fd77::100', dual: '::ffff:10.77.0.100' };

interface Case extends Omit<Send, 'port'> {
  readonly name: string;
  /** `sent`: the control group. `refused`: with any code. */
  readonly outcome: 'sent' | 'refused' | 'EADDRNOTAVAIL';
}

const from = (
  outcome: Case['outcome'],
  name: string,
  kind: Kind,
  localAddress: string,
  address = PEER[kind],
): Case => ({
  name: `${name}: ${kind} from ${localAddress} to ${address}`,
  kind,
  address,
  localAddress,
  outcome,
});

const CASES: readonly Case[] = [
  from('sent', 'ours', 'udp4', '10.77.0.3'),
  from('sent', 'ours', 'udp6', 'fd77::2'),
  from('sent', 'ours', 'dual', '::ffff:10.77.0.3'),
  from('sent', 'ours', 'dual', 'fd77::2', 'fd77::100'),
  from('EADDRNOTAVAIL', 'not ours', 'udp4', '10.77.0.200'),
  from('EADDRNOTAVAIL', 'not ours', 'udp6', 'fd77::200'),
  from('EADDRNOTAVAIL', 'not ours', 'dual', '::ffff:10.77.0.200'),
  from('EADDRNOTAVAIL', 'not ours', 'dual', 'fd77::200', 'fd77::100'),
  // P8: Linux ignores the first two without a word, and lets ::1 out on the cable.
  from('refused', 'other family', 'udp4', 'fd77::2'),
  from('refused', 'other family', 'udp6', '10.77.0.2'),
  from('refused', 'other family', 'dual', '::ffff:10.77.0.2', 'fd77::100'),
  from('refused', 'other family', 'dual', 'fd77::2'),
  from('refused', 'loopback to outside', 'udp4', '127.0.0.1'),
  from('refused', 'loopback to outside', 'udp6', '::1'),
  from('refused', 'loopback to outside', 'dual', '::ffff:127.0.0.1'),
  from('refused', 'a group', 'udp4', '239.77.0.1'),
  from('refused', 'a group', 'udp6', 'ff15::7777'),
  from('refused', 'broadcast', 'udp4', '255.255.255.255'),
  // Linux would take it (P40).
  from('refused', 'broadcast of the subnet', 'udp4', '10.77.0.255'),
];

/** One address each, put on v0 for this test; the request asks for its removal. */
const VANISHING: readonly { kind: Kind; family: 4 | 6; address: string; length: number; stays: string }[] = [
  { kind: 'udp4', family: 4, address: '10.77.0.11', length: 24, stays: '10.77.0.2' },
  { kind: 'udp6', family: 6, address: 'fd77::11', length: 64, stays: 'fd77::2' },
  { kind: 'dual', family: 4, address: '10.77.0.12', length: 24, stays: '10.77.0.2' },
  { kind: 'dual', family: 6, address: 'fd77::12', length: 64, stays: 'fd77::2' },
];

export async function sources(report: Report, client: Client, wire: Wire): Promise<void> {
  ip(VANISHING.map((v) => `addr add ${v.address}/${v.length} dev v0 ${v.family === 6 ? 'nodad' : ''}\n`).join(''));
  const sends = CASES.map(({ kind, address, localAddress }, at) => ({
    kind,
    address,
    localAddress,
    port: DISCARD + at,
  }));
  const speaker = new Program<Outcome>(
    process.execPath,
    script('speaker.ts', { ports: PORTS, sends } satisfies Speech),
  );
  await speaker.listening();
  await report.part('sources', () => told(report, wire, speaker));
  await report.part('vanished sources', () => vanished(report, client, wire, speaker));
  await speaker.end();
}

async function told(report: Report, wire: Wire, speaker: Program<Outcome>): Promise<void> {
  const outcomes = await Promise.all(CASES.map((_, at) => speaker.line(({ of }) => of === at)));
  await wire.settle();
  for (const [at, { name, kind, localAddress, outcome }] of CASES.entries()) {
    const packets = wire.answers(PORTS[kind], DISCARD + at).map((packet) => packet.source);
    const code = outcomes[at]?.code;
    const seen = `${code ?? 'no error'}, on the cable from [${packets.join(', ')}]`;
    const bare = localAddress.replace('::ffff:', '');
    if (outcome === 'sent') report.check(name, code === undefined && packets.join() === bare, seen);
    else if (outcome === 'refused') report.check(name, code !== undefined && packets.length === 0, seen);
    else report.check(name, code === outcome && packets.length === 0, seen);
  }
}

async function vanished(report: Report, client: Client, wire: Wire, speaker: Program<Outcome>): Promise<void> {
  const remove = (v: (typeof VANISHING)[number]) => `remove ${v.address}/${v.length}`;
  const job = (v: (typeof VANISHING)[number], to: string, text: string, mode: Job['mode']): Job => ({
    id: text,
    text,
    mode,
    family: v.family,
    to,
    port: PORTS[v.kind],
    patience: 5,
  });
  const asked = await ask(
    client,
    VANISHING.map((v) => job(v, v.address, remove(v), 'send')),
  );
  for (const v of VANISHING) {
    const { code, localAddress } = await speaker.line(({ of }) => of === remove(v));
    const name = `${v.kind}, ${v.address} vanished before the answer`;
    report.check(`${name}: code`, code === 'EADDRNOTAVAIL', String(code));
    report.check(`${name}: error.localAddress`, localAddress?.endsWith(v.address) === true, String(localAddress));
  }
  const then = await ask(
    client,
    VANISHING.map((v) => job(v, v.stays, `after ${v.address}`, 'connected')),
  );
  await wire.settle();
  for (const v of VANISHING) {
    const answer = then.get(`after ${v.address}`)?.answer;
    report.check(`${v.kind} goes on after ${v.address} vanished`, answer === `re:after ${v.address}`, 'no answer');
    const packets = wire.answers(PORTS[v.kind], asked.get(remove(v))?.port ?? 0);
    report.check(`${v.address} vanished: nothing is sent from elsewhere`, packets.length === 0, packets[0]?.source);
  }
}
