/**
 * Unmodified npm packages with recvfromto/register and without, in network namespaces: who answers each address from
 * itself. Writes docs/programs.md. run.sh starts it as the first process of a PID namespace.
 */
import { writeFileSync } from 'node:fs';
import { release } from 'node:os';
import { join } from 'node:path';
import { run } from '../e2e/netns/programs';
import { Report } from '../e2e/netns/report';
import { build } from '../e2e/netns/topology';
import { markdown } from './markdown';
import { suites } from './suites';
import { type Finding, survey } from './survey';

const LIMIT = 600_000;

async function main(): Promise<number> {
  const report = new Report();
  const client = await build();
  for (let host = 101; host < 110; host++) {
    await run([...client.enter, 'ip', 'addr', 'add', `10.77.0.${host}/24`, 'dev', 'v1']);
  }
  const plain = await survey(client, false);
  const ours = await survey(client, true);
  for (const finding of ours) judgeOurs(report, finding);
  for (const finding of plain) judgePlain(report, finding);
  const ran = await suites(report);
  const text = markdown(plain, ours, ran, { node: process.version, kernel: release() });
  writeFileSync(join(__dirname, '../../docs/programs.md'), text);
  console.log(text);
  return report.close();
}

function judgeOurs(report: Report, { program, way, results }: Finding): void {
  for (const [address, fault] of results) {
    report.check(`${program.name}, ${way}, ${address}: answered from there`, fault === '', fault);
  }
}

/** That the same programs fail without it shows that the test can. Groups work without it, and must go on working. */
function judgePlain(report: Report, { program, way, results }: Finding): void {
  const right = [...results.values()].filter((fault) => fault === '').length;
  if (way === 'group') {
    report.check(
      `${program.name}, ${way}: answered without recvfromto as well`,
      right === results.size,
      [...results.values()].join(),
    );
  } else {
    report.check(
      `${program.name}, ${way}: one address at most is right without recvfromto`,
      right <= 1,
      `${right} right`,
    );
  }
}

for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => process.exit(130));
setTimeout(() => {
  console.error(`test:programs did not end within ${LIMIT / 1000} s`);
  process.exit(1);
}, LIMIT).unref();
main().then(
  (code) => process.exit(code),
  (error) => {
    console.error(error);
    process.exit(1);
  },
);
