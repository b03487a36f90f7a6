/**
 * Simple inputs by the million: bytes and texts made by a small generator, compared at machine speed. FUZZ_MANY says how many
 * of each kind (default 5,000), FUZZ_SEED which ones. What fast-check's properties find is smaller; this looks further.
 */
import { isIP } from 'node:net';
import { formatIPv4, formatIPv6, parseAddress } from '../../src/address/ip';
import { newArrived, readControl } from '../../src/datagram/control';
import { newRemote, Sockaddrs } from '../../src/datagram/sockaddr';
import { platformFor } from '../../src/platform/index';
import { report } from '../chaos/support/report';
import { controlBytes } from '../support/bytes';
import { cases } from '../support/layouts';

const MANY = Number(process.env.FUZZ_MANY ?? 5_000);
let inputs = 0;
afterAll(() => report('simple inputs', { inputs }));

/** xorshift32: fast, and the same everywhere. */
let state = Number(process.env.FUZZ_SEED ?? 20150514) | 1;
function random(): number {
  state ^= state << 13;
  state ^= state >>> 17;
  state ^= state << 5;
  return state >>> 0;
}
const below = (limit: number) => random() % limit;

/** Bytes in surroundings of zeros and of ones: whoever reads those gets two results. */
class Twice {
  readonly #views = [0x00, 0xff].map((fill) => {
    const bytes = new Uint8Array(1024).fill(fill);
    return { bytes, words: new Int32Array(bytes.buffer), fill };
  });

  place(content: Uint8Array, start: number): readonly { bytes: Uint8Array; words: Int32Array }[] {
    for (const { bytes, fill } of this.#views) {
      bytes.fill(fill);
      bytes.set(content, start);
    }
    return this.#views;
  }
}

const START = 64;
const LENGTHS = [0, 1, 4, 11, 12, 13, 15, 16, 17, 20, 24, 28, 32, 64, 255, 300, 0x7fffffff, -1, -0x80000000, -8];

describe.each(cases)('control blocks on $name $arch', (on) => {
  const { cmsg, arrivals } = platformFor(on.name, on.arch);
  const twice = new Twice();

  /** Messages that the OS knows, then a few bytes of them replaced, and the end cut off. */
  function block(): Buffer {
    const messages = Array.from({ length: below(5) }, () => {
      const { level, type } = arrivals[below(arrivals.length)]!;
      return { level, type, data: Buffer.alloc(below(40), below(256)) };
    });
    const bytes = controlBytes(on, messages);
    for (let flips = below(4); flips > 0 && bytes.length >= 4; flips--) {
      if (below(2) === 0) bytes[below(bytes.length)] = below(256);
      else bytes.writeInt32LE(LENGTHS[below(LENGTHS.length)]!, (below(bytes.length - 3) >> 2) << 2);
    }
    return bytes.subarray(0, below(4) === 0 ? below(bytes.length + 1) : bytes.length);
  }

  test('what is read follows from the block alone', () => {
    const [one, other] = [newArrived(), newArrived()];
    for (let i = 0; i < MANY; i++) {
      const content = block();
      const [zeros, ones] = twice.place(content, START);
      readControl(cmsg, arrivals, zeros!, START, content.length, one);
      readControl(cmsg, arrivals, ones!, START, content.length, other);
      for (const key in one) {
        const [a, b] = [one[key as 'family'], other[key as 'family']];
        if (a !== b) throw new Error(`${key} of ${content.toString('hex')}: ${a} and ${b}`);
      }
    }
    inputs += MANY;
  });

  test('sockaddrs of any bytes are read, and what they say follows from them alone', () => {
    const sockaddrs = new Sockaddrs(platformFor(on.name, on.arch));
    const [one, other] = [newRemote(), newRemote()];
    const content = new Uint8Array(32);
    const words = new Int32Array(content.buffer);
    for (let i = 0; i < MANY; i++) {
      for (let w = 0; w < 8; w++) words[w] = random();
      const family = below(3) === 0 ? 2 : on.numbers.AF_INET6;
      if (below(4) > 0) content.set(on.numbers.saLen ? [28, family] : [family, 0]);
      const [zeros, ones] = twice.place(content, START);
      const known = sockaddrs.read(zeros!.bytes as Buffer, zeros!.words, START, one);
      if (known !== sockaddrs.read(ones!.bytes as Buffer, ones!.words, START, other)) throw new Error('family');
      if (JSON.stringify(one) !== JSON.stringify(other)) throw new Error(Buffer.from(content).toString('hex'));
    }
    inputs += MANY;
  });
});

const CHARACTERS = '0123456789abcdefABCDEF::::....%%/gx- ';

/** An address, or nearly one. */
function text(): string {
  const words = [random(), random(), random(), random()].map((word) => word & -below(2)) as [
    number,
    number,
    number,
    number,
  ];
  let one = below(2) === 0 ? formatIPv6(...words) : formatIPv4(words[0]);
  if (below(4) === 0) one = `::ffff:${formatIPv4(random() | 0)}`;
  for (let edits = below(3); edits > 0; edits--) {
    const at = below(one.length + 1);
    const character = CHARACTERS[below(CHARACTERS.length)]!;
    one = one.slice(0, at) + (below(3) === 0 ? '' : character) + one.slice(at + below(2));
  }
  return one;
}

test('what node:net calls an address is read, and nothing else is', () => {
  for (let i = 0; i < 4 * MANY; i++) {
    const one = text();
    const family = parseAddress(one)?.family ?? 0;
    if (family !== isIP(one)) throw new Error(`${one}: ${family}, node:net says ${isIP(one)}`);
  }
  inputs += 4 * MANY;
});

test('what is written is read back as the same address', () => {
  for (let i = 0; i < 4 * MANY; i++) {
    const words = [random(), random(), random(), random()].map((word) => word & -below(2)) as [
      number,
      number,
      number,
      number,
    ];
    const six = parseAddress(formatIPv6(...words))!;
    const four = parseAddress(formatIPv4(words[0]))!;
    const same = [six.word0, six.word1, six.word2, six.word3].every((word, k) => word === (words[k]! | 0));
    if (!same || four.word0 !== (words[0] | 0)) throw new Error(words.join());
  }
  inputs += 4 * MANY;
});
