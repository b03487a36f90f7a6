/** Whom `send` asks, and who may answer. */
import { answers, type Target, target } from '../../src/cli/target';

const one = (address: string): Target => ({ address, port: 5300, kind: 'one' });

test.each([
  ['127.0.0.2', 'one'],
  ['::1', 'one'],
  ['::ffff:127.0.0.2', 'one'],
  ['0.0.0.0', 'unspecified'],
  ['::', 'unspecified'],
  ['239.1.2.3', 'group'],
  ['224.0.0.251', 'group'],
  ['ff02::fb', 'group'],
  ['255.255.255.255', 'group'],
])('%s is %s', async (host, kind) => {
  expect(await target(host, 5300, 0)).toEqual({ address: host, port: 5300, kind });
});

test('the broadcast address of a network of this host is a group', async () => {
  expect(await target('127.255.255.255', 5300, 0)).toMatchObject({ kind: 'group' });
});

test('names are looked up, in the family asked for', async () => {
  expect(await target('localhost', 5300, 4)).toEqual(one('127.0.0.1'));
});

test('a name that nobody knows, a zone that nobody has, a zone that is missing', async () => {
  // RFC 6761, section 6.4: .invalid is never resolved
  await expect(target('nobody.invalid', 5300, 0)).rejects.toMatchObject({ name: 'Failure' });
  await expect(target('fe80::1%nosuch', 5300, 0)).rejects.toThrow('there is no interface nosuch here, but ');
  await expect(target('fe80::1', 5300, 0)).rejects.toThrow(
    'fe80::1 is link-local: say on which interface, as in fe80::1%',
  );
});

test('only the address and the port that were asked may answer', () => {
  expect(answers(one('127.0.0.2'), '127.0.0.2', 5300)).toBe(true);
  expect(answers(one('127.0.0.2'), '127.0.0.1', 5300)).toBe(false);
  expect(answers(one('127.0.0.2'), '127.0.0.2', 5301)).toBe(false);
  expect(answers(one('127.0.0.2'), '::ffff:127.0.0.2', 5300)).toBe(false);
});

test('however an address is written', () => {
  expect(answers(one('0:0::1'), '::1', 5300)).toBe(true);
  expect(answers(one('2001:DB8::A'), '2001:db8::a', 5300)).toBe(true);
  expect(answers(one('::ffff:7f00:2'), '::ffff:127.0.0.2', 5300)).toBe(true);
});

test('zones: names differ, a number may be anything', () => {
  expect(answers(one('fe80::1%eth0'), 'fe80::1%eth0', 5300)).toBe(true);
  expect(answers(one('fe80::1%eth0'), 'fe80::1%eth1', 5300)).toBe(false);
  expect(answers(one('fe80::1%2'), 'fe80::1%eth0', 5300)).toBe(true);
});

test('of a group anybody answers, from any port; for 0.0.0.0 any address', () => {
  expect(answers({ address: '239.1.2.3', port: 5300, kind: 'group' }, '192.0.2.9', 9)).toBe(true);
  expect(answers({ address: '0.0.0.0', port: 5300, kind: 'unspecified' }, '127.0.0.1', 5300)).toBe(true);
  expect(answers({ address: '0.0.0.0', port: 5300, kind: 'unspecified' }, '127.0.0.1', 9)).toBe(false);
});
