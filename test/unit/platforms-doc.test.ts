/** docs/platforms.md: its tables are the data that the package runs on; what it and rules.md refer to is there. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { filled } from '../../scripts/platforms-doc';

const root = join(__dirname, '../..');
const page = readFileSync(join(root, 'docs/platforms.md'), 'utf8');
const pitfalls = readFileSync(join(root, 'docs/pitfalls.md'), 'utf8');

/** Numbers of pitfalls that a text cites. */
const cited = (text: string) => new Set(text.match(/\bP\d{1,2}\b/g) ?? []);
const known = new Set([...pitfalls.matchAll(/^\*\*(P\d{1,2})\b/gm)].map(([, number]) => number));

test('its tables are up to date (npm run docs)', () => {
  expect(page.match(/<!-- data: /g)?.length).toBeGreaterThan(10);
  expect(filled(page)).toBe(page);
});

test('a changed number would be seen', () => {
  expect(filled(page.replace('(8)', '(9)'))).toBe(page);
  expect(page.replace('(8)', '(9)')).not.toBe(page);
});

test.each(['platforms.md', 'rules.md'])('every pitfall that docs/%s cites is in docs/pitfalls.md', (name) => {
  const text = readFileSync(join(root, 'docs', name), 'utf8');
  expect(known.size).toBeGreaterThan(50);
  expect(cited(text).size).toBeGreaterThan(10);
  expect([...cited(text)].filter((number) => !known.has(number))).toEqual([]);
});

test.each([
  'src',
  'test/models',
  'test/runtimes',
  'test/qemu',
])('every pitfall that comments of %s cite is there', (folder) => {
  const files = readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' });
  const unknown = files
    .filter((file) => /\.c?[tj]s$/.test(file))
    .flatMap((file) =>
      [...cited(readFileSync(join(root, folder, file), 'utf8'))].filter((number) => !known.has(number)),
    );
  expect(unknown).toEqual([]);
});
