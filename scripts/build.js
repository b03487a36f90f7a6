/**
 * Writes dist/: few files instead of one per source, because finding and compiling a hundred small ones took longer than
 * everything else that an import does. Entries are what package.json exports, the command, and each file that the
 * sources load when they need it (a relative `require`); what entries share stands in chunks, once. Names are kept, for
 * stack traces. The types are one file per public entry, and chunks for what those share.
 */
const { execFile } = require('node:child_process');
const {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} = require('node:fs');
const { basename, dirname, join, posix, resolve } = require('node:path');
const { promisify } = require('node:util');
const { dependencies } = require('../package.json');

const root = resolve(__dirname, '..');
const source = (name) => join(root, `src/${name}.ts`);

/** What people import, by its name in package.json's exports. */
const PUBLIC = ['index', 'register', 'libc', 'promises', 'testing'].filter((name) => existsSync(source(name)));
const COMMAND = 'cli/main';
/**
 * These stay in node_modules; koffi could not be anywhere else. All else that is imported goes into the bundle, and so does
 * ref-struct-di: without its `debug`, which takes longer to load than all of ours.
 */
const EXTERNAL = [/^node:/, ...Object.keys(dependencies).filter((name) => name !== 'ref-struct-di')];
/** What one kind of host loads together is one file. The rest that is loaded late has a file each. */
const TOGETHER = { linux: ['platform/linux', 'ffi/calls/posix', 'ffi/wait/uv', 'ffi/wait/many', 'ffi/wait/nested'] };

/**
 * What few programs call, and all would have to read: V8 takes 25 µs for each KB. Imports of these become functions that
 * load the file when they are called. They export nothing but functions, and classes of which others only make objects.
 * Nothing is among them that a socket may come to need when it has been made: its process may have given up the right to read
 * our files by then, or be another version's whose files have been replaced.
 */
const RARE = ['socket/capabilities', 'ffi/calls/private-receive'].map(source);
/** What only these, or one entry, import. */
const APART = [...RARE, ...['settings-findings', 'dgram/install', 'promises'].map((name) => source(`socket/${name}`))];
/** Stands behind the name of a file whose functions are loaded when they are called. */
const WHEN_CALLED = '?when-called';

/** @throws where one exports more than that */
function whenCalled(file) {
  const text = readFileSync(file, 'utf8');
  const names = [...text.matchAll(/^export (?!type |interface )(?:async )?(\w+) (\w+)/gm)].map(([line, kind, name]) => {
    if (kind === 'function') return `export const ${name} = (...args) => load().${name}(...args);`;
    if (kind === 'class') return `export function ${name}(...args) { return new (load().${name})(...args); }`;
    throw new Error(`${file} cannot be loaded when it is called: it has ${line}`);
  });
  const load = `let module;\nconst load = () => (module ??= require('./${basename(file, '.ts')}'));`;
  return [load, ...names, ''].join('\n');
}

/**
 * What the sources load late, `require('./platform/linux')`, stays a require of a file of its own. Whoever imports the
 * main entry requires its file, too, so that index.js is the module and not a copy of its names.
 */
