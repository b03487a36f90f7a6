/** What is made of the command tree: up to date, and working in the shells and the manual's readers that are here. */
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { files } from '../../scripts/command/files';

const ROOT = join(__dirname, '../..');
/** A letter, a backspace, and the letter again. */
const BOLD = new RegExp(`.${String.fromCharCode(8)}`, 'g');
const path = (name: string) => join(ROOT, name);

function run(command: string, ...args: string[]): string {
  const { stdout, stderr, status, error } = spawnSync(command, args, { encoding: 'utf8', timeout: 30_000, cwd: ROOT });
  if (error !== undefined) throw error;
  if (status !== 0) throw new Error(`${command}: ${status} ${stderr}${stdout}`);
  return stdout;
}

/** Where the program is missing the test is skipped, and in CI fails. */
function needing(program: string, name: string, body: () => void): void {
  const isHere = spawnSync('sh', ['-c', `command -v ${program}`]).status === 0;
  if (isHere || process.env.CI === 'true') test(name, body, 60_000);
  else test.skip(`${name} (${program} is not here)`, body);
}

test.each([...files().keys()])('%s is what `npm run docs:command` writes', (name) => {
  expect(readFileSync(path(name), 'utf8')).toBe(files().get(name));
});

test('docs/command.md tells every field of the JSON that serve and send print', () => {
  const page = readFileSync(path('docs/command.md'), 'utf8');
  for (const source of ['serve-report', 'send-report', 'contents']) {
    const text = readFileSync(path(`src/cli/${source}.ts`), 'utf8');
    for (const [, event] of text.matchAll(/event: '(\w+)'/g)) expect(page).toContain(`| \`${event}\` |`);
  }
});

const bash = (words: string) =>
  run(
    'bash',
    '--norc',
    '-c',
    `. completions/recvfromto.bash; COMP_WORDS=(${words}); COMP_CWORD=$((\${#COMP_WORDS[@]} - 1)); _recvfromto
     printf '%s\\n' "\${COMPREPLY[@]}"`,
  )
    .split('\n')
    .filter(Boolean);

needing('bash', 'bash completes commands, options and values', () => {
  expect(bash('recvfromto ser')).toEqual(['serve']);
  expect(bash('recvfromto ""')).toEqual(expect.arrayContaining(['serve', 'send', 'probe', 'audit', 'doctor', 'help']));
  expect(bash('recvfromto serve --')).toEqual(['--port', '--host', '--join', '--upper', '--quiet', '--json', '--help']);
  expect(bash('recvfromto probe --protocol s')).toEqual(['stun', 'snmp', 'sip', 'ssdp']);
  expect(bash('recvfromto serve --port 5')).toEqual([]);
  expect(bash('recvfromto help a')).toEqual(['audit']);
});

needing('fish', 'fish completes commands, options and values', () => {
  const complete = (line: string) =>
    run('fish', '--no-config', '-c', `source completions/recvfromto.fish; complete -C '${line}'`)
      .split('\n')
      .map((one) => one.split('\t', 1)[0])
      .filter(Boolean);
  expect(complete('recvfromto ser')).toEqual(['serve']);
  expect(complete('recvfromto serve --q')).toEqual(['--quiet']);
  expect(complete('recvfromto probe --protocol nt')).toEqual(['ntp']);
  expect(complete('recvfromto help au')).toEqual(['audit']);
});

needing('zsh', 'zsh completes commands, options and values', () => {
  const lines = ['recvfromto ser', 'recvfromto serve --q', 'recvfromto probe --protocol nt', 'recvfromto help au'];
  const told = run('zsh', '-f', join(__dirname, 'cli-completion.zsh'), path('completions'), ...lines);
  expect(told.split('\n').map((line) => line.trimEnd())).toEqual([
    'recvfromto serve',
    'recvfromto serve --quiet',
    'recvfromto probe --protocol ntp',
    'recvfromto help audit',
    '',
  ]);
});

needing('mandoc', 'mandoc has nothing to say about the man page, and shows every command', () => {
  const lint = spawnSync('mandoc', ['-T', 'lint', '-W', 'style', path('man/recvfromto.1')], { encoding: 'utf8' });
  const complaints = `${lint.stdout}${lint.stderr}`
    .split('\n')
    .filter((line) => line !== '' && !line.includes('mandoc.db'));
  expect(complaints).toEqual([]);
  const page = run('mandoc', '-T', 'utf8', path('man/recvfromto.1')).replaceAll(BOLD, '');
  for (const command of ['serve', 'send', 'probe', 'audit', 'doctor']) expect(page).toContain(`recvfromto ${command}`);
});
