/** What is right and what is wrong about a finding: the same questions for every subject. */
import type { Row } from './rows';
import type { Line } from './server';
import type { Finding } from './survey';

export interface Check {
  readonly name: string;
  readonly ok: boolean;
  /** What was seen. */
  readonly detail: string;
}

/** As the peer and the cable see it. */
export function seenOutside({ row, unconnected, connected, resolvers, packets }: Finding): Check[] {
  const requests = connected ? 2 : 1;
  const sources = packets.map((packet) => packet.source);
  const checks: Check[] = [
    {
      name: 'unconnected client',
      ok: unconnected.answer !== null && row.expected.includes(unconnected.from ?? ''),
      detail: unconnected.answer === null ? 'no answer' : `answer from ${unconnected.from}`,
    },
    {
      name: 'IP header',
      ok: sources.length === requests && sources.every((source) => row.expected.includes(source)),
      detail: `${requests} requests, answers from [${sources.join(', ')}]`,
    },
  ];
  if (connected) checks.push({ name: 'connected client', ok: connected.answer !== null, detail: 'no answer' });
  for (const [name, ok] of Object.entries(resolvers)) checks.push({ name, ok, detail: 'no answer' });
  return checks;
}

/** As the server sees it: `rinfo`. `indexes`: of its interfaces by name. */
export function seenInside(finding: Finding, indexes: ReadonlyMap<string, number>): Check[] {
  const { row, shape, port, unconnected, lines } = finding;
  const ifindex = indexes.get(row.via);
  const line = lines.find((one) => one.text === unconnected.answer?.slice('re:'.length)) ?? lines[0];
  if (!line) return [{ name: 'server', ok: false, detail: 'heard nothing' }];
  const { destination, localAddress, remote } = line;
  const is = (name: string, seen: unknown, wanted: unknown): Check => ({
    name: `rinfo.${name}`,
    ok: seen === wanted,
    detail: `${seen}, not ${wanted}`,
  });
  return [
    { name: 'callback', ok: line.error === undefined, detail: `${line.error?.code} ${line.error?.message}` },
    is('address', remote.address, spelled(row, peer(row), shape)),
    is('port', remote.port, unconnected.port),
    is('destination.address', destination?.address, spelled(row, row.asked, shape)),
    is('destination.family', destination?.family, shape === 'dual' ? 'IPv6' : `IPv${row.family}`),
    is('destination.port', destination?.port, port),
    is('destination.ifindex', destination?.ifindex, ifindex),
    is('destination.interface', destination?.interface, row.via),
    local(row, shape, localAddress),
  ];
}

/**
 * Unicast: the asked address. IPv4 groups: Linux says which of its addresses would answer (ipi_spec_dst). IPv6 groups:
 * no OS says, so undefined; the kernel then chooses.
 */
function local(row: Row, shape: Finding['shape'], seen: Line['localAddress']): Check {
  const allowed: readonly (string | undefined)[] =
    row.family === 6 && row.kind !== 'unicast' ? [undefined] : row.expected.map((one) => spelled(row, one, shape));
  return { name: 'rinfo.localAddress', ok: allowed.includes(seen), detail: `${seen}, not ${allowed.join(' or ')}` };
}

/** The client's address: that of the cable it asks by, and of the same scope as what it asks. */
function peer(row: Row): string {
  if (/^(fe80|ff02)/.test(row.asked)) return 'fe80::100';
  const network = row.via === 'v0' ? '77' : '88';
  return row.family === 4 ? `10.${network}.0.100` : `fd${network}::100`;
}

/** Node's spelling: link-local unicast with its zone, IPv4 on a dual-stack socket as mapped. */
function spelled(row: Row, address: string, shape: Finding['shape']): string {
  if (address.startsWith('fe80')) return `${address}%${row.via}`;
  return row.family === 4 && shape === 'dual' ? `::ffff:${address}` : address;
}
