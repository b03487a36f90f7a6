/** Addresses as text and as bytes, beside node:net and beside what the system makes of them. */
import { lookup } from 'node:dns';
import { isIP, SocketAddress } from 'node:net';
import { promisify } from 'node:util';
import { formatIPv4, formatIPv6, parseAddress } from '../../src/address/ip';
import { newRemote, Sockaddrs } from '../../src/datagram/sockaddr';
import { platformFor } from '../../src/platform/index';
import { addressBytes, readSockaddr, sockaddrBytes } from '../support/bytes';
import { cases } from '../support/layouts';
import { fc } from './settings';

const wordsOf = (bytes: Uint8Array) =>
  [...new Int32Array(Uint8Array.from(bytes).buffer)] as [number, number, number, number];
const bytesOf = (...words: number[]) => Buffer.from(Int32Array.from(words).buffer);

/** Half of all groups are 0, 1 or ffff: runs of zeros, ties between them, mapped and compatible addresses. */
const group = fc.oneof(fc.constantFrom(0, 0, 0, 1, 0xffff), fc.nat(0xffff));
const ipv6 = fc
  .array(group, { minLength: 8, maxLength: 8 })
  .map((groups) => Buffer.from(groups.flatMap((one) => [one >> 8, one & 0xff])));
const ipv4 = fc.uint8Array({ minLength: 4, maxLength: 4 }).map((bytes) => Buffer.from(bytes));

/** As libuv's inet_ntop6 writes it: the source text is uv/src/inet.c, which node:net uses for SocketAddress. */
function uvText(bytes: Buffer): string {
  const groups = bytes
    .toString('hex')
    .match(/..../g)!
    .map((hex) => Number.parseInt(hex, 16).toString(16))
    .join(':');
  return new SocketAddress({ address: groups, family: 'ipv6' }).address;
}

test('IPv6 text is what libuv writes, and is read back', () => {
  const property = fc.property(ipv6, (bytes) => {
    const text = formatIPv6(...wordsOf(bytes));
    expect(text).toBe(uvText(bytes));
    const address = parseAddress(text)!;
    expect(bytesOf(address.word0, address.word1, address.word2, address.word3)).toEqual(bytes);
  });
  fc.assert(property);
});

test('IPv4 text is read back', () => {
  const property = fc.property(ipv4, (bytes) => {
    const text = bytes.join('.');
    const { family, word0, zone } = parseAddress(text)!;
    expect([family, bytesOf(word0), zone]).toEqual([4, bytes, '']);
    expect(formatIPv4(word0)).toBe(text);
  });
  fc.assert(property);
});

/** Ways of writing one address that inet_pton takes. */
const spelling = fc.tuple(ipv6, fc.nat(6), fc.nat(8), fc.boolean()).map(([bytes, from, length, upper]) => {
  const groups = bytes.toString('hex').match(/..../g)!;
  const short = groups.map((one, i) => ((i + from) % 2 ? one : Number.parseInt(one, 16).toString(16)));
  const zeros = groups.slice(from, from + length).every((one) => one === '0000') && length > 0 && from + length <= 8;
  const head = zeros ? `${short.slice(0, from).join(':')}::${short.slice(from + length).join(':')}` : short.join(':');
  return { bytes, text: upper ? head.toUpperCase() : head };
});

test('every spelling of an IPv6 address is read', () => {
  const property = fc.property(spelling, ({ bytes, text }) => {
    expect([text, isIP(text)]).toEqual([text, 6]);
    const address = parseAddress(text)!;
    expect(bytesOf(address.word0, address.word1, address.word2, address.word3)).toEqual(bytes);
  });
  fc.assert(property);
});

