/** Links between pages and to files: they lead somewhere, in a checkout and in the installed package. */
import { execFileSync } from 'node:child_process';
import { readFileSync, statSync } from 'node:fs';
import { join, posix } from 'node:path';
import { anchors, exists, namedFiles, pages, ROOT, targets } from './markdown';

/** What npm puts into the package. npm itself says it: its rules are more than package.json's `files`. */
const npm = process.env.npm_execpath; // set by npm test; on Windows `npm` alone is no program
const pack = ['pack', '--dry-run', '--json', '--ignore-scripts'];
const listing = npm?.endsWith('.js')
  ? execFileSync(process.execPath, [npm, ...pack], { cwd: ROOT, encoding: 'utf8' })
  : execFileSync('npm', pack, { cwd: ROOT, encoding: 'utf8' });
const [{ files }] = JSON.parse(listing) as [{ files: { path: string }[] }];

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

test.each(
  pages().filter((page) => page !== 'CHANGELOG.md'),
)('%s: every file of ours that it names is there', (page) => {
  const places = ['', 'src/', `${posix.dirname(page)}/`];
  expect(namedFiles(page).filter((file) => !places.some((place) => exists(place + file)))).toEqual([]);
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

test('README names the packages that are needed at run time, and no others', () => {
  const { dependencies } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8'));
  const [, sentence = ''] =
    /^(?:One|Two|Three) runtime dependenc(?:y|ies): ([\s\S]*?)\n\n/m.exec(
      readFileSync(join(ROOT, 'README.md'), 'utf8'),
    ) ?? [];
  expect([...sentence.matchAll(/\*\*(.+?)\*\*/g)].map(([, name]) => name).sort()).toEqual(
    Object.keys(dependencies).sort(),
  );
});
