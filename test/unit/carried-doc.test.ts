/** docs/carried.md is what the option table, the platform data and the models say, and what it calls run has a test. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { evidence, PAGE, page } from '../../scripts/carried-doc';

test('docs/carried.md is up to date (npm run docs:carried)', () => {
  expect(readFileSync(PAGE, 'utf8')).toBe(page());
});

test.each(evidence)('test/e2e/%s has the test "%s…"', (file, name) => {
  const source = readFileSync(join(__dirname, '../e2e', file), 'utf8');
  const quoted = ["'", '"', '`'].some((quote) => source.includes(`${quote}${name}`));
  expect(quoted).toBe(true);
});

test('every cell is run, modelled, or no with a reason', () => {
  expect(page().match(/\| –( \||\n)/g)).toBeNull();
});