/** Text that looks like an address, and mostly is none. */
const nearly = fc.oneof(
  fc.string({ unit: fc.constantFrom(...'0123456789abcdefF:.%-x '), maxLength: 24 }),
  fc.tuple(ipv6, ipv4, fc.nat(30)).map(([six, four, cut]) => {
    const text = `${uvText(six).split('.')[0]}:${four.join('.')}`;
    return text.slice(0, cut) + text.slice(cut + 1);
  }),
  fc.tuple(ipv4, fc.constantFrom('', '0', '.', ' ', '/8', '%lo')).map(([four, more]) => four.join('.') + more),
  fc
    .tuple(ipv6, fc.constantFrom('%', '%lo', '%1', '%a b', '%%', '/64', '%eth0.5'))
    .map(([six, zone]) => uvText(six) + zone),
);

test('what node:net calls an address is read, and nothing else is', () => {
  const property = fc.property(nearly, (text) => {
    const address = parseAddress(text);
    expect(address?.family ?? 0).toBe(isIP(text));
    if (address?.family !== 6) return;
    const [bare, zone = ''] = text.split(/%(.*)/s);
    expect(address.zone).toBe(zone);
    expect(bytesOf(address.word0, address.word1, address.word2, address.word3)).toEqual(
      bytesOf(...wordsOf(addressBytes(expanded(bare)))),
    );
  });
  fc.assert(property, { numRuns: Number(process.env.FUZZ_RUNS ?? 1500) });
});

/** In eight groups: SocketAddress compresses the same way whatever it was given. */
function expanded(text: string): string {
  return new SocketAddress({ address: text, family: 'ipv6' }).address;
}

test("a name that is no address is never taken for one, whatever getaddrinfo makes of it ('1', '0x7f.1')", async () => {
  const find = promisify(lookup);
  for (const name of ['1', '127.1', '0x7f.1', '2130706433', '0177.0.0.1', '127.0.0.01', '']) {
    expect(parseAddress(name)).toBeUndefined();
  }
  for (const literal of ['127.0.0.1', '::1', '::ffff:127.0.0.1', 'fe80::1%lo']) {
    expect(parseAddress(literal)).toBeDefined();
    expect((await find(literal)).address).toBe(literal); // needs no resolver
  }
});

describe.each(cases)('sockaddrs on $name $arch', (on) => {
  const sockaddrs = new Sockaddrs(platformFor(on.name, on.arch));
  const address = fc.oneof(
    ipv4.map((bytes) => bytes.join('.')),
    ipv6.map(uvText),
  );

  test('are what C reads, and are read back', () => {
    const property = fc.property(
      address,
      fc.nat(65535),
      fc.integer({ min: 0, max: 0x7fffffff }),
      (text, port, index) => {
        const parsed = parseAddress(text)!;
        const scope = parsed.family === 6 ? index : 0;
        const encoded = sockaddrs.encode({ ...parsed, scope }, port);
        const peer = { address: text, port, scope };
        expect(encoded).toEqual(sockaddrBytes(on, peer));
        expect(readSockaddr(on, encoded)).toMatchObject({ port });
        const bytes = Buffer.from(new ArrayBuffer(48));
        encoded.copy(bytes, 8);
        const remote = newRemote();
        const known = sockaddrs.read(bytes, new Int32Array(bytes.buffer), 8, remote);
        const { family, word0, word1, word2, word3 } = parsed;
        expect([known, remote]).toEqual([true, { family, word0, word1, word2, word3, port, scope }]);
      },
    );
    fc.assert(property, { numRuns: Number(process.env.FUZZ_RUNS ?? 200) });
  });

  test('an unknown family is 0.0.0.0:0, whatever the bytes', () => {
    const property = fc.property(fc.uint8Array({ minLength: 32, maxLength: 32 }), (random) => {
      const bytes = Buffer.from(random.buffer.slice(0));
      const family = on.numbers.saLen ? bytes[1] : bytes.readUInt16LE();
      const remote = newRemote();
      const known = sockaddrs.read(bytes, new Int32Array(bytes.buffer), 0, remote);
      expect(known).toBe(family === 2 || family === on.numbers.AF_INET6);
      if (!known) expect(remote).toEqual(newRemote());
    });
    fc.assert(property, { numRuns: Number(process.env.FUZZ_RUNS ?? 200) });
  });
});
