/** The checks beside the table of addresses: each says what it saw, or why there was nothing to see. */
import type { Capabilities } from '../../index';
import { isOwn } from '../own-address';
import { checkSizes } from './datagrams';
import type { Check, CheckName } from './facts';
import { type Finding, fail, skip } from './finding';
import { checkBroadcast, checkMulticastIPv4, checkMulticastIPv6 } from './groups';
import { checkMetadata } from './metadata';
import { checkForeignSource } from './sources';

export async function checkAll(capabilities: Capabilities): Promise<Check[]> {
  const [ipv4, ipv6] = await Promise.all(['127.0.0.1', '::1'].map(isOwn));
  const checks: [CheckName, boolean, () => Promise<Finding>][] = [
    ['broadcast', ipv4, checkBroadcast],
    ['multicastIPv4', ipv4, checkMulticastIPv4],
    ['multicastIPv6', ipv6, checkMulticastIPv6],
    ['foreignSourceIPv4', ipv4, () => checkForeignSource('udp4')],
    ['foreignSourceIPv6', ipv6, () => checkForeignSource('udp6')],
    ['sizes', ipv4, checkSizes],
    ['metadataIPv4', ipv4, () => checkMetadata('udp4', capabilities)],
    ['metadataIPv6', ipv6, () => checkMetadata('udp6', capabilities)],
  ];
  return Promise.all(checks.map(([name, possible, check]) => run(name, possible, check)));
}

async function run(name: CheckName, possible: boolean, check: () => Promise<Finding>): Promise<Check> {
  if (!possible) return { name, ...skip('no loopback address of this family here') };
  try {
    return { name, ...(await check()) };
  } catch (error) {
    return { name, ...fail((error as Error).message) };
  }
}
