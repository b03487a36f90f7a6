/**
 * All end-to-end tests in namespaces, in one run: builds the two hosts, asks every row of node:dgram and of recvfromto,
 * then runs the tests that are no rows. run.sh starts it as the first process of a PID namespace: when it ends, all ends.
 */
import { calls } from './calls';
import { paths } from './paths';
import { Report } from './report';
import { SECTIONS } from './rows';
import { sources } from './sources';
import { type Finding, survey } from './survey';
import { type Cell, type Column, printTable } from './table';
import { build, indexes } from './topology';
import { type Check, seenInside, seenOutside } from './verdict';
import { Wire } from './wire';

/** A hung run must not hold a CI machine. */
const LIMIT = 120_000;

async function main(): Promise<number> {
  const report = new Report();
  const client = await build();
  const wire = await Wire.tap(client);
  const columns: Column[] = [];
  await report.part('node:dgram', async () => {
    const findings = await survey(client, wire, 'dgram');
    columns.push(column('node:dgram', findings, seenOutside));
    judgeDgram(report, findings);
  });
  await report.part('recvfromto', async () => {
    const known = indexes();
    const findings = await survey(client, wire, 'recvfromto');
    const judged = (finding: Finding) => [...seenOutside(finding), ...seenInside(finding, known)];
    columns.push(column('*', findings, judged));
    judgeOurs(report, findings, judged);
  });
  await report.part('sources', () => sources(report, client, wire));
  await report.part('paths', () => paths(report, client, wire));
  await report.part('tcpdump', () => wire.cut());
  await report.part('system calls', () => calls(report, client));
  printTable(columns);
  return report.close();
}

function column(title: string, findings: readonly Finding[], judged: (finding: Finding) => Check[]): Column {
  return {
    title,
    cell(row, shape): Cell | undefined {
      const finding = findings.find((one) => one.row === row && one.shape === shape);
      if (!finding) return undefined;
      const faults = judged(finding).filter((check) => !check.ok);
      const { answer, from } = finding.unconnected;
      const seen = answer === null ? 'no answer' : from;
      // Where the address alone does not show what is wrong; all faults are listed at the end.
      const [first, ...others] = answer !== null && row.expected.includes(from ?? '') ? faults : [];
      const more = others.length > 0 ? ` +${others.length}` : '';
      const text = first ? `${seen}, ${first.name}${more}` : `${seen}`;
      return { ok: faults.length === 0, text };
    },
  };
}

/** Of the addresses among which the kernel chooses, it can get one right; that the table says so shows it can fail. */
function judgeDgram(report: Report, findings: readonly Finding[]): void {
  for (const { title, shapes, rows } of SECTIONS) {
    for (const choice of new Set(rows.flatMap((row) => row.choice ?? []))) {
      const asked = findings.filter(
        ({ row, shape }) => row.choice === choice && shapes.includes(shape) && rows.includes(row),
      );
      const right = asked.filter((finding) => seenOutside(finding).every((check) => check.ok));
      const name = `node:dgram answers at most one of ${asked.length} addresses (${title}, ${choice})`;
      report.check(name, asked.length > 1 && right.length <= 1, `${right.length} right`);
    }
  }
}

function judgeOurs(report: Report, findings: readonly Finding[], judged: (finding: Finding) => Check[]): void {
  for (const finding of findings) {
    const { row, shape } = finding;
    for (const { name, ok, detail } of judged(finding)) {
      report.check(`${shape}, ${row.name} ${row.asked}, ${name}`, ok, detail);
    }
  }
}

for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => process.exit(130));
setTimeout(() => {
  console.error(`test:e2e did not end within ${LIMIT / 1000} s`);
  process.exit(1);
}, LIMIT).unref();
main().then(
  (code) => process.exit(code),
  (error) => {
    console.error(error);
    process.exit(1);
  },
);
