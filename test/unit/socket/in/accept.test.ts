import { acceptance } from '../../../../src/socket/in/accept';
import type { Accept, Destination } from '../../../../src/types';

const to = (address: string, via?: string): Destination => ({
  address,
  family: address.includes(':') ? 'IPv6' : 'IPv4',
  port: 53,
  ifindex: 1,
  interface: via,
});

test.each([
  [['192.0.2.1'], '192.0.2.1', true],
  [['192.0.2.1'], '192.0.2.2', false],
  [['192.0.2.0/24'], '192.0.2.77', true],
  [['192.0.2.0/24'], '192.0.3.77', false],
  [['0.0.0.0/0'], '8.8.8.8', true],
  [['0.0.0.0/0'], '2001:db8::1', false],
  [['192.0.2.0/24'], '::ffff:192.0.2.77', true],
  [['2001:db8::/32', '192.0.2.1'], '2001:db8:9::1', true],
  [['2001:db8::/32'], '2001:db9::1', false],
  [['fe80::/10'], 'fe80::1%eth0', true],
  [['239.0.0.0/8'], '239.1.2.3', true],
  [[], '192.0.2.1', false],
])('destinations %j: %s %p', (destinations, address, expected) => {
  expect(acceptance({ destinations })(to(address))).toBe(expected);
});

test('interfaces, alone and with destinations', () => {
  const onEth0 = acceptance({ interfaces: ['eth0', 'eth1'] });
  expect([onEth0(to('192.0.2.1', 'eth1')), onEth0(to('192.0.2.1', 'lo')), onEth0(to('192.0.2.1'))]).toEqual([
    true,
    false,
    false,
  ]);
  const both = acceptance({ interfaces: ['eth0'], destinations: ['192.0.2.1'] });
  expect([both(to('192.0.2.1', 'eth0')), both(to('192.0.2.2', 'eth0')), both(to('192.0.2.1', 'lo'))]).toEqual([
    true,
    false,
    false,
  ]);
  expect(acceptance({})(to('192.0.2.1'))).toBe(true);
});

test('a function is asked itself', () => {
  const asked = jest.fn(() => true);
  expect(acceptance(asked)).toBe(asked);
});

test.each([
  [null, 'ERR_INVALID_ARG_TYPE'],
  [true, 'ERR_INVALID_ARG_TYPE'],
  ['192.0.2.1', 'ERR_INVALID_ARG_TYPE'],
  [{ destinations: '192.0.2.1' }, 'ERR_INVALID_ARG_TYPE'],
  [{ interfaces: 'eth0' }, 'ERR_INVALID_ARG_TYPE'],
  [{ interfaces: [5] }, 'ERR_INVALID_ARG_TYPE'],
  [{ destinations: [null] }, 'ERR_INVALID_ARG_VALUE'],
  [{ destinations: ['example.org'] }, 'ERR_INVALID_ARG_VALUE'],
  [{ destinations: ['192.0.2.1/33'] }, 'ERR_INVALID_ARG_VALUE'],
  [{ destinations: ['192.0.2.1/'] }, 'ERR_INVALID_ARG_VALUE'],
  [{ destinations: ['192.0.2.0/24/1'] }, 'ERR_INVALID_ARG_VALUE'],
  [{ destinations: ['2001:db8::/129'] }, 'ERR_INVALID_ARG_VALUE'],
])('%j: %s', (bad, code) => {
  expect(() => acceptance(bad as unknown as Accept)).toThrow(expect.objectContaining({ code }));
});
