/** What `doctor` and `probe` foresee for clients on the network. */
import type { OwnAddress } from '../../src/cli/own-address';
import { neighbourOf, predictions, sourceTowards } from '../../src/cli/prediction';

const own = (address: string, netmask: string, name = 'eth0'): OwnAddress => ({
  address,
  family: address.includes(':') ? 6 : 4,
  interface: name,
  internal: name === 'lo',
  netmask,
});
const V6_64 = 'ffff:ffff:ffff:ffff::';

describe('a neighbour is an address of the network that nobody here has', () => {
  test.each([
    [own('10.0.0.1', '255.255.255.0'), [], '10.0.0.0/24', '10.0.0.2'],
    [own('10.0.0.7', '255.255.255.0'), ['10.0.0.1', '10.0.0.2'], '10.0.0.0/24', '10.0.0.3'],
    [own('10.0.0.9', '255.255.255.252'), [], '10.0.0.8/30', '10.0.0.10'],
    [own('10.0.0.8', '255.255.255.254'), [], '10.0.0.8/31', '10.0.0.9'],
    [own('10.0.0.9', '255.255.255.254'), [], '10.0.0.8/31', '10.0.0.8'],
    [own('10.9.8.7', '255.0.0.0'), [], '10.0.0.0/8', '10.0.0.1'],
    [own('2001:db8::1', V6_64), [], '2001:db8::/64', '2001:db8::2'],
    [own('fe80::1%eth0', V6_64), ['fe80::2%eth1'], 'fe80::/64', 'fe80::3%eth0'],
  ])('%j', (one, others, network, client) => {
    expect(neighbourOf(one, [one, ...others.map((address) => ({ address }))])).toEqual({ network, client });
  });

  test('a network of one has none, nor has one that is all ours', () => {
    expect(neighbourOf(own('10.0.0.1', '255.255.255.255'), [])).toBeUndefined();
    expect(neighbourOf(own('::1', 'ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff'), [])).toBeUndefined();
    const both = [own('10.0.0.9', '255.255.255.252'), own('10.0.0.10', '255.255.255.252')];
    expect(neighbourOf(both[0]!, both)).toBeUndefined();
  });
});

test('each network sees the source that the kernel chooses towards it', () => {
  const from = [
    { network: 'a', client: '10.0.0.9', family: 4 as const, source: '10.0.0.1' },
    { network: 'b', client: '10.1.0.9', family: 4 as const, source: '10.1.0.1' },
    { network: 'none', client: '10.2.0.9', family: 4 as const, source: null },
    { network: 'c', client: 'fe80::9%eth0', family: 6 as const, source: 'fe80::1%eth0' },
  ];
  const of = (one: OwnAddress) => predictions(one, from).map(({ network, verdict }) => [network, verdict]);
  expect(of(own('10.0.0.1', '255.255.255.0'))).toEqual([
    ['a', 'right'],
    ['b', 'wrong'],
  ]);
  expect(of(own('10.0.0.7', '255.255.255.0'))).toEqual([
    ['a', 'wrong'],
    ['b', 'wrong'],
  ]);
  expect(of(own('fe80::1%eth0', V6_64))).toEqual([['c', 'right']]);
  expect(of(own('fe80::1%eth1', V6_64, 'eth1'))).toEqual([]);
  expect(of(own('127.0.0.1', '255.0.0.0', 'lo'))).toEqual([]);
});

test('the kernel is asked, and nothing is sent', async () => {
  expect(await sourceTowards('127.0.0.1')).toBe('127.0.0.1');
});
