/** docs/programs.md, from a run. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Ran } from './suites';
import type { Finding, Way } from './survey';

const WAYS: readonly Way[] = ['IPv4', 'mapped', 'IPv6', 'link-local', 'group'];

export function markdown(
  plain: readonly Finding[],
  ours: readonly Finding[],
  suites: readonly Ran[],
  on: { node: string; kernel: string },
): string {
  const names = [...new Set(ours.map(({ program }) => program.name))];
  const rows = names.map((name) => {
    const of = (findings: readonly Finding[]) => findings.filter(({ program }) => program.name === name);
    const protocol = of(ours)[0]?.program.protocol ?? '';
    return [`${name} ${version(name)}`, protocol, ...WAYS.map((way) => cell(of(plain), of(ours), way))];
  });
  return `# Programs

Unmodified packages from npm, each a server on a wildcard address, started as they are and with
\`node --import recvfromto/register\`. Written by \`npm run test:programs\` (Node.js ${on.node}, Linux ${on.kernel}).

A cell says of how many of the server's addresses the answer came from the address that was asked:
**node:dgram → with register**. Each address (the primary one, a secondary one, one of another interface, a virtual one on
\`lo\`; two link-local ones) is asked by a connected client behind a stateful firewall, and again together with all others
from one client port; an address counts when both get their answer from it and nothing comes from elsewhere. Asked by single
clients only: tftp, which answers from a port of its own, and enet, whose own loop answers for whatever has come, so that a
client port is one remote to it; a client that asks several addresses from one port is answered from the last one. *mapped*:
IPv4 requests to a socket on \`::\`. *group*: a broadcast or multicast request is answered from a unicast address.

${table(['package', 'protocol', ...WAYS], rows)}

## Their own tests

Test suites that ship inside packages, run as they are and with \`-r recvfromto/register\`: the same
outcome. What fails in both needs more than this machine has: osc a serial port. The one file of stun's that asks a server
on the Internet is left out. The packages of coap and k-rpc-socket come without their tests, and so does osc-js: the suite in
its repository (2.4.1), run by hand, passes with both (125 tests).

${table(
  ['package', 'node:dgram', 'with register'],
  suites.map(({ name, plain: before, ours: after }) => [`${name} ${version(name)}`, before, after]),
)}
`;
}

export function version(name: string): string {
  return JSON.parse(readFileSync(join(__dirname, 'node_modules', name, 'package.json'), 'utf8')).version;
}

function cell(plain: readonly Finding[], ours: readonly Finding[], way: Way): string {
  const before = count(plain, way);
  const after = count(ours, way);
  return after === undefined ? '' : `${before} → **${after}**`;
}

function count(findings: readonly Finding[], way: Way): string | undefined {
  const faults = findings.filter((one) => one.way === way).flatMap(({ results }) => [...results.values()]);
  if (faults.length === 0) return undefined;
  return `${faults.filter((fault) => fault === '').length}/${faults.length}`;
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  return [head, head.map(() => '---'), ...rows].map((row) => `| ${row.join(' | ')} |`).join('\n');
}
