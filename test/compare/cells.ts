/** Which cells of docs/matrix.md a report of `doctor` fills: a feature counts as run when all that tried it was right. */
import type { AddressFact, CheckName, Facts } from '../../src/cli/doctor/facts';
import type { Cell } from '../runtimes/report';

export interface Tried {
  readonly feature: string;
  /** undefined: nothing tried it. */
  readonly right: boolean | undefined;
}

export function tried(facts: Facts): Tried[] {
  const { addresses } = facts;
  const linkLocal = (one: AddressFact) => one.address.includes('%');
  const answered = (some: readonly AddressFact[]) => all(some.filter(reached).map(isRight));
  return [
    { feature: 'receive', right: all(addresses.filter(reached).map((one) => isTold(one))) },
    { feature: 'reply', right: answered(addresses.filter((one) => one.socket !== 'dual' && !linkLocal(one))) },
    { feature: 'dual-stack', right: answered(addresses.filter(({ socket }) => socket === 'dual')) },
    { feature: 'broadcast', right: checked(facts, ['broadcast']) },
    { feature: 'multicast', right: checked(facts, ['multicastIPv4', 'multicastIPv6']) },
    { feature: 'link-local', right: answered(addresses.filter(linkLocal)) },
    { feature: 'vanished source', right: checked(facts, ['foreignSourceIPv4', 'foreignSourceIPv6']) },
  ];
}

/** For MATRIX_OUT. */
export function cells(facts: Facts): Cell[] {
  const { system, capabilities, recvfromto } = facts;
  return tried(facts)
    .filter(({ right }) => right === true)
    .map(({ feature }) => ({
      os: capabilities.platform,
      arch: capabilities.arch,
      libc: system.libc?.name ?? '',
      runtime: system.runtime.name === 'Node.js' ? 'Node' : system.runtime.name,
      version: system.runtime.version,
      on: 'native',
      feature,
      result: 'run',
      detail: `doctor of ${recvfromto} on ${system.os} ${system.release}`,
    }));
}

const reached = ({ recvfromto }: AddressFact) => recvfromto.verdict !== 'unreachable';
const isRight = ({ recvfromto }: AddressFact) => recvfromto.verdict === 'right';

/** Was the destination told as it was asked? */
function isTold({ address, destination, socket }: AddressFact): boolean {
  return destination === (socket === 'dual' ? `::ffff:${address}` : address);
}

/** What could not be tried on the machine does not count. */
function checked({ checks }: Facts, names: readonly CheckName[]): boolean | undefined {
  const results = checks.filter(({ name, result }) => names.includes(name) && result !== 'skip');
  return all(results.map(({ result }) => result === 'pass'));
}

function all(results: readonly boolean[]): boolean | undefined {
  return results.length === 0 ? undefined : results.every(Boolean);
}
