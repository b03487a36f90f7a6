/**
 * Writes docs/reference.md: every public name of every entry point, with its types and what TSDoc says of it. `npm run
 * docs:reference` writes it; with --check it fails when the page is not what the types say, when a public member has no
 * TSDoc, or when docs/api.md does not tell of one that node:dgram has not. `npm run test:docs` does that. TypeScript 5 (test/docs/package.json) reads the sources: 7 has no API for it.
 */
const { existsSync, readFileSync, writeFileSync } = require('node:fs');
const { createSocket } = require('node:dgram');
const { join, relative } = require('node:path');

const ROOT = join(__dirname, '..');
const FILE = join(ROOT, 'docs/reference.md');
const ts = require(join(ROOT, 'test/docs/node_modules/typescript5'));

const { exports: subpaths } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8'));
const sources = Object.entries(subpaths)
  .filter(([, to]) => typeof to === 'object')
  .map(([subpath, { default: file }]) => ({
    name: subpath.replace(/^\./, 'recvfromto'),
    file: join(ROOT, file.replace('./dist/', 'src/').replace(/\.js$/, '.ts')),
  }))
  .filter(({ file }) => existsSync(file));

const config = ts.parseJsonConfigFileContent(
  { ...ts.readConfigFile(join(ROOT, 'tsconfig.json'), ts.sys.readFile).config, include: ['src'] },
  ts.sys,
  ROOT,
);
const dgramSocket = createSocket('udp4').unref();
const program = ts.createProgram(config.fileNames, config.options);
const checker = program.getTypeChecker();

const isOurs = (node) => !relative(join(ROOT, 'src'), node.getSourceFile().fileName).startsWith('..');
const declarations = (symbol) => (symbol.declarations ?? []).filter(isOurs);

/** Names whose entry is empty, for --check. */
const silent = [];

/** A member that node:dgram's sockets have by that name, which needs no words where it does the same. */
const isDgrams = ({ name }) => name in dgramSocket || name.startsWith('__@asyncDispose@');

/** C's own: constants, structs and their fields, of which the manual pages tell. */
const isC = (symbol, owner) =>
  /^[A-Z][A-Z0-9_]+$/.test(symbol.name) ||
  /^[Ss]tructs$/.test(owner) ||
  declarations(symbol).some((node) => node.getSourceFile().fileName.endsWith('/src/libc/struct-types.ts'));

