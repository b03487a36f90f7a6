/**
 * `recvfromto doctor`: proves on this very machine that answers leave from the address that was asked, beside what
 * node:dgram does. All waiting is bounded (asking.ts), so it takes a few seconds at most. Nothing leaves the machine.
 */
import { capabilities as ask, type Capabilities } from '../../index';
import type { DoctorOptions } from '../options';
import type { Terminal } from '../terminal';
import { askAddresses } from './addresses';
import { checkAll } from './checks';
import type { Facts } from './facts';
import { isOk, report } from './report';
import { system } from './system';

/** @param version of recvfromto. → exit status */
export async function doctor({ json }: DoctorOptions, version: string, terminal: Terminal): Promise<number> {
  const facts = await examine(version);
  if (json) terminal.print(JSON.stringify(facts, null, 2));
  else for (const line of report(facts, terminal.style, terminal.columns)) terminal.print(line);
  return facts.ok ? 0 : 1;
}

async function examine(version: string): Promise<Facts> {
  const capabilities = ask();
  const found = await findOut(capabilities);
  const ok = found.problem === null && isOk(found.addresses, found.checks);
  return { recvfromto: version, ok, system: system(), capabilities, ...found };
}

type Found = Pick<Facts, 'problem' | 'addresses' | 'addressesNotAsked' | 'checks'>;

async function findOut(capabilities: Capabilities): Promise<Found> {
  const nothing = { addresses: [], addressesNotAsked: 0, checks: [] };
  if (!capabilities.destination) return { problem: capabilities.notes.destination ?? '', ...nothing };
  try {
    const [asked, checks] = await Promise.all([askAddresses(capabilities), checkAll(capabilities)]);
    const problem = asked.addresses.length > 0 ? null : 'this machine has no address on an interface that is up';
    return { problem, ...asked, checks };
  } catch (error) {
    return { problem: (error as Error).message, ...nothing };
  }
}
