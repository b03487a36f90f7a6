/**
 * Debian's UDP servers on all addresses of a host, asked by another host: from where do they answer? Writes
 * docs/who-answers.md when all were asked. run.sh starts it as the first process of a PID namespace.
 */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { release, tmpdir } from 'node:os';
import { join } from 'node:path';
import { Report } from '../e2e/netns/report';
import { build } from '../e2e/netns/topology';
import { page } from './page';
import { programs } from './programs';
import { ADDRESSES, type Finding, survey } from './survey';

const LIMIT = 600_000;
const PAGE = join(__dirname, '../../docs/who-answers.md');

async function main(wanted: readonly string[]): Promise<number> {
  const report = new Report();
  const client = await build();
  const folder = mkdtempSync(join(tmpdir(), 'who-answers-'));
  const findings: Finding[] = [];
  const chosen = programs.filter(
    ({ name, debian }) => wanted.length === 0 || wanted.some((word) => word === name || word === debian),
  );
  try {
    for (const program of chosen) {
      for (const [at, setup] of program.setups.entries()) {
        const finding = await survey(program, setup, client, join(folder, `${program.debian}-${at}`));
        findings.push(finding);
        judge(report, finding);
      }
    }
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
  const text = page(findings, { node: process.version, kernel: release(), debian: debian() });
  console.log(text);
  const code = report.close();
  if (code === 0 && wanted.length === 0) writeFileSync(PAGE, text);
  return code;
}

/** What a program does is what the page tells; the test is that it ran, and was asked at all of its addresses. */
function judge(report: Report, { program, setup, answers, log }: Finding): void {
  const name = `${program.name}, ${setup.label}`;
  const heard = answers.filter(({ from }) => from !== null);
  report.check(`${name}: answers`, heard.length > 0, log);
  const all = Object.values(ADDRESSES).flat().length;
  report.check(`${name}: was asked at every address`, answers.length === all, `${answers.length} of ${all}`);
}

function debian(): string {
  return /^PRETTY_NAME="(.*)"$/m.exec(readFileSync('/etc/os-release', 'utf8'))?.[1] ?? 'this system';
}

for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => process.exit(130));
setTimeout(() => {
  console.error(`who-answers did not end within ${LIMIT / 1000} s`);
  process.exit(1);
}, LIMIT).unref();
main(process.argv.slice(2)).then(
  (code) => process.exit(code),
  (error) => {
    console.error(error);
    process.exit(1);
  },
);
