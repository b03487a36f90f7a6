import {
  BROADCAST,
  formatIPv4,
  formatIPv6,
  isLinkLocal,
  isLoopback,
  isMapped,
  isMulticast,
  isUnspecified,
  parseAddress,
} from '../../../src/address/ip';
import { addressBytes } from '../../support/bytes';

const parsed = (text: string) => {
  const address = parseAddress(text);
  if (address === undefined) throw new Error(`${text} is no address`);
  return address;
};
const bytesOf = ({ word0, word1, word2, word3 }: ReturnType<typeof parsed>) =>
  Buffer.from(Int32Array.of(word0, word1, word2, word3).buffer);

describe('text to bytes', () => {
  test.each([
    '::',
    '::1',
    '2001:DB8::1',
    '0:0:0:0:0:0:0:1',
    '::ffff:192.0.2.1',
    '::ffff:c000:201',
    // IPv4-compatible, RFC 4291 §2.5.5.1: not the same as mapped
    '::192.0.2.1',
    '::0.1.0.0',
    '64:ff9b::192.0.2.33',
    '1::1.2.3.4',
    '1:2:3:4:5:6:1.2.3.4',
    '::1:1.2.3.4',
    'fe80::1',
    'ffff:ffff:ffff:ffff:ffff:ffff:255.255.255.255',
  ])('%s', (text) => {
    expect(bytesOf(parsed(text))).toEqual(addressBytes(text));
  });

  test('zones stand apart', () => {
    expect(parsed('fe80::1%eth0.5')).toMatchObject({ family: 6, zone: 'eth0.5' });
    expect(parsed('::ffff:192.0.2.1%lo')).toMatchObject({ family: 6, zone: 'lo' });
    expect(parsed('192.0.2.1').zone).toBe('');
  });

  test.each([
    '',
    'localhost',
    '1',
    '1.2.3',
    '01.2.3.4',
    '1.2.3.4.5',
    '::1::',
    'fe80::1/64',
    '1.2.3.4%lo',
    ':::',
    '[::1]',
  ])('%j is no address', (text) => {
    expect(parseAddress(text)).toBeUndefined();
  });
});

test.each([
  ['::', '::'],
  ['::1', '::1'],
  ['0:0:1:0:0:1:1:1', '::1:0:0:1:1:1'],
  ['1:0:0:2:0:0:0:3', '1:0:0:2::3'],
  ['1:0:2:3:4:5:6:7', '1:0:2:3:4:5:6:7'],
  ['::ffff:0:0', '::ffff:0.0.0.0'],
  ['::1:0', '::0.1.0.0'],
  ['::2', '::2'],
])('%s is written %s', (text, expected) => {
  const { word0, word1, word2, word3 } = parsed(text);
  expect(formatIPv6(word0, word1, word2, word3)).toBe(expected);
});

test('IPv4 as text', () => {
  expect(formatIPv4(parsed('192.0.2.1').word0)).toBe('192.0.2.1');
  expect(formatIPv4(BROADCAST)).toBe('255.255.255.255');
});

test.each([
  ['0.0.0.0', 'unspecified'],
  ['::', 'unspecified'],
  ['::ffff:0.0.0.0', 'unspecified mapped'],
  ['0.0.0.1', ''],
  ['::1', 'loopback'],
  ['::2', ''],
  ['::127.0.0.1', ''],
  ['127.255.0.1', 'loopback'],
  ['::ffff:127.0.0.1', 'loopback mapped'],
  ['128.0.0.1', ''],
  ['224.0.0.1', 'multicast'],
  ['239.255.255.255', 'multicast'],
  ['223.255.255.255', ''],
  ['240.0.0.1', ''],
  ['::ffff:224.0.0.1', 'multicast mapped'],
  ['::ffff:223.0.0.1', 'mapped'],
  ['ff02::1', 'multicast'],
  ['ff12::1', 'multicast'],
  ['ff01::1', 'multicast'],
  ['ff05::1', 'multicast'],
  ['fe80::1', 'linkLocal'],
  ['febf::1', 'linkLocal'],
  ['fec0::1', ''],
  ['169.254.1.1', 'linkLocal'],
  ['169.253.1.1', ''],
  ['::ffff:169.254.1.1', 'linkLocal mapped'],
])('%s is %j', (text, expected) => {
  const address = parsed(text);
  const kinds = {
    unspecified: isUnspecified(address),
    loopback: isLoopback(address),
    multicast: isMulticast(address),
    linkLocal: isLinkLocal(address),
    mapped: isMapped(address),
  };
  const is = Object.entries(kinds).flatMap(([kind, yes]) => (yes ? [kind] : []));
  expect(is.sort()).toEqual(expected.split(' ').filter(Boolean).sort());
});
