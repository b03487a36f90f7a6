/**
 * Programs are compiled against the packed types, with TypeScript 5.0 and newest, with @types/node 20 and newest, in every
 * module form, without skipLibCheck. What is wrong in @types/node itself (newest, under TypeScript 5.0) is not ours.
 * The forms of import are then run as what was compiled.
 */
import { cpSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { folder, must, programs, ran, root, tool } from './tools';

const COMPILERS = ['5.0', '5.9', '7'] as const;
const NODES = ['20', '26'] as const;

interface Form {
  readonly options: object;
  /** How the files end: .cts and .mts say by themselves what they are. */
  readonly ending: 'ts' | 'cts' | 'mts';
  /** Compilers that have this form. */
  readonly only?: readonly string[];
  /** Can Node run what comes out? */
  readonly runs: boolean;
}

/** Removed from TypeScript 7. */
const OLD = ['5.0', '5.9'];

const FORMS: Record<string, Form> = {
  'commonjs, node10': {
    options: { module: 'commonjs', moduleResolution: 'node10' },
    ending: 'ts',
    only: OLD,
    runs: true,
  },
  'commonjs without esModuleInterop': {
    options: { module: 'commonjs', moduleResolution: 'node10', esModuleInterop: false },
    ending: 'ts',
    only: OLD,
    runs: true,
  },
  commonjs: { options: { module: 'commonjs' }, ending: 'ts', only: ['7'], runs: true },
  'node16, .cts': { options: { module: 'node16' }, ending: 'cts', runs: true },
  'node16, .mts': { options: { module: 'node16' }, ending: 'mts', runs: true },
  'nodenext, .cts': { options: { module: 'nodenext' }, ending: 'cts', runs: true },
  'nodenext, .mts': { options: { module: 'nodenext' }, ending: 'mts', runs: true },
  bundler: { options: { module: 'esnext', moduleResolution: 'bundler' }, ending: 'ts', runs: false },
};

const slug = (name: string): string => name.replaceAll(/[^\w.]+/g, '-');

/** A consumer with the package and one release of @types/node. */
function consumer(installed: string, node: string): string {
  const path = folder(`types-${node}`);
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
  return Object.keys(exports)
    .filter((entry) => !entry.endsWith('.json'))
    .map((entry, index) => `import type * as entry${index} from '${entry.replace('.', 'recvfromto')}';`)
    .concat(
      `export type All = [${Object.keys(exports)
        .filter((entry) => !entry.endsWith('.json'))
        .map((_, index) => `typeof entry${index}`)}];`,
    )
    .join('\n');
}

async function compile(path: string, compiler: string, name: string, form: Form, entries: string): Promise<string> {
  const place = join(path, slug(`${compiler}-${name}`));
  mkdirSync(place);
  const { ending } = form;
  cpSync(join(root, 'test/types/drop-in.ts'), join(place, `drop-in.${ending}`));
  cpSync(join(programs, 'forms.ts'), join(place, `forms.${ending}`));
  writeFileSync(join(place, `subpaths.${ending}`), entries);
  const compilerOptions = {
    target: 'es2022',
    lib: ['es2022'],
    types: ['node'],
    strict: true,
    exactOptionalPropertyTypes: true,
    esModuleInterop: true,
    skipLibCheck: false,
    ...form.options,
    outDir: 'out',
    rootDir: '.',
  };
  writeFileSync(
    join(place, 'tsconfig.json'),
    JSON.stringify({ compilerOptions, files: ['drop-in', 'forms', 'subpaths'].map((file) => `${file}.${ending}`) }),
  );
  const { output } = await ran(
    process.execPath,
    [tool(`typescript-${compiler}`, 'bin/tsc'), '-p', place, '--pretty', 'false'],
    {
      cwd: place,
    },
  );
  const errors = output.split('\n').filter((line) => /error TS\d+/.test(line));
  const theirs = errors.filter((line) => /^[^(]*types-node-/.test(line));
  const ours = errors.filter((line) => !theirs.includes(line));
  if (ours.length > 0) throw new Error(`TypeScript ${compiler}, ${name}:\n${ours.join('\n')}`);
  if (form.runs) {
    const { code, output: said } = await ran(process.execPath, [
      join(place, `out/forms.${ending.replace('ts', 'js')}`),
    ]);
    if (code !== 0) throw new Error(`TypeScript ${compiler}, ${name}, run: ${said}`);
  }
  return theirs.length === 0 ? name : `${name} (${theirs.length} errors in @types/node itself)`;
}

/** @param installed the package, unpacked */
export function typeChecks(installed: string): [string, () => Promise<string>][] {
  const entries = subpaths(installed);
  return NODES.flatMap((node) => {
    const path = consumer(installed, node);
    return COMPILERS.map((compiler): [string, () => Promise<string>] => [
      `TypeScript ${compiler}, @types/node ${node}`,
      async () => {
        const forms = Object.entries(FORMS).filter(([, { only }]) => only === undefined || only.includes(compiler));
        const said: string[] = [];
        for (const [name, form] of forms) said.push(await compile(path, compiler, name, form, entries));
        return said.join('; ');
      },
    ]);
  });
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
