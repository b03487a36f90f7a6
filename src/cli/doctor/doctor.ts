/**
 * `recvfromto doctor`: proves on this very machine that answers leave from the address that was asked, beside what
 * node:dgram does. All waiting is bounded (asking.ts), so it takes a few seconds at most. Nothing leaves the machine.
 */
import { openHost } from '../../ffi/index';
import { capabilities as ask, type Capabilities } from '../../index';
import type { DoctorOptions } from '../options';
import { ownAddresses } from '../own-address';
import type { Terminal } from '../terminal';
import { UsageError } from '../usage';
import { askAddresses } from './addresses';
import { checkAll } from './checks';
import { triedApart } from './deep/apart';
import { cases } from './deep/cases';
import { examine as examineKernel, type Subject, tried } from './deep/examine';
import type { DeepFact } from './deep/facts';
import type { Facts } from './facts';
import { isOk, report } from './report';
import { system } from './system';

/** ms that a datagram may take on the machine itself, in `--deep`. */
const PATIENCE = 150;

/** @param version of recvfromto. → exit status */
export async function doctor(options: DoctorOptions, version: string, terminal: Terminal): Promise<number> {
  const { json, deep, only } = options;
  if (only !== undefined) return tryOne(only, terminal);
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
  const subject = thisMachine();
  let done = 0;
  return examineKernel(subject, {
    progress: (about) => terminal.progress(`${++done} of ${cases.length}: ${about} …`),
    apart: (one) => triedApart(one, subject.platform.name),
  });
}

/** One case, for a process of its own: its fact as JSON. */
async function tryOne(name: string, terminal: Terminal): Promise<number> {
  const one = cases.find((candidate) => candidate.name === name);
  if (one === undefined) throw new UsageError(`there is no case ${name}`, 'doctor');
  terminal.print(JSON.stringify(await tried(one, thisMachine())));
  return 0;
}

function thisMachine(): Subject {
  const { platform, syscalls } = openHost();
  return { platform, syscalls, addresses: ownAddresses(), patience: PATIENCE };
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
