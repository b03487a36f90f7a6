import { Previous } from '../../../src/datagram/receiver';
import { fc } from '../../fuzz/settings';

const words = (...values: number[]) => Int32Array.from(values);

test('the first call has nothing to be the same as', () => {
  expect(new Previous(16).replace(words(0, 0, 0, 0), 0, 16)).toBe(false);
  expect(new Previous(16).replace(words(), 0, 0)).toBe(false);
});

test('equal bytes elsewhere are the same; one other bit, or another length, is not', () => {
  const previous = new Previous(16);
  const memory = words(1, 2, 3, 4, 1, 2, 3, 4, 1, 2, 3, 5);
  expect(previous.replace(memory, 0, 16)).toBe(false);
  expect(previous.replace(memory, 16, 16)).toBe(true);
  expect(previous.replace(memory, 32, 12)).toBe(false);
  expect(previous.replace(memory, 32, 16)).toBe(false);
  expect(previous.replace(memory, 32, 16)).toBe(true);
  expect(previous.replace(memory, 0, 16)).toBe(false);
});

test('it is what comparing with the call before would say', () => {
  const bytes = fc.array(fc.integer({ min: 0, max: 2 }), { maxLength: 4 });
  fc.assert(
    fc.property(fc.array(bytes, { maxLength: 20 }), (calls) => {
      const previous = new Previous(16);
      calls.forEach((values, i) => {
        const before = calls[i - 1];
        expect(previous.replace(words(...values), 0, values.length * 4)).toBe(
          before !== undefined && String(values) === String(before),
        );
      });
    }),
  );
});
