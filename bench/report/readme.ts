/** The few rows of README.md: one column for each of those that a reader may choose from, CPU time of one answer in µs. */
import { find, type Results, type SubjectId } from '../results';
import { table } from './tables';

const COLUMNS: readonly SubjectId[] = ['dgram', 'bun', 'c', 'register', 'message'];

const ROWS = [
  { what: 'a name server with dns-packet, under dnsperf', case: 'dns-packet' },
  { what: 'one client, 64 requests in flight', case: 'echo64' },
  { what: 'one client, 1,000 requests a second', case: 'rate1000' },
  { what: '10,000 clients', case: 'peers10000' },
  { what: '1,000 sockets, each heard in turn', case: 'sockets1000' },
];

const rounded = (ns: number) => (ns / 1000).toPrecision(3);

/** The least of a row in bold. C has no DNS server of its own there: nsd and knot are in docs/speed.md. */
function cells(results: Results, name: string): string[] {
  const values = COLUMNS.map((id) => find(results, name, id, 'cpuNs')?.median);
  const least = Math.min(...values.filter((value) => value !== undefined));
  return values.map((value) => {
    if (value === undefined) return '–';
    return value === least ? `**${rounded(value)}**` : rounded(value);
  });
}

export function readmeTable(results: Results): string {
  const { machine, rows, subjects } = results;
  const labels = COLUMNS.map((id) => subjects.find((one) => one.id === id)?.label ?? id);
  const shown = ROWS.filter(({ case: name }) => rows.some((row) => row.case === name));
  const body = shown.map(({ what, case: name }) => [what, ...cells(results, name)]);
  const at = [...new Set(rows.filter((row) => ROWS.some((one) => one.case === row.case)).map((row) => row.measured))];
  const { cpu, cores, kernel, versions } = machine;
  const where = `${cpu}, ${cores} cores, ${kernel}, Node.js ${versions.node}, Bun ${versions.bun ?? '–'}`;
  return `${table(['', ...labels], body, 1)}\n\n${where}; measured at ${at.join('; ')}; \`npm run bench\`.`;
}
