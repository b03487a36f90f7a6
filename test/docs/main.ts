/**
 * Every snippet and command of README, CONTRIBUTING and docs/ is run: `npm run test:docs`, `npm run test:docs -- README`
 * for one page. Each page has a folder of its own, in which recvfromto is installed from its tarball, and a network
 * namespace of its own, so that ports and addresses are those that the page says. Started by run.sh.
 */
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Report } from '../e2e/netns/report';
import { fences, pages, ROOT } from './markdown';

const [installed = '', ...wanted] = process.argv.slice(2);
const report = new Report();
const work = mkdtempSync(join(tmpdir(), 'docs-'));

/** In front of PATH: what a page asks to be installed is there already, or the page asks for too much; sudo is not needed. */
const SHIMS: Record<string, string> = {
  npm: `case $1 in
  install|i|add) shift; for name in "$@"; do case $name in -*) ;; *) [ -d "$INSTALLED/$name" ] || { echo "test/docs/package.json has no $name" >&2; exit 1; } ;; esac; done ;;
  ci) ;;
  *) exec "$NPM" "$@" ;;
esac`,
  sudo: 'exec "$@"',
};

function prepare(page: string): string {
  const folder = join(work, page.replace(/\W/g, '-'));
  mkdirSync(folder);
  symlinkSync(installed, join(folder, 'node_modules'));
  writeFileSync(join(folder, 'package.json'), '{ "private": true }\n');
  return folder;
}

function namespaced(page: string, folder: string): string {
  const command = ['-r', './test/e2e/netns/typescript.cjs', 'test/docs/page.ts', page, folder];
  const inside = `ip link set lo up && exec "$@"`;
  const { stdout, stderr } = spawnSync(
    'unshare',
    [
      '--net',
      '--pid',
      '--mount',
      '--fork',
      '--kill-child',
      '--mount-proc',
      'sh',
      '-c',
      inside,
      'sh',
      process.execPath,
      ...command,
    ],
    {
      cwd: ROOT,
      encoding: 'utf8',
      timeout: 180_000,
      killSignal: 'SIGKILL',
      env: {
        ...process.env,
        PATH: `${join(work, 'bin')}:${join(installed, '.bin')}:${process.env.PATH}`,
        NO_COLOR: '1',
        CHECKOUT: ROOT,
        npm_config_offline: 'true',
      },
    },
  );
  if (stderr !== '') report.note(`${page}: ${stderr.trim()}`);
  return stdout;
}

function typesOf(page: string, folder: string): void {
  const files = fences(page).filter(({ language, words }) => language === 'ts' && !('never' in words));
  if (files.length === 0) return;
  for (const [index, { code }] of files.entries()) writeFileSync(join(folder, `types${index}.ts`), code);
  const types = ['--types', 'node', '--typeRoots', join(ROOT, 'node_modules/@types')];
  const { status, stdout } = spawnSync(
    join(ROOT, 'node_modules/.bin/tsc'),
    [
      '--noEmit',
      '--strict',
      '--module',
      'node20',
      '--moduleDetection',
      'force',
      ...types,
      ...files.map((_, index) => `types${index}.ts`),
    ],
    { cwd: folder, encoding: 'utf8' },
  );
  report.check(`${page}: its TypeScript compiles`, status === 0, stdout);
}

interface Outcome {
  readonly name: string;
  readonly how?: string;
  readonly failed?: string;
}

function outcomes(page: string): Outcome[] {
  const folder = prepare(page);
  typesOf(page, folder);
  const lines = namespaced(page, folder).trim().split('\n');
  return lines.filter((line) => line !== '').map((line) => JSON.parse(line));
}

function play(page: string): void {
  const count = fences(page).length;
  if (count === 0) return;
  const seen = outcomes(page);
  for (const { name, how = '', failed } of seen) {
    report.check(name, failed === undefined, failed);
    if (how.startsWith('never')) report.note(`${name}: ${how}`);
  }
  report.check(`${page}: all fences were seen`, seen.length === count, `${seen.length} of ${count}`);
}

/** A page on which every snippet is wrong: do we notice? */
function broken(): void {
  for (const { name, failed } of outcomes('test/docs/broken.md')) {
    report.check(`${name}: is noticed to be wrong`, (failed === undefined) === /fine/.test(name));
  }
}

mkdirSync(join(work, 'bin'));
const npm = spawnSync('sh', ['-c', 'command -v npm'], { encoding: 'utf8' }).stdout.trim();
for (const [name, script] of Object.entries(SHIMS)) {
  const text = script.replace('$INSTALLED', installed).replace('"$NPM"', `"${npm}"`);
  writeFileSync(join(work, 'bin', name), `#!/bin/sh\n${text}\n`, { mode: 0o755 });
}
if (wanted.length === 0) broken();
for (const page of pages()) {
  if (wanted.length === 0 || wanted.some((each) => page.includes(each))) play(page);
}
rmSync(work, { recursive: true, force: true });
process.exit(report.close());
