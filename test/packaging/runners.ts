/** Programs and tests that import the package, run by the tools that turn TypeScript into JavaScript as they go. */
import { copyFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { bin, folder, must, npm, root, tool } from './tools';

const node = process.execPath;
const FORMS = 'one createSocket';

async function consumer(tarball: string): Promise<string> {
  const cwd = folder('runners');
  await npm(cwd, ['install', tarball]);
  return cwd;
}

async function jest(cwd: string): Promise<string> {
  const transform = {
    '^.+\\.ts$': [join(root, 'node_modules/@swc/jest'), { jsc: { parser: { syntax: 'typescript' } } }],
  };
  const config = { testEnvironment: 'node', testMatch: ['**/suite.ts'], transform };
  writeFileSync(join(cwd, 'jest.config.json'), JSON.stringify(config));
  await must('1 passed', node, [join(root, 'node_modules/jest/bin/jest.js'), '-c', 'jest.config.json'], { cwd });
  return 'passes, with swc';
}

async function vitest(cwd: string): Promise<string> {
  const env = { ...process.env, NO_COLOR: '1' };
  copyFileSync(join(cwd, 'suite.ts'), join(cwd, 'suite.test.ts')); // the names that it looks for
  await must('1 passed', node, [bin('vitest'), 'run', '--globals'], { cwd, env });
  return 'passes';
}

/** One file to another by a compiler that looks at no types, then run. */
async function swc(cwd: string): Promise<string> {
  const { transformFileSync } = require('@swc/core') as typeof import('@swc/core');
  const jsc = { parser: { syntax: 'typescript' }, target: 'es2022' } as const;
  for (const [type, file] of [
    ['commonjs', 'swc.cjs'],
    ['es6', 'swc.mjs'],
  ] as const) {
    writeFileSync(
      join(cwd, file),
      transformFileSync(join(cwd, 'forms.ts'), { swcrc: false, jsc, module: { type } }).code,
    );
    await must(FORMS, node, [file], { cwd });
  }
  return 'commonjs, es6';
}

async function esbuild(cwd: string): Promise<string> {
  for (const format of ['cjs', 'esm']) {
    const file = `esbuild.${format === 'cjs' ? 'cjs' : 'mjs'}`;
    await must('', bin('esbuild'), ['forms.ts', `--format=${format}`, `--outfile=${file}`, '--log-level=warning'], {
      cwd,
    });
    await must(FORMS, node, [file], { cwd });
  }
  return 'cjs, esm';
}

async function tsx(cwd: string): Promise<string> {
  await must(FORMS, node, [tool('tsx', 'dist/cli.mjs'), 'forms.ts'], { cwd });
  return 'one createSocket in every form';
}

/** An editor or a test that hides the command line's folder: the package is found by its real path alone. */
async function linked(cwd: string): Promise<string> {
  const away = folder('runners-linked');
  symlinkSync(join(cwd, 'node_modules'), join(away, 'node_modules'));
  await must('one copy, answered from 127.0.0.2', node, ['forms.mjs'], { cwd: away });
  return 'one copy';
}

export async function runners(tarball: string): Promise<[string, () => Promise<string>][]> {
  const cwd = await consumer(tarball);
  return [
    ['Jest', () => jest(cwd)],
    ['vitest', () => vitest(cwd)],
    ['tsx', () => tsx(cwd)],
    ['swc, file by file', () => swc(cwd)],
    ['esbuild, file by file', () => esbuild(cwd)],
    ['linked node_modules', () => linked(cwd)],
  ];
}
