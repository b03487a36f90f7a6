import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import type { Abi } from '../../src/structs/ref';
import { alignedType, bytesType, refFor } from '../../src/structs/ref';
import { declare, structsOf } from '../../src/structs/struct';

const LP64: Abi = { pointerSize: 8, endianness: 'LE', int64Alignment: 8 };
const ILP32: Abi = { pointerSize: 4, endianness: 'LE', int64Alignment: 8 };
const I386: Abi = { pointerSize: 4, endianness: 'LE', int64Alignment: 4 };
const BIG: Abi = { pointerSize: 8, endianness: 'BE', int64Alignment: 8 };

describe('ref', () => {
  test('is the same object for equal ABIs', () => {
    expect(refFor({ ...LP64 })).toBe(refFor({ ...LP64 }));
    expect(refFor(LP64)).not.toBe(refFor(BIG));
    expect(refFor(ILP32)).not.toBe(refFor(I386));
  });

  test.each([
    ['LP64', LP64, { pointer: [8, 8], size_t: [8, 8], long: [8, 8], int64: [8, 8], int32: [4, 4], uint8: [1, 1] }],
    ['ILP32', ILP32, { pointer: [4, 4], size_t: [4, 4], long: [4, 4], int64: [8, 8], uint16: [2, 2] }],
    ['i386', I386, { pointer: [4, 4], long: [4, 4], int64: [8, 4], in_addr: [4, 4], in6_addr: [16, 4] }],
  ] as const)('sizes and alignments on %s', (_, abi, expected) => {
    const { types, sizeof, alignof } = refFor(abi);
    for (const [name, [size, alignment]] of Object.entries(expected)) {
      expect(types[name as keyof typeof types]).toMatchObject({ size, alignment, indirection: 1 });
    }
    expect([sizeof.pointer, alignof.pointer]).toEqual([abi.pointerSize, abi.pointerSize]);
  });

  test.each([
    ['int64', -2n, 'feffffffffffffff'],
    ['size_t', 0x1122334455667788n, '8877665544332211'],
    ['pointer', 0xffff800000001000n, '00100000' + '0080ffff'],
    ['long', -1n, 'ffffffffffffffff'],
    ['int32', -3, 'fdffffff'],
    ['uint32', 0xfffffffe, 'feffffff'],
    ['int16', -2, 'feff'],
    ['uint16', 0xfedc, 'dcfe'],
    ['uint8', 0xab, 'ab'],
    ['be16', 5300, '14b4'],
    ['be32', 0x12345, '00012345'],
  ] as const)('%s is written and read back', (name, value, hex) => {
    const ref = refFor(LP64);
    const type = ref.types[name];
    const bytes = Buffer.alloc(type.size + 3);
    ref.set(bytes, 3, value as never, type);
    expect(bytes.subarray(3).toString('hex')).toBe(hex);
    expect(ref.get(bytes, 3, ref.coerceType(type))).toBe(value);
  });

  test('byte order is that of the ABI, except in network-order fields', () => {
    const { types } = refFor(BIG);
    const bytes = Buffer.alloc(8);
    types.int32.set(bytes, 0, 1 as never);
    types.be16.set(bytes, 4, 5300 as never);
    expect(bytes.toString('hex')).toBe('0000000114b40000');
    types.pointer.set(bytes, 0, 258n as never);
    expect(bytes.toString('hex')).toBe('0000000000000102');
  });

  test('pointers and lengths are bigint on 32-bit CPUs too, and take numbers', () => {
    const { types } = refFor(ILP32);
    for (const type of [types.pointer, types.size_t, types.long]) {
      const bytes = Buffer.alloc(4);
      type.set(bytes, 0, 7 as never);
      expect(type.get(bytes, 0)).toBe(7n);
      type.set(bytes, 0, 9n as never);
      expect(bytes.toString('hex')).toBe('09000000');
    }
  });

  test('a value that does not fit is refused', () => {
    const { types } = refFor(ILP32);
    expect(() => types.pointer.set(Buffer.alloc(4), 0, 0x1_0000_0000n as never)).toThrow('out of range');
    expect(() => types.uint8.set(Buffer.alloc(1), 0, 256 as never)).toThrow('out of range');
    expect(() => types.in_addr.set(Buffer.alloc(4), 0, Buffer.alloc(5) as never)).toThrow('expected 4 bytes, got 5');
  });

  test('bytes are a view on the struct', () => {
    const bytes = Buffer.from('000102030405', 'hex');
    const seen = bytesType(3).get(bytes, 2) as Buffer;
    expect(seen.toString('hex')).toBe('020304');
    seen[0] = 0xff;
    expect(bytes.toString('hex')).toBe('0001ff030405');
  });
});

