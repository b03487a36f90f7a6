/** README's picture is what its script draws. */
import { readFileSync } from 'node:fs';

const { FILE, picture } = require('../../scripts/picture.js');

test('docs/picture.svg is up to date (node scripts/picture.js)', () => {
  expect(readFileSync(FILE, 'utf8')).toBe(picture());
});
