/**
 * The recipes of docs/bundling.md, word by word: each is run in a folder of its own, what it wrote to out/ is moved to where
 * no node_modules is, and started there. Then the same without koffi.node: the error has to say what is missing.
 */
import { cpSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { nodes } from '../compat/nodes';
import { type Fence, fences } from '../docs/markdown';
import { bin, bun, folder, must, npm, programs, ran } from './tools';

const ANSWERED = 'answered from 127.0.0.2';
const PAGE = 'docs/bundling.md';

type Check = [name: string, check: () => Promise<string>];

/** A recipe: commands, of which the last starts the program, and the files that stand above them. */
interface Recipe {
  readonly name: string;
  readonly files: readonly Fence[];
  readonly build: string;
  readonly start: string;
  /** Node lines; none: the one that runs. */
  readonly lines: readonly string[];
}

function recipes(): Recipe[] {
  const found: Recipe[] = [];
  let files: Fence[] = [];
  for (const fence of fences(PAGE)) {
    if (fence.language !== 'sh') {
      files.push(fence);
      continue;
    }
    const lines = fence.code.trim().split('\n');
    const start = lines.pop()!;
    const name = `${lines[0]!.split(' ', 1)[0]} → ${start.split('/').at(-1)}, line ${fence.line}`;
    found.push({ name, files, build: lines.join('\n'), start, lines: fence.words.node?.split(',') ?? [] });
    files = [];
  }
  return found;
}

/** The page speaks of linux-x64. */
function forThisMachine(text: string): string {
  const { platform, arch } = process;
  return text.replaceAll('linux-x64', `${platform}-${arch}`).replaceAll('linux_x64', `${platform}_${arch}`);
}

/** Where PATH begins: the Node of the recipe, Bun itself, then what npm has installed. */
function environment(node: string): NodeJS.ProcessEnv {
  const path = [dirname(node), dirname(bun()), bin('.'), process.env.PATH].join(delimiter);
  return { ...process.env, PATH: path, NODE_OPTIONS: '', NO_COLOR: '1' };
}

async function follow(recipe: Recipe, base: string, place: string, node: string): Promise<string> {
  const cwd = folder(join('bundlers', place));
  for (const ending of ['cjs', 'mjs']) cpSync(join(programs, `answer.${ending}`), join(cwd, `app.${ending}`));
  cpSync(base, cwd, { recursive: true });
  for (const { words, code } of recipe.files) writeFileSync(join(cwd, words.file!), code);
  const env = environment(node);
  await must('', 'sh', ['-e', '-c', forThisMachine(recipe.build)], { cwd, env });
  const away = mkdtempSync(join(tmpdir(), 'recvfromto-bundle-'));
  try {
    cpSync(join(cwd, 'out'), join(away, 'out'), { recursive: true });
    rmSync(cwd, { recursive: true }); // Bun writes the paths of its input into the executable
    const start = ['-e', '-c', recipe.start];
    await must(ANSWERED, 'sh', start, { cwd: away, env });
    rmSync(join(away, 'out/koffi.node'));
    const only = { ...env, RECVFROMTO_FFI: 'koffi' }; // or Node 26 would answer by node:ffi
    const { code, output } = await ran('sh', start, { cwd: away, env: only });
    if (code === 0 || !output.includes('Bundled? Keep koffi external')) throw new Error(`no clear word:\n${output}`);
  } finally {
    rmSync(away, { recursive: true, force: true });
  }
  return 'answers with koffi.node beside it, and says what is missing without';
}

export async function bundlers(tarball: string): Promise<Check[]> {
  const installed = nodes(undefined, console.log);
  const base = folder('bundlers/base');
  await npm(base, ['install', tarball]);
  // Plugins are found from a configuration file in a folder below.
  symlinkSync(bin('..'), join(base, '../node_modules'));
  return recipes().flatMap((recipe, index) => {
    const lines = recipe.lines.length === 0 ? [undefined] : recipe.lines;
    return lines.map((line): Check => {
      const node =
        line === undefined ? process.execPath : installed.find(({ version }) => version.startsWith(`v${line}.`))?.path;
      const name = `bundle: ${recipe.name}${line === undefined ? '' : `, Node ${line}`}`;
      return [
        name,
        async () => {
          if (node === undefined) throw new Error(`there is no Node ${line}`);
          return follow(recipe, base, `${index}-${line ?? 'node'}`, node);
        },
      ];
    });
  });
}