describe('declare', () => {
  const sample = declare(({ uint8, int64, int32 }) => ({ a: uint8, b: int64, c: int32 }));

  test('lays fields out as C does', () => {
    const offsets = (abi: Abi) => Object.values(sample(abi).fields).map(({ offset }) => offset);
    expect([offsets(LP64), sample(LP64).size, sample(LP64).alignment]).toEqual([[0, 8, 16], 24, 8]);
    expect([offsets(I386), sample(I386).size, sample(I386).alignment]).toEqual([[0, 4, 12], 16, 4]);
  });

  test('gives the same type for the same ABI', () => {
    expect(sample({ ...LP64 })).toBe(sample(LP64));
    expect(sample(I386)).not.toBe(sample(ILP32));
  });

  test('packed structs take the smallest alignment', () => {
    const fields = ({ int32, int64 }: { int32: never; int64: never }) => ({ a: int32, b: int64 });
    const packed = declare(fields as never, { packed: true })(LP64) as { size: number; alignment: number };
    expect([packed.size, packed.alignment]).toEqual([12, 4]);
  });

  test('nests structs and honours a raised alignment', () => {
    const outer = declare(({ uint16 }, abi) => ({ head: alignedType(uint16, 8), inner: sample(abi) }))(LP64);
    expect([outer.fields.inner.offset, outer.size, outer.alignment]).toEqual([8, 32, 8]);
    const value = new outer();
    const inner = value.inner as { b: bigint };
    inner.b = 5n;
    expect(value.ref().readBigInt64LE(16)).toBe(5n);
  });

  test('wraps existing bytes', () => {
    const bytes = Buffer.alloc(24);
    const value = new (sample(LP64))(bytes, { a: 1, c: -1 });
    expect(bytes.toString('hex')).toBe('0100000000000000' + '0000000000000000' + 'ffffffff00000000');
    expect(value.ref()).toBe(bytes);
    expect(value.c).toBe(-1);
    expect(() => new (sample(LP64))(Buffer.alloc(23))).toThrow(/at least 24 bytes/);
  });
});

test('the structs of an OS are laid out one by one, when they are asked for', () => {
  const laidOut: string[] = [];
  const one = (name: string) =>
    declare(({ int32 }) => {
      laidOut.push(name);
      return { field: int32 };
    });
  const structs = structsOf(LP64, { a: one('a'), b: one('b') });
  expect([Object.keys(structs), laidOut]).toEqual([['a', 'b'], []]);
  expect(structs.b.size).toBe(4);
  expect(structs.b).toBe(structs.b);
  expect(laidOut).toEqual(['b']);
});

const swc = join(__dirname, '../../node_modules/@swc/core');
/** A script in a process of its own, in which TypeScript can be required: Jest's modules are not Node's. */
function run(script: string, env: NodeJS.ProcessEnv = {}): { out: string; err: string } {
  const compile = `
    const { transformFileSync } = require(${JSON.stringify(swc)});
    require.extensions['.ts'] = (module, file) => module._compile(transformFileSync(file, {
      jsc: { parser: { syntax: 'typescript' }, target: 'es2022' }, module: { type: 'commonjs' } }).code, file);
    const platform = ${JSON.stringify(join(__dirname, '../../src/platform/index.ts'))};`;
  const options = { encoding: 'utf8', env: { ...process.env, ...env } } as const;
  const { stdout, stderr } = spawnSync(process.execPath, ['-e', compile + script], options);
  return { out: stdout, err: stderr };
}

test('importing the structs and platforms loads no package', () => {
  const { out } = run(`
    const loaded = () => Object.keys(require.cache).filter((file) => /node_modules.(ref-struct-di|debug|koffi)/.test(file)).length;
    const { hostPlatform } = require(platform);
    const before = loaded();
    hostPlatform();
    console.log(JSON.stringify([before, loaded() > 0]));`);
  expect(JSON.parse(out)).toEqual([0, true]);
});
