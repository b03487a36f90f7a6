/**
 * Programs are compiled against the packed types, with TypeScript 5.0 and newest, with @types/node 20 and newest, in every
 * module form, without skipLibCheck. What is wrong in @types/node itself (newest, under TypeScript 5.0) is not ours.
 * The forms of import are then run as what was compiled.
 */
import { cpSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { folder, must, programs, ran, root, tool } from './tools';

/** By compiler: releases of @types/node. */
const PAIRS: Record<string, readonly string[]> = { '5.0': ['20', '26'], '5.6': ['20'], '7': ['20', '26'] };

interface Form {
  readonly options: object;
  /** How the files end: .cts and .mts say by themselves what they are. */
  readonly endings: readonly ('ts' | 'cts' | 'mts')[];
  /** Compilers that have this form; none: all. */
  readonly only?: readonly string[];
  /** Can Node run what comes out? */
  readonly runs: boolean;
}

/** node10 is gone from TypeScript 7. */
const FORMS: Record<string, Form> = {
  'commonjs, node10': {
    options: { module: 'commonjs', moduleResolution: 'node10' },
    endings: ['ts'],
    only: ['5.0', '5.6'],
    runs: true,
  },
  'commonjs without esModuleInterop': {
    options: { module: 'commonjs', moduleResolution: 'node10', esModuleInterop: false },
    endings: ['ts'],
    only: ['5.6'],
    runs: true,
  },
  commonjs: { options: { module: 'commonjs' }, endings: ['ts'], only: ['7'], runs: true },
  node16: { options: { module: 'node16' }, endings: ['cts', 'mts'], runs: true },
  nodenext: { options: { module: 'nodenext' }, endings: ['cts', 'mts'], only: ['5.0', '7'], runs: true },
  bundler: { options: { module: 'esnext', moduleResolution: 'bundler' }, endings: ['ts'], runs: false },
};

const COMMON = {
  target: 'es2022',
  lib: ['es2022'],
  types: ['node'],
  strict: true,
  exactOptionalPropertyTypes: true,
  esModuleInterop: true,
  skipLibCheck: false,
  outDir: 'out',
  rootDir: '.',
};

const slug = (name: string): string => name.replaceAll(/[^\w.]+/g, '-');

/** A consumer with the package and one release of @types/node. */
function consumer(installed: string, compiler: string, node: string): string {
  const path = folder(`types-${compiler}-${node}`);
  mkdirSync(join(path, 'node_modules/@types'), { recursive: true });
  cpSync(installed, join(path, 'node_modules/recvfromto'), { recursive: true });
  symlinkSync(tool(`types-node-${node}`, ''), join(path, 'node_modules/@types/node'));
  // What the compiled programs load when they run.
  for (const name of ['koffi', '@koromix', 'ipaddr.js']) {
    symlinkSync(join(root, 'node_modules', name), join(path, 'node_modules', name));
  }
  return path;
}

/** Imports every public entry of the package that is more than data. */
function subpaths(installed: string): string {
  const { exports } = JSON.parse(readFileSync(join(installed, 'package.json'), 'utf8')) as { exports: object };
  const entries = Object.keys(exports).filter((entry) => !entry.endsWith('.json'));
  const imports = entries.map(
    (entry, index) => `import type * as entry${index} from '${entry.replace('.', 'recvfromto')}';`,
  );
  return [...imports, `export type All = [${entries.map((_, index) => `typeof entry${index}`)}];`].join('\n');
}

async function compile(path: string, compiler: string, name: string, form: Form, entries: string): Promise<string> {
  const place = join(path, slug(`${compiler}-${name}`));
  mkdirSync(place);
  for (const ending of form.endings) {
    cpSync(join(root, 'test/types/drop-in.ts'), join(place, `drop-in.${ending}`));
    cpSync(join(programs, 'forms.ts'), join(place, `forms.${ending}`));
    writeFileSync(join(place, `subpaths.${ending}`), entries);
  }
  const compilerOptions = { ...COMMON, ...form.options };
  const files = form.endings.flatMap((ending) => ['drop-in', 'forms', 'subpaths'].map((file) => `${file}.${ending}`));
  writeFileSync(join(place, 'tsconfig.json'), JSON.stringify({ compilerOptions, files }));
  const tsc = tool(`typescript-${compiler}`, 'bin/tsc');
  const { output } = await ran(process.execPath, [tsc, '-p', place, '--pretty', 'false'], { cwd: place });
  const errors = output.split('\n').filter((line) => /error TS\d+/.test(line));
  const theirs = errors.filter((line) => /^[^(]*types-node-/.test(line));
  const ours = errors.filter((line) => !theirs.includes(line));
  if (ours.length > 0) throw new Error(`${name}:\n${ours.join('\n')}`);
  for (const ending of form.runs ? form.endings : []) {
    await must('one createSocket', process.execPath, [join(place, `out/forms.${ending.replace('ts', 'js')}`)]);
  }
  return theirs.length === 0 ? name : `${name} (${theirs.length} errors in @types/node itself)`;
}

/** @param installed the package, unpacked */
export function typeChecks(installed: string): [string, () => Promise<string>][] {
  const entries = subpaths(installed);
  return Object.entries(PAIRS).flatMap(([compiler, all]) =>
    all.map((node): [string, () => Promise<string>] => [
      `TypeScript ${compiler}, @types/node ${node}`,
      async () => {
        const path = consumer(installed, compiler, node);
        const forms = Object.entries(FORMS).filter(([, { only }]) => only === undefined || only.includes(compiler));
        const said: string[] = [];
        for (const [name, form] of forms) said.push(await compile(path, compiler, name, form, entries));
        return said.join('; ');
      },
    ]),
  );
}

/** publint and attw, which say nothing when nothing is wrong. */
export function manifestChecks(tarball: string): [string, () => Promise<string>][] {
  const silent = async (good: string, file: string, ...args: string[]): Promise<string> => {
    await must(good, process.execPath, [file, tarball, ...args]);
    return good;
  };
  return [
    ['publint', () => silent('All good!', tool('publint', 'src/cli.js'), '--strict')],
    ['attw', () => silent('No problems found', tool('@arethetypeswrong/cli', 'dist/index.js'))],
  ];
}
