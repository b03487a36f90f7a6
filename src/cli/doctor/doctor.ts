/**
 * `recvfromto doctor`: proves on this very machine that answers leave from the address that was asked, beside what
 * node:dgram does. All waiting is bounded (asking.ts), so it takes a few seconds at most. Nothing leaves the machine.
 */
import { openHost } from '../../ffi/index';
import { capabilities as ask, type Capabilities } from '../../index';
import type { DoctorOptions } from '../options';
import { ownAddresses } from '../own-address';
import type { Terminal } from '../terminal';
import { askAddresses } from './addresses';
import { checkAll } from './checks';
import { cases } from './deep/cases';
import { examine as examineKernel } from './deep/examine';
import type { DeepFact } from './deep/facts';
import type { Facts } from './facts';
import { isOk, report } from './report';
import { system } from './system';

/** ms that a datagram may take on the machine itself, in `--deep`. */
const PATIENCE = 150;

/** @param version of recvfromto. → exit status */
export async function doctor({ json, deep }: DoctorOptions, version: string, terminal: Terminal): Promise<number> {
  const facts = await examine(version, deep, terminal);
  terminal.clear();
  if (json) terminal.print(JSON.stringify(facts, null, 2));
  else for (const line of report(facts, terminal.style, terminal.columns)) terminal.print(line);
  return facts.ok ? 0 : 1;
}

async function examine(version: string, deep: boolean, terminal: Terminal): Promise<Facts> {
  const capabilities = ask();
  const found = await findOut(capabilities, terminal);
  const ok = found.problem === null && isOk(found.addresses, found.checks);
  const tried = deep && capabilities.destination ? await examineDeep(terminal) : deep ? [] : null;
  return { recvfromto: version, ok, system: system(), capabilities, ...found, deep: tried };
}

/** What differs from what was expected is news about the kernel, not a fault: it does not change the exit status. */
function examineDeep(terminal: Terminal): Promise<DeepFact[]> {
  const { platform, syscalls } = openHost();
  const addresses = ownAddresses();
  let done = 0;
  return examineKernel({ platform, syscalls, addresses, patience: PATIENCE }, (about) => {
    terminal.progress(`${++done} of ${cases.length}: ${about} …`);
  });
}

type Found = Pick<Facts, 'problem' | 'addresses' | 'addressesNotAsked' | 'checks'>;

async function findOut(capabilities: Capabilities, terminal: Terminal): Promise<Found> {
  const nothing = { addresses: [], addressesNotAsked: 0, checks: [] };
  if (!capabilities.destination) return { problem: capabilities.notes.destination ?? '', ...nothing };
  try {
    terminal.progress('asking every address of this machine …');
    const [asked, checks] = await Promise.all([askAddresses(capabilities), checkAll(capabilities)]);
    const problem = asked.addresses.length > 0 ? null : 'this machine has no address on an interface that is up';
    return { problem, ...asked, checks };
  } catch (error) {
    return { problem: (error as Error).message, ...nothing };
  }
}
