/**
 * Requests to a group are answered from an address of one's own. On the loopback, or with a TTL of 0: no datagram of
 * these leaves the machine.
 */

import { type Asking, asked } from '../asking';
import { isOwn, ownAddresses } from '../own-address';
import type { SocketName } from './facts';
import { type Finding, fail, pass, skip } from './finding';
import { witnessServer } from './servers';

/** The broadcast address of 127.0.0.0/8. */
const BROADCAST = '127.255.255.255';
/** 239.255.0.0/16 is for the site, to be used as one likes (RFC 2365, section 6.1). */
const GROUP_IPV4 = '239.255.53.0';
/** Transient and interface-local (RFC 4291, section 2.7): not even routers of the link hear of it. */
const GROUP_IPV6 = 'ff11::5300';

export function checkBroadcast(): Promise<Finding> {
  return askGroup('udp4', BROADCAST, [], {
    to: BROADCAST,
    from: '127.0.0.1',
    prepare: (client) => client.setBroadcast(true),
  });
}

export function checkMulticastIPv4(): Promise<Finding> {
  return askGroup('udp4', GROUP_IPV4, [[GROUP_IPV4, '127.0.0.1']], {
    to: GROUP_IPV4,
    from: '127.0.0.1',
    prepare(client) {
      client.setMulticastInterface('127.0.0.1');
      client.setMulticastTTL(0);
    },
  });
}

/** Loopback interfaces have no route for groups on some systems, so others are tried, too. */
export async function checkMulticastIPv6(): Promise<Finding> {
  const own = ownAddresses().filter(({ family }) => family === 6);
  const sorted = [...own.filter(({ internal }) => internal), ...own.filter(({ internal }) => !internal)];
  let finding = skip('no interface with IPv6');
  for (const zone of new Set(sorted.map(zoneOf))) {
    finding = await askGroup('udp6', GROUP_IPV6, [[GROUP_IPV6, `::%${zone}`]], {
      to: `${GROUP_IPV6}%${zone}`,
      prepare(client) {
        client.setMulticastInterface(`::%${zone}`);
        client.setMulticastTTL(0);
      },
    });
    if (finding.result !== 'skip') return finding;
  }
  return finding;
}

async function askGroup(
  socket: SocketName,
  group: string,
  groups: readonly (readonly [string, string])[],
  asking: Omit<Asking, 'port' | 'messages'>,
): Promise<Finding> {
  const server = await witnessServer(socket, { groups });
  try {
    const text = `recvfromto doctor ${process.pid} ${asking.to}`;
    const answer = await asked({ ...asking, port: server.port, messages: () => [Buffer.from(text)] });
    const told = server.heard(text);
    if (told === undefined) return skip(`${asking.to} is not heard on this machine${whyNot(answer)}`);
    if (told.destination?.address.split('%', 1)[0] !== group) {
      return fail(`what was sent to ${group} is said to have been sent to ${told.destination?.address}`);
    }
    if (typeof answer !== 'object') return fail(`${asking.to} is not answered`);
    if (!(await isOwn(answer.from))) return fail(`${asking.to} is answered from ${answer.from}`);
    return pass(`${asking.to} is answered from ${answer.from}`);
  } finally {
    await server.close();
  }
}

function whyNot(answer: unknown): string {
  return typeof answer === 'string' ? ` (${answer})` : '';
}

function zoneOf({ address, interface: name }: { address: string; interface: string }): string {
  return address.split('%')[1] ?? name;
}
