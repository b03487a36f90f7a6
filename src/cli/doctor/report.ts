/** The facts as a person reads them, in 80 columns where the addresses allow. Pure. */
import { columnsOf, plain } from '../quoted';
import type { Style } from '../style';
import { count } from '../units';
import type { AddressFact, AnswerFact, Check, CheckName, Facts, SocketName, Verdict } from './facts';

const MARKS: Readonly<Record<Verdict | Check['result'], string>> = {
  right: '✓',
  wrong: '✗',
  silent: '✗',
  unreachable: '–',
  pass: '✓',
  fail: '✗',
  skip: '–',
};

const SOCKETS: Readonly<Record<SocketName, string>> = {
  udp4: 'IPv4, a socket on 0.0.0.0',
  udp6: 'IPv6, a socket on ::',
  dual: 'IPv4 again, on a dual-stack socket',
};

const CHECKS: Readonly<Record<CheckName, string>> = {
  broadcast: 'broadcast',
  multicastIPv4: 'IPv4 multicast',
  multicastIPv6: 'IPv6 multicast',
  foreignSourceIPv4: 'IPv4 bad source',
  foreignSourceIPv6: 'IPv6 bad source',
  sizes: 'sizes',
  metadataIPv4: 'IPv4 metadata',
  metadataIPv6: 'IPv6 metadata',
};

export function report(facts: Facts, style: Style): string[] {
  const parts = [head, table, checks, capabilities, verdict].map((part) => part(facts, style));
  return parts.filter((lines) => lines.length > 0).flatMap((lines, at) => (at === 0 ? lines : ['', ...lines]));
}

function head({ recvfromto, system }: Facts, style: Style): string[] {
  const { os, release, arch, libc, runtime, koffi } = system;
  const first = [`${os} ${release}`, arch, libc === null ? '' : `${libc.name} ${libc.version}`];
  const second = [`${runtime.name} ${runtime.version}`, koffi === null ? 'without koffi' : `koffi ${koffi}`];
  const all = [...first, ...second].filter((part) => part !== '');
  return [style.bold(`recvfromto ${recvfromto}`), style.dim(all.join(' · '))];
}

function table({ addresses, addressesNotAsked: left }: Facts, style: Style): string[] {
  if (addresses.length === 0) return [];
  const widths = [
    Math.max(20, ...addresses.map(({ address }) => columnsOf(plain(address)))),
    Math.max(16, ...addresses.map(({ recvfromto }) => columnsOf(answer(recvfromto)))),
  ] as const;
  const cells = (a: string, b: string, c: string) => `  ${pad(a, widths[0])}  ${b}  ${c}`;
  const lines = [style.bold(cells('Asked at', pad('recvfromto answers', widths[1] + 2), 'node:dgram answers'))];
  let last: SocketName | undefined;
  for (const fact of addresses) {
    if (fact.socket !== last) lines.push(`  ${style.dim(SOCKETS[fact.socket])}`);
    last = fact.socket;
    lines.push(cells(plain(fact.address), side(fact.recvfromto, style, widths[1]), side(fact.dgram, style, 0)));
  }
  lines.push(style.dim('  by clients on other addresses of this machine, where it has any'));
  if (left > 0) lines.push(style.dim(`  … and ${count(left)} more addresses, not asked`));
  return lines;
}

function side(fact: AnswerFact, style: Style, width: number): string {
  return `${mark(fact.verdict, style)} ${pad(answer(fact), width)}`;
}

function answer({ verdict, from }: AnswerFact): string {
  if (from !== null) return plain(from);
  return verdict === 'silent' ? 'no answer' : 'not reachable';
}

function checks({ checks: all }: Facts, style: Style): string[] {
  const width = Math.max(...Object.values(CHECKS).map((name) => name.length));
  return all.map(({ name, result, detail }) => {
    const text = result === 'fail' ? style.red(plain(detail)) : style.dim(plain(detail));
    return `  ${mark(result, style)} ${CHECKS[name].padEnd(width)}  ${text}`;
  });
}

function capabilities({ capabilities: { notes, ...all } }: Facts, style: Style): string[] {
  if (!all.destination) return []; // all for one reason, which is the problem
  const names = Object.entries(all).filter(([, value]) => typeof value === 'boolean');
  const given = names.filter(([, value]) => value).map(([name]) => name);
  const missing = names.filter(([, value]) => !value).map(([name]) => name);
  const lines = folded(`${mark('right', style)} `, given);
  const reasons = Object.entries(notes);
  for (const reason of new Set(reasons.map(([, note]) => note))) {
    const concerned = reasons.filter(([, note]) => note === reason).map(([name]) => name);
    const sign = concerned.some((name) => missing.includes(name)) ? '–' : ' ';
    lines.push(`  ${style.dim(`${sign} ${concerned.join(', ')}: ${plain(reason)}`)}`);
  }
  return lines;
}

/** Names in lines of 80 columns, behind a mark. */
function folded(sign: string, names: readonly string[]): string[] {
  const lines = [''];
  for (const [at, name] of names.entries()) {
    const word = at === names.length - 1 ? name : `${name}, `;
    if ((lines.at(-1) as string).length + word.length > 74) lines.push('');
    lines.push(lines.pop() + word);
  }
  return lines.map((line, at) => `  ${at === 0 ? sign : '  '}${line.trimEnd()}`);
}

function verdict(facts: Facts, style: Style): string[] {
  if (facts.problem !== null) return [`${style.red('recvfromto does not work here:')} ${plain(facts.problem)}`];
  const asked = facts.addresses.filter(({ recvfromto }) => recvfromto.verdict !== 'unreachable').length;
  const right = (side: 'recvfromto' | 'dgram') =>
    facts.addresses.filter((fact) => fact[side].verdict === 'right').length;
  const failed = facts.checks.filter(({ result }) => result === 'fail').length;
  return [
    facts.ok ? style.green('All is right with recvfromto here.') : style.red('Not all is right with recvfromto here.'),
    `From the asked address: recvfromto ${right('recvfromto')} of ${asked}, node:dgram ${right('dgram')} of ${asked}.`,
    ...(failed > 0 ? [`Failed checks: ${failed}.`] : []),
  ];
}

function mark(of: Verdict | Check['result'], style: Style): string {
  const sign = MARKS[of];
  return sign === '✓' ? style.green(sign) : sign === '✗' ? style.red(sign) : style.dim(sign);
}

function pad(text: string, columns: number): string {
  return text + ' '.repeat(Math.max(columns - columnsOf(text), 0));
}

/** Is all right with recvfromto here? Addresses that nobody could ask, and checks that could not be done, do not count. */
export function isOk(addresses: readonly AddressFact[], checks: readonly Check[]): boolean {
  const asked = addresses.filter(({ recvfromto }) => recvfromto.verdict !== 'unreachable');
  const right = asked.length > 0 && asked.every(({ recvfromto }) => recvfromto.verdict === 'right');
  return right && checks.every(({ result }) => result !== 'fail');
}
