/** The house rules of CONTRIBUTING.md, read off the import lines of src/. */
import { readdirSync, readFileSync } from 'node:fs';
import { builtinModules } from 'node:module';
import { dirname, join, relative, resolve } from 'node:path';

const SRC = resolve(__dirname, '../../src');

interface Import {
  readonly file: string;
  readonly from: string;
  readonly names: string;
}

const files = readdirSync(SRC, { recursive: true, encoding: 'utf8' })
  .filter((name) => /\.c?ts$/.test(name))
  .map((name) => ({ name: name.replaceAll('\\', '/'), text: readFileSync(join(SRC, name), 'utf8') }));

/** import … from, export … from, import(…) and require(…), comments left out. */
function importsOf(file: { name: string; text: string }): Import[] {
  const code = file.text.replace(/\/\*[\s\S]*?\*\//g, '').replace(/(^|[^:'"])\/\/.*$/gm, '$1');
  const found = [
    ...code.matchAll(/\b(?:import|export)\b([^;'"]*?)\bfrom\s*['"]([^'"]+)['"]/g),
    ...code.matchAll(/()\b(?:import|require(?:\.resolve)?)\s*\(?\s*['"]([^'"]+)['"]/g),
  ];
  return found.map(([, names, from]) => ({ file: file.name, from, names: names.trim() }));
}

const imports = files.flatMap(importsOf);

/** The folder of a file, or its own name where it stands on top. */
function house(file: string): string {
  return file.includes('/') ? file.split('/', 1)[0] : file.replace(/\.c?ts$/, '');
}

/** undefined for packages and Node's own modules. */
function target({ file, from }: Import): string | undefined {
  if (!from.startsWith('.')) return undefined;
  return relative(SRC, resolve(SRC, dirname(file), from)).replaceAll('\\', '/');
}

const layers = ['structs', 'platform', 'ffi', 'datagram', 'socket'];
const tops = ['index', 'register', 'libc', 'promises', 'testing', 'cli'];
/** They import nothing of ours, and everybody may import them. */
const leaves = ['address', 'captured', 'errors', 'types'];

test('the parser sees the imports', () => {
  expect(files.length).toBeGreaterThan(50);
  expect(imports.length).toBeGreaterThan(200);
  const sample = {
    name: 'a/b.ts',
    text: "import type { A } from './x';\nexport * from '../y';\nconst z = require('z'); // from 'no'",
  };
  expect(importsOf(sample).map(({ from }) => from)).toEqual(['./x', '../y', 'z']);
});

test('every file belongs to a known house', () => {
  const unknown = files.map(({ name }) => house(name)).filter((one) => ![...layers, ...tops, ...leaves].includes(one));
  expect(unknown).toEqual([]);
});

test('imports go downwards only', () => {
  const wrong = imports.filter((one) => {
    const to = target(one);
    if (to === undefined) return false;
    const [from, into] = [house(one.file), house(to)];
    if (from === into) return false;
    if (leaves.includes(from)) return true;
    if (leaves.includes(into)) return false;
    if (from === 'libc' && into === 'socket') return true; // beside it: scripts load no event loop
    if (tops.includes(from)) return !layers.includes(into) && !(from === 'cli' && tops.includes(into));
    return !layers.includes(into) || layers.indexOf(into) > layers.indexOf(from);
  });
  expect(wrong).toEqual([]);
});

test('testing/ stands on socket/, datagram/, platform/ and structs/, loads nothing native, and nothing imports it', () => {
  const under = ['testing', 'socket', 'datagram', 'platform', 'structs', ...leaves];
  const types = /^type\b|^\{(\s*type [^,}]+,?)+\s*\}$/;
  const wrong = imports.filter((one) => {
    const to = target(one);
    if (to === undefined) return false;
    if (house(one.file) !== 'testing') return house(to) === 'testing';
    return !under.includes(house(to)) && !types.test(one.names) && to !== 'ffi/readiness'; // numbers of ours
  });
  expect(wrong).toEqual([]);
  expect(imports.filter(({ file }) => house(file) === 'testing').length).toBeGreaterThan(20);
});

/** Only these files (or folders, with a slash) import the module. */
function onlyIn(module: string, places: readonly string[]): void {
  const users = imports.filter(({ from }) => from === module).map(({ file }) => file);
  expect(users.length).toBeGreaterThan(0);
  expect(
    users.filter((file) => !places.some((place) => (place.endsWith('/') ? file.startsWith(place) : file === place))),
  ).toEqual([]);
}

test('koffi only in ffi/, ref-struct-di only in structs/struct.ts', () => {
  onlyIn('koffi', ['ffi/']);
  onlyIn('ref-struct-di', ['structs/struct.ts']);
});

test('koffi and ref-struct-di are loaded on first use, never by an import', () => {
  for (const { name, text } of files) {
    expect([name, /^import (?!type\b)[^;]*['"](koffi|ref-struct-di)['"]/m.test(text)]).toEqual([name, false]);
  }
});

test('events only in socket/ and above, and their types in types.ts', () => {
  onlyIn('node:events', ['socket/', 'cli/', 'libc.ts', 'register.ts', 'types.ts']);
  expect(imports.filter(({ file, names }) => file === 'types.ts' && !names.startsWith('type'))).toEqual([]);
});

test('process.platform and process.arch only in platform/index.ts', () => {
  const asking = files.filter(({ text }) =>
    /\bprocess\.(platform|arch)\b/.test(text.replace(/\/\*[\s\S]*?\*\/|\/\/.*$/gm, '')),
  );
  expect(asking.map(({ name }) => name)).toEqual(['platform/index.ts']);
});

test("Node's own modules are written with node:", () => {
  expect(imports.filter(({ from }) => builtinModules.includes(from))).toEqual([]);
});

test('nothing but declared dependencies is imported; those that the build inlines are for development', () => {
  const manifest = require('../../package.json') as Record<'dependencies' | 'devDependencies', Record<string, string>>;
  const packages = new Set(imports.map(({ from }) => from).filter((from) => !/^(\.|node:)/.test(from)));
  const declared = { ...manifest.dependencies, ...manifest.devDependencies };
  expect([...packages].filter((name) => !(name in declared))).toEqual([]);
  expect(Object.keys(manifest.dependencies).filter((name) => !packages.has(name))).toEqual([]);
});

test('no file imports in a circle, types aside', () => {
  const edges = new Map<string, string[]>();
  for (const { name } of files) edges.set(name.replace(/\.c?ts$/, ''), []);
  for (const one of imports) {
    const to = target(one);
    const onlyTypes = /^type\b/.test(one.names) || /^\{(\s*type [^,}]+,?)+\s*\}$/.test(one.names);
    if (to !== undefined && !onlyTypes) edges.get(one.file.replace(/\.c?ts$/, ''))?.push(to);
  }
  const state = new Map<string, 'open' | 'done'>();
  const circles: string[] = [];
  const visit = (file: string, path: readonly string[]): void => {
    if (state.get(file) === 'done') return;
    if (state.get(file) === 'open') {
      circles.push([...path.slice(path.indexOf(file)), file].join(' → '));
      return;
    }
    state.set(file, 'open');
    for (const next of edges.get(file) ?? []) visit(next, [...path, file]);
    state.set(file, 'done');
  };
  for (const file of edges.keys()) visit(file, []);
  expect(circles).toEqual([]);
});
