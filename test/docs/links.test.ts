/** Links between pages and to files: they lead somewhere, in a checkout and in the installed package. */
import { execFileSync } from 'node:child_process';
import { statSync } from 'node:fs';
import { join, posix } from 'node:path';
import { anchors, exists, pages, ROOT, targets } from './markdown';

/** What npm puts into the package. npm itself says it: its rules are more than package.json's `files`. */
const [{ files }] = JSON.parse(
  execFileSync('npm', ['pack', '--dry-run', '--json', '--ignore-scripts'], { cwd: ROOT, encoding: 'utf8' }),
) as [{ files: { path: string }[] }];

function packed(path: string): boolean {
  return files.some((file) => file.path === path || file.path.startsWith(`${path}/`));
}

/** 400 KB of pictures that nobody needs beside the tables of speed.md. */
const LEFT_OUT = /^docs\/bench\//;

/** Pages that are in the package. */
const inside = pages().filter(packed);
const isElsewhere = (target: string) => /^[a-z]+:/i.test(target);

function wrong(page: string): string[] {
  const local = targets(page).filter((target) => !isElsewhere(target));
  return local.flatMap((target) => {
    const [path = '', anchor] = target.split('#');
    const file = path === '' ? page : posix.join(posix.dirname(page), path).replace(/\/$/, '');
    if (!exists(file)) return `${target}: there is no ${file}`;
    if (inside.includes(page) && !packed(file) && !LEFT_OUT.test(file))
      return `${target}: ${file} is not in the package`;
    if (anchor === undefined || !file.endsWith('.md') || statSync(join(ROOT, file)).isDirectory()) return [];
    return anchors(file).has(anchor) ? [] : `${target}: ${file} has no heading #${anchor}`;
  });
}

test.each(pages())('%s: every link leads somewhere', (page) => {
  expect(wrong(page)).toEqual([]);
});

test('README, docs and examples are in the package', () => {
  expect(inside).toEqual(expect.arrayContaining(['README.md', 'docs/README.md', 'docs/api.md']));
  expect(packed('examples/dns-server.js')).toBe(true);
});

test('a page of docs/ is found from the index of docs/', () => {
  const listed = targets('docs/README.md').map((target) => posix.join('docs', target.split('#')[0] as string));
  expect(
    pages().filter((page) => page.startsWith('docs/') && page !== 'docs/README.md' && !listed.includes(page)),
  ).toEqual([]);
});
