/** docs/matrix.md from the suites' findings: a table of every machine and feature. Pure; main.ts reads and writes. */

/** A line of MATRIX_OUT. The models say neither libc nor version, nor where they ran. */
export interface Finding {
  readonly os: string;
  readonly arch: string;
  readonly libc?: string;
  readonly runtime: string;
  readonly version?: string;
  readonly on?: string;
  readonly feature: string;
  readonly result: 'run' | 'modelled' | 'unsupported' | 'failed';
  readonly detail?: string;
}

const FEATURES = ['receive', 'reply', 'dual-stack', 'broadcast', 'multicast', 'link-local', 'vanished source'];
const SYSTEMS = ['linux', 'android', 'darwin', 'freebsd', 'openbsd', 'netbsd', 'sunos', 'win32'];
const NAMES: Record<string, string> = {
  linux: 'Linux',
  android: 'Android',
  darwin: 'macOS',
  freebsd: 'FreeBSD',
  openbsd: 'OpenBSD',
  netbsd: 'NetBSD',
  win32: 'Windows',
};
/** The worst of several findings about one cell wins; a result that says more than a model's is `run`. */
const RANK: Finding['result'][] = ['run', 'modelled', 'unsupported', 'failed'];

const rank = <T>(list: readonly T[], each: T) => (list.indexOf(each) < 0 ? list.length : list.indexOf(each));

function where({ runtime, version, on }: Finding): string {
  if (runtime === 'model') return 'kernel model';
  const place = on === undefined || on === 'native' ? '' : `, ${on}`;
  return `${runtime} ${version ?? ''}${place}`;
}

const rowOf = (finding: Finding) =>
  [NAMES[finding.os] ?? finding.os, finding.arch, finding.libc ?? '', where(finding)].join(' | ');

/** A machine of its own, behind those that share this one's kernel. */
const isSystem = ({ on }: Finding) => on?.includes('qemu-system') === true;

function order(a: Finding, b: Finding): number {
  return (
    rank(SYSTEMS, a.os) - rank(SYSTEMS, b.os) ||
    Number(a.runtime === 'model') - Number(b.runtime === 'model') ||
    Number(a.arch !== 'x64') - Number(b.arch !== 'x64') ||
    Number(isSystem(a)) - Number(isSystem(b)) ||
    a.arch.localeCompare(b.arch) ||
    (a.libc ?? '').localeCompare(b.libc ?? '') ||
    rank(['Node', 'Bun', 'Deno'], a.runtime) - rank(['Node', 'Bun', 'Deno'], b.runtime) ||
    (a.version ?? '').localeCompare(b.version ?? '', 'en', { numeric: true })
  );
}

/** What a cell says; a dash where nobody has tried. */
function cell(findings: readonly Finding[]): string {
  if (findings.length === 0) return '–';
  const worst = findings.reduce((a, b) => (RANK.indexOf(b.result) > RANK.indexOf(a.result) ? b : a));
  return worst.result === 'failed' ? '**failed**' : worst.result;
}

/** What a page says, as the findings that it was written from: for the rows of suites that are not run again. */
export function findingsOf(markdown: string): Finding[] {
  const lines = markdown.split('\n').filter((line) => line.startsWith('| ') && !line.startsWith('| OS '));
  return lines.flatMap((line): Finding[] => {
    const [os, arch, libc, place, ...cells] = line
      .slice(2, -2)
      .split(' | ')
      .map((text) => text.trim());
    const [, runtime, version, on] = /^(\S+) (\S+?)(?:, (.*))?$/.exec(place!) ?? [];
    const row = {
      os: Object.keys(NAMES).find((name) => NAMES[name] === os) ?? os!,
      arch: arch!,
      libc: libc!,
      ...(place === 'kernel model'
        ? { runtime: 'model' }
        : { runtime: runtime!, version: version!, on: on ?? 'native' }),
    };
    return FEATURES.flatMap((feature, i): Finding[] => {
      const said = cells[i]!.replaceAll('*', '');
      return said === '–' ? [] : [{ ...row, feature, result: said as Finding['result'] }];
    });
  });
}

/** @param kept of earlier runs: rows that nothing was found out of anew stay */
export function page(found: readonly Finding[], kept: readonly Finding[] = []): string {
  const anew = new Set(found.map(rowOf));
  const findings = [...found, ...kept.filter((finding) => !anew.has(rowOf(finding)))];
  const rows = new Map<string, Finding[]>();
  for (const finding of [...findings].sort(order)) {
    const row = rowOf(finding);
    rows.set(row, [...(rows.get(row) ?? []), finding]);
  }
  const body = [...rows].map(([row, all]) => {
    const cells = FEATURES.map((feature) => cell(all.filter((finding) => finding.feature === feature)));
    return `| ${row} | ${cells.join(' | ')} |`;
  });
  const total = (result: string) => body.join('').split(` ${result} `).length - 1;
  return `# What was tried where

Written by \`npm run matrix\` from the results of the suites; no cell is filled by hand. What each OS needs, and what was
only read of it, is in [platforms.md](platforms.md).

- **run**: requests were asked of several addresses and every answer's source was seen by a client, on that OS's own
  kernel; *qemu-user* translates another CPU's instructions and system calls for this machine's Linux kernel; *qemu-system*
  boots Debian's own build of an older kernel, the oldest that Debian still has among them; *wine* runs Windows' own Node.js
  on Wine's Winsock, which drops the message that chooses a source: a preload of the tests sends it.
- **modelled**: the socket ran on a model of that OS's kernel (\`test/models\`), which reads our bytes by what that OS's
  compiler and kernel sources say and rejects what that kernel rejects. No such machine took part.
- **unsupported**: refused by name at \`createSocket\`, or the OS has no such thing (OpenBSD: IPv4-mapped addresses).
- **–**: nobody tried.

${total('run')} cells run, ${total('modelled')} modelled, ${total('unsupported')} unsupported.

| OS | CPU | libc | in | ${FEATURES.join(' | ')} |
|---|---|---|---|${FEATURES.map(() => '---').join('|')}|
${body.join('\n')}
`;
}
