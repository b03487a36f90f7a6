/**
 * What is made of the command tree: completions/, man/, and the help in docs/command.md. `npm run docs:command` writes
 * them, and a test compares.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { invocation } from '../../src/cli/program';
import { bash, fish, zsh } from './completions';
import { manual } from './manual';
import { tree } from './tree';

const root = join(__dirname, '../..');
const PAGE = 'docs/command.md';

/** Text by path. */
export function files(): Map<string, string> {
  const commands = tree();
  return new Map([
    ['completions/recvfromto.bash', bash(commands)],
    ['completions/_recvfromto', zsh(commands)],
    ['completions/recvfromto.fish', fish(commands)],
    ['man/recvfromto.1', manual(commands)],
    [PAGE, page(readFileSync(join(root, PAGE), 'utf8'))],
  ]);
}

/** Puts the help of each command where the page has a block for it. */
function page(text: string): string {
  return text.replaceAll(
    /(<!-- help (\w+) -->\n)[\s\S]*?(<!-- end -->)/g,
    (_, start: string, name: string, end: string) => {
      const call = invocation(name === 'recvfromto' ? [] : ['help', name], '');
      const help = call.command === 'help' ? call.text : '';
      return `${start}\`\`\`\n${help}\n\`\`\`\n${end}`;
    },
  );
}

if (require.main === module) for (const [path, text] of files()) writeFileSync(join(root, path), text);
