/** What `audit` found, as a person reads it. Pure. */
import { plain } from '../quoted';
import type { Style } from '../style';
import { type Row, table } from '../table';
import { count, counted, place } from '../units';
import type { Facts, SocketFact } from './facts';

export function report(facts: Facts, style: Style, screen?: number): string[] {
  const { sockets, processesNotRead, otherSockets } = facts;
  if (sockets.length === 0) {
    return ['No UDP socket is bound to all addresses here.', ...others(otherSockets, style)];
  }
  const rows = sockets.map(
    (fact): Row => [
      place(fact.address, fact.port),
      program(fact),
      fact.risk === 'maybe' ? style.yellow('maybe') : style.dim('unlikely'),
      fact.risk === 'maybe' && fact.probe !== null ? fact.probe : style.dim(fact.reason),
    ],
  );
  return [
    ...table(['Bound to', 'program', 'wrong answers', 'ask, or why not'], rows, style, screen),
    '',
    ...summary(sockets, style),
    ...unread(processesNotRead, style),
    ...others(otherSockets, style),
  ];
}

function program({ programs, uid }: SocketFact): string {
  if (programs.length === 0) return `? (uid ${uid})`;
  const [first, ...rest] = programs;
  const more = rest.length > 0 ? ` +${rest.length}` : '';
  return plain(`${first?.name} (${first?.pid})${more}`);
}

function summary(sockets: readonly SocketFact[], style: Style): string[] {
  const maybe = sockets.filter(({ risk }) => risk === 'maybe').length;
  if (maybe === 0) return [style.green('None of them is likely to answer from a wrong address.')];
  return [
    style.yellow(`${counted(maybe, 'socket')} could answer from a wrong address.`),
    'Whether a program chooses the address it answers from cannot be seen from outside; ask it.',
  ];
}

function unread(number: number, style: Style): string[] {
  if (number === 0) return [];
  return [
    style.dim(`Of ${count(number)} ${number === 1 ? 'process' : 'processes'} the sockets may not be read; root may.`),
  ];
}

function others(number: number, style: Style): string[] {
  if (number === 0) return [];
  return [
    style.dim(`${count(number)} more ${number === 1 ? 'is' : 'are'} bound to one address or connected: no matter.`),
  ];
}
