/** What a program can do with its sockets when this package's files are no longer there, or no longer to be read. */
import { execFileSync, spawnSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const ROOT = join(__dirname, '../..');
const BINARIES = join(ROOT, 'node_modules/@koromix');

/** A copy of the package, as installed. */
function installed(): string {
  const folder = mkdtempSync(join(tmpdir(), 'recvfromto-gone-'));
  mkdirSync(join(folder, 'node_modules'));
  cpSync(join(ROOT, 'dist'), join(folder, 'dist'), { recursive: true });
  if (existsSync(BINARIES)) cpSync(BINARIES, join(folder, 'node_modules/@koromix'), { recursive: true });
  return folder;
}

test.each([
  ['recvfromto', (folder: string) => [join(folder, 'dist/index.js')], 20],
  ['register', () => ['dgram'], 15],
] as const)('with %s, a server goes on when the files it came from are gone', (name, program, least) => {
  const folder = installed();
  try {
    const flags = name === 'register' ? ['--require', join(folder, 'dist/register.js')] : [];
    const script = join(__dirname, 'files-gone.cjs');
    const out = execFileSync(process.execPath, [...flags, script, folder, ...program(folder)], { encoding: 'utf8' });
    const { tried, failed } = JSON.parse(out) as { tried: number; failed: Record<string, string> };
    expect(failed).toEqual({});
    expect(tried).toBeGreaterThan(least);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});

test('a first socket when they are gone says so, and what to do', () => {
  const folder = installed();
  const program = `
    const { createSocket } = require(${JSON.stringify(join(folder, 'dist'))});
    require('node:fs').rmSync(${JSON.stringify(folder)}, { recursive: true });
    try {
      createSocket('udp4');
    } catch ({ code, message }) {
      console.log(code, message);
    }`;
  const { stdout, stderr } = spawnSync(process.execPath, ['-e', program], { encoding: 'utf8', timeout: 20_000 });
  rmSync(folder, { recursive: true, force: true });
  expect(stderr).toBe('');
  expect(stdout).toMatch(/^ERR_RECVFROMTO_UNSUPPORTED_PLATFORM .*before the process gives up root/);
});
