/** docs/who-answers.md, from a run. */
import { execFileSync } from 'node:child_process';
import { ADDRESSES, type Finding, type Way } from './survey';

const WAYS = Object.keys(ADDRESSES) as Way[];

export function page(findings: readonly Finding[], on: { node: string; kernel: string; debian: string }): string {
  const rows = findings.map((finding) => {
    const { program, setup, bound } = finding;
    const name = `${program.name} ${version(program.debian)}`;
    const binding = bound.IPv4 === bound.IPv6 ? bound.IPv4 : `IPv4: ${bound.IPv4}; IPv6: ${bound.IPv6}`;
    return [name, setup.label, binding, ...WAYS.map((way) => cell(finding, way))];
  });
  return `# Who answers from the asked address?

Servers as ${on.debian} ships them, each set up to listen on all addresses of a host,
asked by another host. Written by \`npm run test:who-answers\` (Linux ${on.kernel}, Node.js ${on.node}); nothing
stands here that was not run.

A cell says of how many addresses the answer came from the address that was asked, and from where the others came. Asked
are, of each family, the first address, a second one, one of another interface, and a virtual one on \`lo\`:
${(['IPv4', 'IPv6'] as const).map((way) => ADDRESSES[way].map((address) => `\`${address}\``).join(', ')).join('; ')}; and two
link-local addresses. The client is on the first network, and asks with \`recvfromto probe\`. –: nobody listens there.

${table(['program', 'set up with', 'its sockets are bound to', ...WAYS], rows)}

${summary(findings)}

**How to read it.** A server with a socket for each address answers rightly without doing anything for it, and hears of
new addresses late or never. One with a socket on all addresses has to ask for the destination and to name the source;
where it does not, the kernel chooses, and clients that asked another address drop the answer. \`recvfromto probe PORT\` asks
a server of your own the same question, and \`recvfromto audit\` lists the programs on a machine that could have the problem.
`;
}

function version(debian: string): string {
  // biome-ignore lint/suspicious/noTemplateCurlyInString: dpkg-query's
  return execFileSync('dpkg-query', ['-W', '-f', '${Version}', debian], { encoding: 'utf8' });
}

/** `4/4`, or `1/4: others from 10.77.0.1`. Addresses that nobody listens on do not count. */
function cell({ answers }: Finding, way: Way): string {
  const asked = answers.filter((one) => (ADDRESSES[way] as readonly string[]).includes(one.asked));
  const heard = asked.filter(({ verdict }) => verdict !== 'refused');
  if (heard.length === 0) return '–';
  const right = heard.filter(({ verdict }) => verdict === 'right').length;
  const sources = new Set(
    heard.flatMap(({ verdict, from }) => (verdict === 'wrong' && from !== null ? [from.address] : [])),
  );
  const silent = heard.filter(({ verdict }) => verdict === 'silent' || verdict === 'failed').length;
  const others = [
    ...(sources.size > 0 ? [`others from ${[...sources].map((one) => `\`${one}\``).join(', ')}`] : []),
    ...(silent > 0 ? [`${silent} silent`] : []),
  ];
  const score = `${right}/${heard.length}`;
  return others.length === 0 ? score : `**${score}**: ${others.join(', ')}`;
}

/** Who answers wrongly, in a sentence that follows from the table. */
function summary(findings: readonly Finding[]): string {
  const wrong = findings.filter(({ answers }) => answers.some(({ verdict }) => verdict === 'wrong'));
  const right = findings.filter(({ answers }) =>
    answers.every(({ verdict }) => verdict === 'right' || verdict === 'refused'),
  );
  const list = (some: readonly Finding[]) =>
    some.map(({ program, setup }) => `${program.name} (${setup.label})`).join(', ') || 'none';
  return `Wrong answers come from: ${list(wrong)}.\n\nOnly right ones from: ${list(right)}.${onlyFirst(findings)}`;
}

/** The table has what came later; who was wrong at first only is told apart. */
function onlyFirst(findings: readonly Finding[]): string {
  const late = findings.flatMap(({ program, setup, first, answers }) => {
    const places = first
      .filter((one, at) => one.verdict === 'wrong' && answers[at]?.verdict === 'right')
      .map(({ asked, from }) => `\`${asked}\` from \`${from?.address}\``);
    return places.length === 0 ? [] : [`${program.name} (${setup.label}) answered ${places.join(', ')}`];
  });
  if (late.length === 0) return '';
  return `

Each was asked twice, and the table has the second answers. Wrong at first, right the second time: ${late.join('; ')}.
An option that is set when a program first receives comes too late for what is queued by then; that would explain it.`;
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  return [head, head.map(() => '---'), ...rows].map((row) => `| ${row.join(' | ')} |`).join('\n');
}
