/** Whom `send` asks: a name or an address, looked up, and what kind of answer is to be expected from there. */
import { lookup } from 'node:dns/promises';
import { isIP } from 'node:net';
import { BROADCAST, isLinkLocal, isMapped, isMulticast, isUnspecified, parseAddress } from '../address/ip';
import { Failure, lookupFailure } from './failure';
import { ownAddresses } from './own-address';
import { UsageError } from './usage';

export interface Target {
  readonly address: string;
  readonly port: number;
  /**
   * `one`: the answer has to come from this very address. `group`: multicast or broadcast, any number of hosts answer
   * from their own addresses. `unspecified`: 0.0.0.0 and ::, which mean this host, by whichever address.
   */
  readonly kind: 'one' | 'group' | 'unspecified';
}

/** @param family of the address wanted, 0 for any. @throws Failure; UsageError for a missing zone */
export async function target(host: string, port: number, family: 0 | 4 | 6): Promise<Target> {
  const address = isIP(host) === 0 ? await find(host, family) : host;
  checkZone(address);
  return { address, port, kind: kindOf(address) };
}

/** Is this where the answer has to come from? Zones are compared where both are names, or not at all. */
export function answers(to: Target, address: string, port: number): boolean {
  if (to.kind === 'group') return true;
  if (port !== to.port) return false;
  if (to.kind === 'unspecified') return true;
  const [a, b] = [parseAddress(to.address), parseAddress(address)];
  if (a === undefined || b === undefined) return false;
  const sameZone = [a, b].some(({ zone }) => /^\d*$/.test(zone)) || a.zone === b.zone;
  const { word0, word1, word2, word3 } = a;
  return sameZone && word0 === b.word0 && word1 === b.word1 && word2 === b.word2 && word3 === b.word3;
}

async function find(host: string, family: 0 | 4 | 6): Promise<string> {
  try {
    return (await lookup(host, { family })).address;
  } catch (error) {
    throw lookupFailure(error as Error, host, family);
  }
}

/** The kernel takes a missing or unknown zone for "any interface", and the datagram goes astray. */
function checkZone(text: string): void {
  const address = parseAddress(text);
  if (address?.family !== 6) return;
  const names = [...new Set(ownAddresses().map((own) => own.interface))];
  if (address.zone === '') {
    const example = ownAddresses().find((own) => own.address.startsWith('fe80:'))?.interface ?? 'eth0';
    if (isLinkLocal(address) && !isMapped(address)) {
      throw new UsageError(`${text} is link-local: say on which interface, as in ${text}%${example}`, 'send');
    }
  } else if (!/^\d+$/.test(address.zone) && !names.includes(address.zone)) {
    throw new Failure(`there is no interface ${address.zone} here, but ${names.join(', ')}`);
  }
}

function kindOf(text: string): Target['kind'] {
  const address = parseAddress(text);
  if (address === undefined) return 'one';
  if (isUnspecified(address)) return 'unspecified';
  const isGroup = isMulticast(address) || (address.family === 4 && isBroadcast(address.word0));
  return isGroup ? 'group' : 'one';
}

/** 255.255.255.255, or the broadcast address of a network of ours; a /31 and a /32 have none (RFC 3021). */
function isBroadcast(word: number): boolean {
  if (word === BROADCAST) return true;
  return ownAddresses().some(({ address, netmask, family }) => {
    if (family !== 4 || netmask === '255.255.255.254' || netmask === '255.255.255.255') return false;
    const [own, mask] = [parseAddress(address), parseAddress(netmask)];
    return own !== undefined && mask !== undefined && word === ((own.word0 & mask.word0) | ~mask.word0);
  });
}
