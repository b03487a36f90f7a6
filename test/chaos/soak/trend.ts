/**
 * Does something grow with the datagrams? A slope, with an error that can be believed: what a process uses wanders, so that
 * neighbouring samples say nearly the same, and the error of a line through all of them comes out far too small. The line is
 * laid through the means of a few long blocks instead, each of which has forgotten the one before (the method of batch means).
 */
import { linearRegression, mean, sampleCorrelation, sampleStandardDeviation } from 'simple-statistics';

export interface Trend {
  readonly mean: number;
  /** Per million datagrams. */
  readonly slope: number;
  readonly standardError: number;
}

type Point = readonly [millions: number, value: number];

/** Blocks, so many that the slope has ten degrees of freedom. */
export const BLOCKS = 12;
/** Standard errors: what does not grow is said to in 1 of 40 cases (Student's t for ten degrees of freedom). */
const SURE = 2.23;

/** @param points by ascending millions */
export function trendOf(points: readonly Point[]): Trend {
  const blocks = inBlocks(points);
  const [x, y] = [blocks.map(([one]) => one), blocks.map(([, other]) => other)];
  const average = y.length > 0 ? mean(y) : 0;
  if (blocks.length < 4) return { mean: average, slope: 0, standardError: Number.POSITIVE_INFINITY };
  const slope = linearRegression(blocks.map(([one, other]) => [one, other])).m;
  const spread = sampleStandardDeviation(y);
  const r = spread === 0 ? 0 : sampleCorrelation(x, y);
  const standardError = Math.sqrt((1 - r * r) / (blocks.length - 2)) * (spread / sampleStandardDeviation(x));
  return { mean: average, slope, standardError };
}

/** Does it surely grow by more than `allowed` per million? */
export function grows({ slope, standardError }: Trend, allowed: number): boolean {
  return slope - SURE * standardError > allowed;
}

/** Equal parts of the datagrams, not of the time: a busy machine makes pauses. */
function inBlocks(points: readonly Point[]): Point[] {
  const [first, last] = [points[0]?.[0] ?? 0, points.at(-1)?.[0] ?? 0];
  const blocks: Point[][] = Array.from({ length: BLOCKS }, () => []);
  for (const point of points) {
    const share = last === first ? 0 : (point[0] - first) / (last - first);
    blocks[Math.min(BLOCKS - 1, Math.floor(share * BLOCKS))]?.push(point);
  }
  return blocks
    .filter((block) => block.length > 0)
    .map((block) => [mean(block.map(([x]) => x)), mean(block.map(([, y]) => y))]);
}
