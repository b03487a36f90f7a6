/**
 * "Add an OS: one file and a line": test/support/atlantis.ts is such a file, for a system that does not exist. Sockets of
 * ours run on it, on a kernel that speaks its numbers, without a change anywhere else.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { platformFor } from '../../src/platform';
import { Facts, type Fixture } from '../abi/facts';
import { PORT, World } from '../models/world';
import { atlantis, atlantisConstants } from '../support/atlantis';

/** FreeBSD's facts with the numbers of Atlantis. */
function facts(): Facts {
  const file = join(__dirname, '../abi/fixtures/freebsd.json');
  const fixture = JSON.parse(readFileSync(file, 'utf8')) as Fixture;
  const own = Object.entries({ ...atlantisConstants, IP_SENDSRCADDR: atlantisConstants.IP_RECVDSTADDR });
  const constants = Object.fromEntries(own.map(([name, value]) => [name, [{ value }]]));
  return new Facts({ ...fixture, constants: { ...fixture.constants, ...constants } }, 'x64');
}

describe('an operating system that does not exist', () => {
  let world: World;
  beforeEach(() => {
    world = new World('atlantis-x64', { facts: facts(), platform: atlantis('x64') as never });
  });
  afterEach(() => world.close());

  test.each([
    ['udp4', { type: 'udp4' }, '10.0.0.2', ''],
    ['udp6', { type: 'udp6', ipv6Only: true }, '2001:db8::2', ''],
    ['one socket for both', { type: 'udp6' }, '10.0.0.2', '::ffff:'],
  ] as const)('answers come from the address that was asked, %s', async (_, options, asked, prefix) => {
    const { messages, answers } = await world.bind({ ...options, recvTTL: true });
    world.near.send(asked, PORT, 'x');
    await world.quiet();
    expect(messages[0].rinfo).toMatchObject({ localAddress: `${prefix}${asked}`, ttl: 61 });
    expect(answers).toEqual([null]);
    expect(world.near.heard).toEqual([`X from ${asked}`]);
  });

  test('its numbers are its own', () => {
    const { constants } = platformFor('freebsd', 'x64');
    for (const name of ['AF_INET6', 'IP_RECVDSTADDR', 'IPV6_RECVPKTINFO', 'SO_TIMESTAMP'] as const) {
      expect(atlantisConstants[name]).not.toBe(constants[name]);
    }
  });

  test('without its line in platform/index.ts it is refused by name', () => {
    expect(() => platformFor('atlantis', 'x64')).toThrow('recvfromto does not support atlantis');
  });
});