function late() {
  const MARK = 'late:';
  const GROUP = '\0together:';
  const groups = new Map(
    Object.entries(TOGETHER).flatMap(([name, files]) => files.map((file) => [source(file), name])),
  );
  const emitted = new Map();
  return {
    name: 'late',
    async resolveId(wanted, importer, { kind }) {
      if (wanted.startsWith(GROUP)) return wanted;
      if (!wanted.startsWith('.') || !importer?.startsWith(join(root, 'src'))) return null;
      const found = await this.resolve(wanted, importer, { kind, skipSelf: true });
      if (found === null) throw new Error(`${importer} imports ${wanted}, which is not there`);
      if (found.id === source('index')) return { id: `${MARK}index`, external: true };
      const isRare = RARE.includes(found.id) && !importer.endsWith(WHEN_CALLED);
      if (kind !== 'require-call') return isRare ? found.id + WHEN_CALLED : null;
      const group = groups.get(found.id);
      const id = group === undefined ? found.id : GROUP + group;
      const folder = found.id.startsWith(join(root, 'src/cli')) ? 'cli/' : '';
      const name = group ?? folder + basename(found.id, '.ts');
      if (!emitted.has(name)) emitted.set(name, { id, file: this.emitFile({ type: 'chunk', id, name }) });
      if (emitted.get(name).id !== id) throw new Error(`two files that are loaded late have the name ${name}`);
      return { id: MARK + name, external: true };
    },
    load(id) {
      if (id.endsWith(WHEN_CALLED)) return { code: whenCalled(id.slice(0, -WHEN_CALLED.length)), moduleType: 'js' };
      if (!id.startsWith(GROUP)) return null;
      return TOGETHER[id.slice(GROUP.length)]
        .map((name) => `export * from ${JSON.stringify(source(name))};`)
        .join('\n');
    },
    renderChunk(code, { fileName }) {
      return code.replace(/(["'])late:([\w/-]+)\1/g, (_, quote, name) => {
        const file = name === 'index' ? 'index.js' : this.getFileName(emitted.get(name).file);
        const path = posix.relative(posix.dirname(fileName), file);
        return `${quote}${path.startsWith('.') ? path : `./${path}`}${quote}`;
      });
    },
  };
}

/**
 * ref-struct-di is in the bundle for the sake of what it requires, which took longer than all it does: `debug` looks at
 * terminals, and `assert` opens stderr. Without DEBUG=ref:struct the one does nothing; the other is loaded to fail.
 */
function quiet() {
  const modules = {
    debug: 'module.exports = () => () => {};',
    assert: `
      const fail = (name, args) => require('node:assert')[name](...args);
      module.exports = (...args) => { if (!args[0]) fail('ok', args); };
      module.exports.equal = (...args) => { if (args[0] != args[1]) fail('equal', args); };`,
  };
  return {
    name: 'quiet',
    resolveId: (id, importer) => (id in modules && importer?.includes('ref-struct-di') ? `\0quiet:${id}` : null),
    load: (id) => (id.startsWith('\0quiet:') ? { code: modules[id.slice(7)], moduleType: 'js' } : null),
  };
}

/**
 * Modules of Node's that take milliseconds, and that few programs need, are loaded when something of theirs is used.
 * What the sources take from them when they are loaded themselves is still taken then.
 */
function lazily() {
  const SLOW = 'fs|module|net|os|tty';
  const pattern = new RegExp(`^let (\\w+) = require\\("node:(?:${SLOW})"\\);\n(?:\\1 = .*__toESM\\(\\1\\);\n)?`, 'gm');
  return {
    name: 'lazily',
    renderChunk: (code) =>
      code.replace(pattern, (head, name) => {
        const rest = code.replace(head, '');
        const uses = [...rest.matchAll(new RegExp(`\\b${name}\\b(?:\\.(\\w+))?`, 'g'))].map(([, member]) => member);
        if (uses.includes(undefined)) return head; // the module itself goes somewhere
        const load = `${name}$ ??= ${/require\(.*?\)/.exec(head)[0]}`;
        const getters = [...new Set(uses)].map((member) => {
          return `\tget ${member}() { return ${member === 'default' ? load : `(${load}).${member}`}; },\n`;
        });
        return `let ${name}$;\nconst ${name} = {\n${getters.join('')}};\n`;
      }),
  };
}

/** A file that does nothing but hand on what another one has, under the same names. → the other one */
function handsOn(code) {
  const [, name, file, rest] =
    /^"use strict";\nconst (\w+) = require\("\.\/([\w-]+\.js)"\);\n([\s\S]*)$/.exec(code) ?? [];
  const line = /^(?:exports\.(\w+) = (\w+)\.\1;)?$/;
  const all = rest?.split('\n').every((text) => (line.exec(text)?.[2] ?? name) === name && line.test(text));
  return all === true ? file : undefined;
}

/** What is loaded late has a file in front of it where it shares one with others: each file costs a tenth of a millisecond. */
function withoutFronts(output) {
  const fronts = new Map();
  for (const { fileName, name, code } of output) {
    const behind = [...PUBLIC, COMMAND].includes(name) ? undefined : handsOn(code);
    if (behind !== undefined) fronts.set(fileName, behind);
  }
  const direct = (code) =>
    code.replace(/require\("((?:\.\.?\/)+)([\w-]+\.js)"\)/g, (whole, folder, file) =>
      fronts.has(file) ? `require("${folder}${fronts.get(file)}")` : whole,
    );
  return output
    .filter(({ fileName }) => !fronts.has(fileName))
    .map(({ fileName, code }) => ({ fileName, code: direct(code) }));
}

/** What wraps a CommonJS module in the bundle, as rolldown's file of such helpers has it. */
const COMMON_JS = `const __commonJSMin = (load, module) => () => {
	if (module === undefined) {
		module = { exports: {} };
		load(module.exports, module, module.exports);
	}
	return module.exports;
};
`;

/** Node's modules need no object around them that has a `default`; what makes those is a file to load. */
function asTheyAre() {
  const WRAPPED = /^let (\w+) = require\("node:\w+"\);\n(\1 = .*__toESM\(\1\);\n)/m;
  const RUNTIME = /^const (require_rolldown_runtime) = require\(.*\);\n/m;
  return {
    name: 'as-they-are',
    renderChunk(code) {
      let plain = code;
      for (let found = WRAPPED.exec(plain); found !== null; found = WRAPPED.exec(plain)) {
        const [, name, wrapping] = found;
        plain = plain.replace(wrapping, '').replace(new RegExp(`\\b${name}\\.default\\b`, 'g'), name);
      }
      const [line, runtime] = RUNTIME.exec(plain) ?? [];
      if (line === undefined) return plain;
      const [, ...uses] = plain.replace(line, '').split(runtime);
      if (!uses.every((after) => after.startsWith('.__commonJSMin('))) return plain;
      return plain
        .replace(line, uses.length === 0 ? '' : COMMON_JS)
        .replaceAll(`${runtime}.__commonJSMin(`, '__commonJSMin(');
    },
  };
}

/**
 * What a chunk hands to others it assigns, where rolldown defines a getter each, as for a variable that may change: a
 * hundred functions more to read and to make. What does change keeps its getter.
 */
function assigned() {
  const GETTER =
    /^Object\.defineProperty\(exports, ["'](\w+)["'], \{\s*enumerable: true,\s*get: function ?\(\) \{\s*return (\w+);\s*\}\s*\}\);$/gm;
  const changes = (code, name) => {
    const assignments = new RegExp(`(?<![\\w$.#])${name}\\s*(?:[-+*/|&^?]*=(?![=>])|\\+\\+|--)`, 'g');
    return (code.match(assignments)?.length ?? 0) > 1;
  };
  return {
    name: 'assigned',
    renderChunk: (code) =>
      code.replace(GETTER, (getter, exported, name) =>
        changes(code, name) ? getter : `exports.${exported} = ${name};`,
      ),
  };
}

/** The licences of what is in the bundle and not ours. @throws where a package has none */
function licences(output) {
  const folders = new Set();
  for (const { moduleIds = [] } of output) {
    for (const id of moduleIds) {
      const found = /^.*\/node_modules\/(?:@[^/]+\/)?[^/]+/.exec(id.replaceAll('\\', '/'));
      if (found !== null) folders.add(found[0]);
    }
  }
  const texts = [...folders].sort().map((folder) => {
    const file = readdirSync(folder).find((name) => /^licen[cs]e/i.test(name));
    if (file === undefined) throw new Error(`${folder} has no licence, so it cannot go into dist/`);
    const { name, version } = require(join(folder, 'package.json'));
    return `${name} ${version}\n\n${readFileSync(join(folder, file), 'utf8').trim()}\n`;
  });
  return `These packages are part of the files in this folder.\n\n${texts.join(`\n${'-'.repeat(80)}\n\n`)}`;
}

/**
 * Parameters and local variables get short names, which V8 reads in an eighth less time. All that stack traces and profiles
 * show stays: functions, classes, members, private ones too, and a line for each statement.
 */
async function shortened(code) {
  const { transform } = require('@swc/core');
  const mangle = { toplevel: false, keep_classnames: true, keep_fnames: true, keep_private_props: true };
  const jsc = {
    parser: { syntax: 'ecmascript' },
    target: 'es2022',
    preserveAllComments: true,
    minify: { compress: false, mangle },
  };
  return (await transform(code, { isModule: false, configFile: false, swcrc: false, jsc })).code;
}

/** V8 keeps a file with one other character in two bytes per character, and takes longer to compile it. */
function ascii(code) {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: ASCII begins with them
  return code.replace(/[^\x00-\x7f]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`);
}

async function code(out) {
  const { rolldown } = await import('rolldown');
  const build = await rolldown({
    cwd: root,
    input: Object.fromEntries([...PUBLIC, COMMAND].map((name) => [name, source(name)])),
    platform: 'node',
    external: EXTERNAL,
    transform: { target: 'node20' },
    plugins: [late(), quiet(), lazily(), asTheyAre(), assigned()],
    onLog(level, { code, message }) {
      if (code === 'PLUGIN_TIMINGS') return; // a busy machine
      throw new Error(`${level}: ${message}`);
    },
  });
  const { output } = await build.generate({
    dir: out,
    format: 'cjs',
    exports: 'named',
    strict: true,
    comments: false,
    esModule: false, // as node:dgram: every tool then takes the module itself for its default export
    generatedCode: { symbols: false },
    entryFileNames: '[name].js',
    chunkFileNames: '[name].js',
    codeSplitting: {
      groups: [
        { name: 'core', test: (id) => /\/src\/socket\//.test(id) && !APART.includes(id), priority: 2 },
        { name: 'linux-parts', test: /together:linux/, priority: 1 },
      ],
    },
  });
  await build.close();
  const write = async ({ fileName, code: text }) => {
    const file = join(out, fileName);
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, ascii(await shortened(text)));
  };
  await Promise.all(withoutFronts(output).map(write));
  writeFileSync(join(out, 'LICENSES.txt'), licences(output));
  chmodSync(join(out, `${COMMAND}.js`), 0o755); // npx runs the command straight from a checkout
}

/** tsc writes one file per source, without what is marked @internal; rolldown keeps what can be reached by a name. */
async function types(out) {
  const parts = mkdtempSync(join(root, '.types-'));
  try {
    const tsc = require.resolve('typescript/package.json').replace(/package\.json$/, 'bin/tsc');
    const args = ['-p', 'tsconfig.build.json', '--outDir', parts, '--pretty', 'false'];
    await promisify(execFile)(process.execPath, [tsc, ...args], { cwd: root });
    const [{ rolldown }, { dts }] = await Promise.all([import('rolldown'), import('rolldown-plugin-dts')]);
    const build = await rolldown({
      cwd: parts,
      input: Object.fromEntries(PUBLIC.map((name) => [name, join(parts, `${name}.d.ts`)])),
      external: EXTERNAL,
      plugins: [dts({ dtsInput: true })],
    });
    await build.write({
      dir: out,
      format: 'es',
      minifyInternalExports: false,
      entryFileNames: '[name].ts',
      chunkFileNames: 'shared-[name].ts',
    });
    await build.close();
  } finally {
    rmSync(parts, { recursive: true, force: true });
  }
}

/** Is what stands in dist/ younger than all that it is made of? */
function isFresh(dist) {
  const made = join(dist, 'index.js');
  if (!existsSync(made)) return false;
  const sources = readdirSync(join(root, 'src'), { recursive: true }).map((file) => join('src', file));
  // A file that is gone makes its folder younger.
  const all = ['src', ...sources, 'scripts/build.js', 'package.json', 'tsconfig.json', 'tsconfig.build.json'];
  const youngest = Math.max(...all.map((file) => statSync(join(root, file)).mtimeMs));
  return statSync(made).mtimeMs > youngest;
}

/** `--if-stale`: only where it has to be. */
async function main() {
  const dist = join(root, 'dist');
  if (process.argv.includes('--if-stale') && isFresh(dist)) return;
  const out = mkdtempSync(join(root, '.dist-'));
  try {
    await Promise.all([code(out), types(out)]);
    chmodSync(out, 0o755);
    rmSync(dist, { recursive: true, force: true });
    renameSync(out, dist);
  } catch (error) {
    rmSync(out, { recursive: true, force: true });
    console.error(error.stdout || error); // tsc prints what is wrong to stdout
    process.exitCode = 1;
  }
}

void main();
