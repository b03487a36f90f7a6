/** The soak's own ruler: what does not grow is not said to, and what grows is. */
import { grows, trendOf } from './trend';

/** A generator of its own, so that a failure comes again. */
function randomOf(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32 - 0.5;
  };
}

/** What V8 has committed: it wanders within some 15 MB, and takes 20 samples to forget where it was. 50 million datagrams. */
function wandering(seed: number, leak: number): [number, number][] {
  const random = randomOf(seed);
  let away = 0;
  return Array.from({ length: 600 }, (_, i) => {
    away = away * 0.95 + random() * 4;
    const millions = i / 12;
    return [millions, 150 + away + leak * millions];
  });
}

const SEEDS = Array.from({ length: 200 }, (_, seed) => seed * 7919 + 1);
const said = (leak: number) => SEEDS.filter((seed) => grows(trendOf(wandering(seed, leak)), 0)).length;

test('what wanders and does not grow is said to grow in a few of 200 runs', () => {
  expect(said(0)).toBeLessThan(15);
});

test('what grows by a third of a megabyte per million datagrams is found in nearly all of them', () => {
  expect(said(0.33)).toBeGreaterThan(190);
});

test('the error of a line through all samples would have found growth where there is none', () => {
  const naive = SEEDS.filter((seed) => {
    const points = wandering(seed, 0);
    const n = points.length;
    const [mx, my] = [0, 1].map((k) => points.reduce((sum, point) => sum + (point[k] ?? 0), 0) / n) as [number, number];
    const sxx = points.reduce((sum, [x]) => sum + (x - mx) ** 2, 0);
    const slope = points.reduce((sum, [x, y]) => sum + (x - mx) * (y - my), 0) / sxx;
    const rest = points.reduce((sum, [x, y]) => sum + (y - my - slope * (x - mx)) ** 2, 0);
    return slope - 2 * Math.sqrt(rest / (n - 2) / sxx) > 0;
  });
  expect(naive.length).toBeGreaterThan(50);
});

test('without enough to look at nothing is said', () => {
  expect(grows(trendOf([]), 0)).toBe(false);
  expect(
    grows(
      trendOf([
        [1, 1],
        [2, 900],
      ]),
      0,
    ),
  ).toBe(false);
  expect(
    trendOf([
      [1, 5],
      [1, 5],
    ]),
  ).toMatchObject({ mean: 5, slope: 0 });
});

test('a constant has a slope of 0, without an error', () => {
  const points = Array.from({ length: 100 }, (_, i) => [i, 7] as [number, number]);
  expect(trendOf(points)).toEqual({ mean: 7, slope: 0, standardError: 0 });
});
