/**
 * The tarball, installed by every package manager as people do it, and asked to answer. A registry that npm is configured
 * to use is handed to the managers that do not read npm's configuration.
 */
import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { bin, bun, folder, must, npm, ran, tool } from './tools';

const ANSWERED = 'answered from 127.0.0.2';
const node = process.execPath;

async function registry(): Promise<NodeJS.ProcessEnv> {
  const url = (await must('', 'npm', ['config', 'get', 'registry'])).trim();
  return { ...process.env, NPM_CONFIG_REGISTRY: url, YARN_NPM_REGISTRY_SERVER: url, YARN_REGISTRY: url, CI: 'true' };
}

/** Required, imported, and under register. */
async function answers(cwd: string, command: string, before: readonly string[] = []): Promise<void> {
  await must(ANSWERED, command, [...before, 'answer.cjs'], { cwd });
  await must(ANSWERED, command, [...before, 'answer.mjs'], { cwd });
}

async function byNpm(tarball: string): Promise<string> {
  const cwd = folder('npm');
  await must('', 'npm', ['install', '--no-fund', '--no-audit', '--loglevel=error', tarball], { cwd });
  await answers(cwd, node);
  for (const flag of ['--import', '-r'])
    await must(ANSWERED, node, [flag, 'recvfromto/register', 'plain.cjs'], { cwd });
  await must('one copy, answered from 127.0.0.2', node, ['forms.mjs'], { cwd });
  await must('# fail 0', node, ['--test', '--test-reporter=tap', 'suite.mjs'], { cwd });
  const version = (await must('.', 'npx', ['--no-install', 'recvfromto', '--version'], { cwd })).trim();
  return `required, imported, registered, one copy of it; node --test; npx recvfromto ${version}`;
}

async function withoutScripts(tarball: string): Promise<string> {
  const cwd = folder('npm-ignore-scripts');
  await npm(cwd, ['install', tarball]);
  await answers(cwd, node);
  return 'answers';
}

/** koffi's binaries are optional packages; its install script compiles when none of them is there. */
async function withoutOptional(tarball: string): Promise<string> {
  const cwd = folder('npm-omit-optional');
  await npm(cwd, ['install', '--omit=optional', tarball]);
  const env = { ...process.env, RECVFROMTO_FFI: 'koffi' }; // or Node 26 would answer by node:ffi
  const { code, output } = await ran(node, ['answer.cjs'], { cwd, env });
  if (code === 0 || !output.includes('Installed with --omit=optional?')) throw new Error(`no clear word: ${output}`);
  return 'says what is missing';
}

async function byPnpm(tarball: string, env: NodeJS.ProcessEnv): Promise<string> {
  const cwd = folder('pnpm');
  writeFileSync(join(cwd, 'pnpm-workspace.yaml'), 'packages: []\n');
  const args = [bin('pnpm'), 'add', '--ignore-scripts', '--store-dir', join(cwd, '.store'), tarball];
  await must('', node, args, { cwd, env });
  await answers(cwd, node);
  return 'answers';
}

async function byYarn1(tarball: string, env: NodeJS.ProcessEnv): Promise<string> {
  const cwd = folder('yarn1');
  const quiet = ['--ignore-scripts', '--non-interactive', '--no-lockfile', '--cache-folder', join(cwd, '.cache')];
  await must('', node, [tool('yarn', 'bin/yarn.js'), 'add', ...quiet, `file:${tarball}`], { cwd, env });
  await answers(cwd, node);
  return 'answers';
}

async function byYarnPnp(tarball: string, env: NodeJS.ProcessEnv): Promise<string> {
  const cwd = folder('yarn-pnp');
  const yarn = [tool('@yarnpkg/cli-dist', 'bin/yarn.js')];
  writeFileSync(join(cwd, 'yarn.lock'), '');
  const settings = ['nodeLinker: pnp', 'enableGlobalCache: false', 'enableTelemetry: false', 'enableScripts: false'];
  const http = env.YARN_NPM_REGISTRY_SERVER?.startsWith('http:') ? ['unsafeHttpWhitelist: ["*"]'] : [];
  writeFileSync(join(cwd, '.yarnrc.yml'), `${[...settings, ...http].join('\n')}\n`);
  const yarnEnv = { ...env, YARN_ENABLE_IMMUTABLE_INSTALLS: 'false' };
  await must('', node, [...yarn, 'add', `recvfromto@file:${tarball}`], { cwd, env: yarnEnv });
  if (!existsSync(join(cwd, '.pnp.cjs')) || existsSync(join(cwd, 'node_modules/recvfromto')))
    throw new Error('not PnP');
  await must(ANSWERED, node, ['-r', './.pnp.cjs', 'answer.cjs'], { cwd });
  await must(ANSWERED, node, ['-r', './.pnp.cjs', '--loader', './.pnp.loader.mjs', 'answer.mjs'], { cwd });
  return 'answers, without a node_modules';
}

async function byBun(tarball: string, env: NodeJS.ProcessEnv): Promise<string> {
  const cwd = folder('bun');
  await must('', bun(), ['add', '--ignore-scripts', '--cache-dir', join(cwd, '.cache'), tarball], { cwd, env });
  await answers(cwd, bun());
  await must('one createSocket', bun(), ['forms.ts'], { cwd });
  await answers(cwd, node);
  return 'answers in Bun and in Node';
}

async function byDeno(tarball: string, env: NodeJS.ProcessEnv): Promise<string> {
  const cwd = folder('deno', { dependencies: { recvfromto: `file:${tarball}` }, nodeModulesDir: 'manual' });
  // Deno installs packages of registries only: npm lays out this one, Deno runs it.
  await npm(cwd, ['install']);
  const deno = [tool('deno', 'bin.cjs'), 'run', '-A', '--node-modules-dir=manual'];
  for (const program of ['answer.cjs', 'answer.mjs']) await must(ANSWERED, node, [...deno, program], { cwd, env });
  await must('one createSocket', node, [...deno, 'forms.ts'], { cwd, env });
  return 'answers in Deno';
}

export async function installs(tarball: string): Promise<[string, () => Promise<string>][]> {
  const env = await registry();
  return [
    ['npm install', () => byNpm(tarball)],
    ['npm install --ignore-scripts', () => withoutScripts(tarball)],
    ['npm install --omit=optional', () => withoutOptional(tarball)],
    ['pnpm', () => byPnpm(tarball, env)],
    ['yarn 1', () => byYarn1(tarball, env)],
    ['yarn, PnP', () => byYarnPnp(tarball, env)],
    ['bun', () => byBun(tarball, env)],
    ['deno', () => byDeno(tarball, env)],
  ];
}