/** What TSDoc says; of an overloaded function it may stand at any of its signatures. */
function said(symbol, owner) {
  const found = declarations(symbol).flatMap((node) => ts.getJSDocCommentsAndTags(node).filter(ts.isJSDoc));
  const prose = found.map(({ comment }) => ts.getTextOfJSDocComment(comment) ?? '');
  const tags = found.flatMap(({ tags = [] }) => [...tags]);
  const details = tags
    .map((tag) => [
      tag.tagName.text,
      `${tag.name ? `\`${tag.name.getText()}\` ` : ''}${ts.getTextOfJSDocComment(tag.comment) ?? ''}`.trim(),
    ])
    .filter(([name]) => name !== 'internal')
    .map(([name, text]) => (name === 'param' ? text.replace(/^(`\w+`) (- )?/, '$1: ') : `*${name}:* ${text}`));
  const own = [...new Set([...prose, ...details])].filter((text) => text !== '').join('\n');
  const text =
    own ||
    (symbol.getDocumentationComment(checker).length > 0 || (/^(Socket|Server)$/.test(owner) && isDgrams(symbol))
      ? 'As in Node.js.'
      : '');
  if (text === '' && !isC(symbol, owner))
    silent.push(owner === undefined ? symbol.name : `${owner}.${memberName(symbol)}`);
  return text.replace(/\{@link ([\w.]+)\}/g, '`$1`');
}

const isInternal = (symbol) =>
  symbol.name.startsWith('#') ||
  (symbol.name.startsWith('_') && !symbol.name.startsWith('__@')) ||
  ts.getCombinedModifierFlags(symbol.valueDeclaration ?? declarations(symbol)[0]) &
    (ts.ModifierFlags.Private | ts.ModifierFlags.Protected) ||
  declarations(symbol).some((node) => ts.getJSDocTags(node).some(({ tagName }) => tagName.text === 'internal'));

/** `__@asyncDispose@123` → `[Symbol.asyncDispose]`; undefined for symbols of our own. */
function memberName(symbol) {
  const wellKnown = /^__@(asyncDispose|asyncIterator|iterator|dispose|toStringTag)@/.exec(symbol.name);
  return wellKnown ? `[Symbol.${wellKnown[1]}]` : symbol.name.startsWith('__@') ? undefined : symbol.name;
}

const cell = (text) => text.replace(/\s*\n\s*/g, ' ').replace(/\|/g, '\\|');
const code = (text) => `\`${text.replace(/\s+/g, ' ')}\``;
/** Types as they are written in the source; `| undefined` says no more than the `?` before it. */
const written = (node, optional) => {
  const text = node
    .getText()
    .replace(/\/\*\*[\s\S]*?\*\/\s*/g, '')
    .replace(/\bDatagramSocket\b/g, 'Socket');
  return optional ? text.replace(/^\((.*)\) \| undefined$|^(.*) \| undefined$/s, '$1$2') : text;
};

/** How it is called: its overloads, or the one declaration that it has. Engines are for tests. */
const isHidden = (node) =>
  ts.getJSDocTags(node).some(({ tagName }) => tagName.text === 'internal') ||
  node.parameters.some(({ type }) => type?.kind === ts.SyntaxKind.NeverKeyword); // fits no call

function calls(nodes, name) {
  const functions = nodes.filter((node) => node.parameters !== undefined);
  const overloads = functions.length > 1 ? functions.filter(({ body }) => body === undefined) : functions;
  const open = overloads.filter((node) => !isHidden(node));
  return open.map(({ parameters, type }) => {
    const shown = parameters
      .filter((each) => each.name.getText() !== 'engine')
      .map((each) => {
        const optional = each.questionToken !== undefined || each.initializer !== undefined;
        const rest = each.dotDotDotToken === undefined ? '' : '...';
        return `${rest}${each.name.getText()}${optional ? '?' : ''}${each.type ? `: ${written(each.type, optional)}` : ''}`;
      });
    return code(`${name}(${shown.join(', ')})${type ? `: ${written(type)}` : ''}`);
  });
}

function property(symbol, name) {
  const node = declarations(symbol).find(({ type }) => type !== undefined);
  const optional = symbol.flags & ts.SymbolFlags.Optional;
  const text = node ? written(node.type, optional) : checker.typeToString(checker.getTypeOfSymbol(symbol));
  return code(`${name}${optional ? '?' : ''}: ${text}`);
}

function members(type, owner) {
  const rows = checker
    .getPropertiesOfType(type)
    .filter((symbol) => declarations(symbol).length > 0 && !isInternal(symbol) && memberName(symbol) !== undefined)
    .map((symbol) => {
      const name = memberName(symbol);
      const isMethod = symbol.flags & ts.SymbolFlags.Method;
      const text = isMethod ? calls(declarations(symbol), name).join('<br>') : property(symbol, name);
      return `| ${cell(text)} | ${cell(said(symbol, owner))} |`;
    });
  return rows.length === 0 ? [] : ['', '| | |', '|---|---|', ...rows];
}

/** What `new` makes of it: a class, or a variable that stands for one. */
function instance(symbol) {
  if (symbol.flags & ts.SymbolFlags.Class) return checker.getDeclaredTypeOfSymbol(symbol);
  if (!(symbol.flags & ts.SymbolFlags.Variable)) return undefined;
  const [construct] = checker.getSignaturesOfType(checker.getTypeOfSymbol(symbol), ts.SignatureKind.Construct);
  return construct?.getReturnType();
}

function entry(symbol) {
  const target = targetOf(symbol);
  const { flags } = target;
  const name = symbol.name;
  const text = said(target);
  const head = [`### ${name}`, '', ...(text === '' ? [] : [text.replace(/\n/g, '  \n')])];
  if (flags & ts.SymbolFlags.Function)
    return [...head, '', ...calls(target.declarations, name).map((each) => `- ${each}`)];
  const made = instance(target);
  if (made !== undefined) {
    const constructors = made.symbol.members?.get('__constructor')?.declarations ?? [];
    return [...head, '', ...calls(constructors, `new ${name}`).map((each) => `- ${each}`), ...members(made, name)];
  }
  if (flags & ts.SymbolFlags.Interface) return [...head, ...members(checker.getDeclaredTypeOfSymbol(target), name)];
  if (flags & ts.SymbolFlags.TypeAlias) {
    return [...head, '', code(`type ${name} = ${written(target.declarations[0].type)}`)];
  }
  const type = checker.getTypeOfSymbol(target);
  return [...head, '', code(`${name}: ${checker.typeToString(type)}`), ...members(type, name)];
}

const targetOf = (symbol) => (symbol.flags & ts.SymbolFlags.Alias ? checker.getAliasedSymbol(symbol) : symbol);

function page() {
  /** A type that several entries have stands with the first. */
  const told = new Set();
  const parts = sources.map(({ name, file }) => {
    const source = program.getSourceFile(file);
    const symbols = checker
      .getExportsOfModule(checker.getSymbolAtLocation(source))
      .filter((symbol) => symbol.name !== 'default' && !told.has(targetOf(symbol)));
    for (const symbol of symbols) told.add(targetOf(symbol));
    const isType = (symbol) => !(targetOf(symbol).flags & ts.SymbolFlags.Value);
    const ordered = [...symbols].sort((a, b) => isType(a) - isType(b) || a.name.localeCompare(b.name, 'en'));
    const constants = ordered.filter(
      (symbol) => /^[A-Z][A-Z0-9_]+$/.test(symbol.name) && !symbol.name.startsWith('CMSG_'),
    );
    const others = ordered.filter((symbol) => !constants.includes(symbol));
    const list =
      constants.length === 0 ? [] : ['', `Constants: ${constants.map((symbol) => code(symbol.name)).join(', ')}.`];
    return [`## ${name}`, ...list, ...others.flatMap((symbol) => ['', ...entry(symbol)])].join('\n');
  });
  return `# Types and members

Every public name, as TypeScript sees it. [api.md](api.md) tells what they are for. What is not here is as in
[node:dgram](https://nodejs.org/api/dgram.html). Written by \`npm run docs:reference\` from the comments in the source.

${parts.join('\n\n')}
`;
}

/** Names that docs/api.md must tell of: what is ours, and not dgram's. */
function untold(text) {
  const told = readFileSync(join(ROOT, 'docs/api.md'), 'utf8');
  const names = [
    'SocketOptions',
    'RemoteInfo',
    'SendOptions',
    'SocketStats',
    'Socket',
    'Server',
    'Features',
    'SocketEvents',
  ].flatMap((owner) => {
    const [, section = ''] = new RegExp(`\\n### ${owner}\\n([\\s\\S]*?)\\n##`).exec(`${text}\n##`) ?? [];
    return [...section.matchAll(/^\| `(\w+)/gm)].map(([, name]) => name);
  });
  const codes = program
    .getSourceFiles()
    .filter(isOurs)
    .flatMap((source) => source.text.match(/'(?:ERR_)?RECVFROMTO_[A-Z_]+'/g) ?? [])
    .map((code) => code.slice(1, -1));
  return [...new Set([...names, ...codes])].filter(
    (name) => !(name in dgramSocket) && !new RegExp(`\\b${name}\\b`).test(told),
  );
}

const text = page();
if (process.argv.includes('--check')) {
  const complaints = silent.map((name) => `${name} has no TSDoc`);
  complaints.push(...untold(text).map((name) => `docs/api.md does not tell of ${name}`));
  if (!existsSync(FILE) || readFileSync(FILE, 'utf8') !== text)
    complaints.push('docs/reference.md is not up to date: npm run docs:reference');
  for (const line of complaints) console.error(line);
  process.exitCode = complaints.length === 0 ? 0 : 1;
} else {
  writeFileSync(FILE, text);
  for (const name of silent) console.error(`${name} has no TSDoc`);
}
