/** The facts as a person reads them, in 80 columns where the addresses allow. Pure. */
import type { Prediction } from '../prediction';
import { columnsOf, padded, plain } from '../quoted';
import type { Style } from '../style';
import { type Row, table } from '../table';
import { count } from '../units';
import { deepReport } from './deep/report';
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

/** @param screen columns of the terminal */
export function report(facts: Facts, style: Style, screen?: number): string[] {
  const parts = [head, addressTable, networks, checks, deep, capabilities, verdict].map((part) =>
    part(facts, style, screen),
  );
  return parts.filter((lines) => lines.length > 0).flatMap((lines, at) => (at === 0 ? lines : ['', ...lines]));
}

function head({ recvfromto, system }: Facts, style: Style): string[] {
  const { os, release, arch, libc, runtime, koffi } = system;
  const first = [`${os} ${release}`, arch, libc === null ? '' : `${libc.name} ${libc.version}`];
  const second = [`${runtime.name} ${runtime.version}`, koffi === null ? 'without koffi' : `koffi ${koffi}`];
  const all = [...first, ...second].filter((part) => part !== '');
  return [style.bold(`recvfromto ${recvfromto}`), style.dim(all.join(' · '))];
}

function addressTable({ addresses, addressesNotAsked: left }: Facts, style: Style, screen?: number): string[] {
  if (addresses.length === 0) return [];
  const rows: Row[] = [];
  let last: SocketName | undefined;
  for (const fact of addresses) {
    if (fact.socket !== last) rows.push({ section: SOCKETS[fact.socket] });
    last = fact.socket;
    const { address, recvfromto, dgram, dgramPredicted } = fact;
    rows.push([plain(address), side(recvfromto, style), side(dgram, style), foreseen(dgramPredicted, style)]);
  }
  const titles = ['Asked at', 'recvfromto answers', 'node:dgram answers', 'predicted'];
  return [
    ...table(titles, rows, style, screen),
    style.dim('  asked by clients on other addresses of this machine, where it has any;'),
    style.dim('  predicted: for how many networks node:dgram would answer rightly'),
    ...(left > 0 ? [style.dim(`  … and ${count(left)} more addresses, not asked`)] : []),
  ];
}

function side(fact: AnswerFact, style: Style): string {
  return `${mark(fact.verdict, style)} ${answer(fact)}`;
}

/** Right for how many networks. */
function foreseen(all: readonly Prediction[], style: Style): string {
  if (all.length === 0) return style.dim('–');
  const right = all.filter(({ verdict }) => verdict === 'right').length;
  return `${mark(right === all.length ? 'right' : 'wrong', style)} ${right} of ${all.length}`;
}

/** What the predictions rest on: the source that the kernel chooses towards each network. */
function networks({ addresses }: Facts, style: Style): string[] {
  const all = new Map<string, string>();
  for (const { network, source } of addresses.flatMap(({ dgramPredicted }) => dgramPredicted)) all.set(network, source);
  if (all.size === 0) return [];
  const width = Math.max(...[...all.keys()].map(columnsOf));
  return [
    style.bold('  Towards the network the kernel chooses (predicted, nothing is sent):'),
    ...[...all].map(([network, source]) => `  ${padded(plain(network), width)}  ${plain(source)}`),
  ];
}

function answer({ verdict, from }: AnswerFact): string {
  if (from !== null) return verdict === 'right' ? 'itself' : plain(from);
  return verdict === 'silent' ? 'no answer' : 'not reachable';
}

function checks({ checks: all }: Facts, style: Style): string[] {
  const width = Math.max(...Object.values(CHECKS).map((name) => name.length));
  return all.map(({ name, result, detail }) => {
    const text = result === 'fail' ? style.red(plain(detail)) : style.dim(plain(detail));
    return `  ${mark(result, style)} ${CHECKS[name].padEnd(width)}  ${text}`;
  });
}

function deep({ deep: found }: Facts, style: Style, screen?: number): string[] {
  return found === null || found.length === 0 ? [] : deepReport(found, style, screen);
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
    ...outlook(facts),
    ...(failed > 0 ? [`Failed checks: ${failed}.`] : []),
  ];
}

/** What node:dgram means to clients on the network: a client on the machine itself sees it worse. */
function outlook({ addresses }: Facts): string[] {
  const reached = addresses.filter(({ dgramPredicted }) => dgramPredicted.length > 0);
  if (reached.length === 0) return [];
  const right = reached.filter(({ dgramPredicted: all }) => all.every(({ verdict }) => verdict === 'right')).length;
  return [`For clients on the network, node:dgram would be right at ${right} of ${reached.length} (predicted).`];
}

function mark(of: Verdict | Check['result'], style: Style): string {
  const sign = MARKS[of];
  return sign === '✓' ? style.green(sign) : sign === '✗' ? style.red(sign) : style.dim(sign);
}

/** Is all right with recvfromto here? Addresses that nobody could ask, and checks that could not be done, do not count. */
export function isOk(addresses: readonly AddressFact[], checks: readonly Check[]): boolean {
  const asked = addresses.filter(({ recvfromto }) => recvfromto.verdict !== 'unreachable');
  const right = asked.length > 0 && asked.every(({ recvfromto }) => recvfromto.verdict === 'right');
  return right && checks.every(({ result }) => result !== 'fail');
}
