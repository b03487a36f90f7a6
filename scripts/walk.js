// How far a datagram walks: our source files, functions and calls that one warm echo runs through in dist/, counted by V8
// (precise coverage), for `reply` and for plain `send` under recvfromto/register. It judges nothing and always exits 0.
//
//   npm run walk              the numbers
//   npm run walk -- --list    and every function with its calls, file by file
const { fork } = require('node:child_process');
const dgram = require('node:dgram');
const { once } = require('node:events');
const { readdirSync, readFileSync } = require('node:fs');
const { join, resolve } = require('node:path');
const { fileURLToPath, pathToFileURL } = require('node:url');

const ROOT = join(__dirname, '..');
const DIST = resolve(process.env.RECVFROMTO_DIST ?? join(ROOT, 'dist'));
/** Echoes before the counted one: caches are filled, nothing is done for the first time any more. */
const WARM = 300;
/** What follows an answer (a flush at the end of the turn, a loop kept awake) belongs to it. */
const AFTER_MS = 20;
const LIMIT_MS = 20_000;

async function serve(how) {
  process.on('error', () => process.exit(0)); // nobody listens any more
  const { createSocket } = how === 'reply' ? require(DIST) : dgram;
  const socket = createSocket('udp4');
  if (how === 'reply') socket.on('message', (msg, rinfo) => socket.reply(msg, rinfo));
  else socket.on('message', (msg, rinfo) => socket.send(msg, rinfo.port, rinfo.address));
  socket.bind(0, () => process.send({ port: socket.address().port }));
  const session = new (require('node:inspector/promises').Session)();
  session.connect();
  await session.post('Profiler.enable');
  process.on('message', async (word) => {
    // Taking the counts also sets them back to zero.
    if (word === 'start') await session.post('Profiler.startPreciseCoverage', { callCount: true, detailed: true });
    const { result } = await session.post('Profiler.takePreciseCoverage');
    process.send(word === 'start' ? 'counting' : { result });
  });
  process.once('disconnect', () => process.exit(0));
}

/** @returns coverage of one datagram in and one out */
async function walk(how) {
  const register = how === 'send under register' ? ['-r', join(DIST, 'register.js')] : [];
  const server = fork(__filename, ['--serve', how], { execArgv: register, timeout: LIMIT_MS });
  server.once('exit', (code) => {
    if (code === 0) return;
    console.log(`${how}: no numbers, the server ended with ${code}`);
    process.exit(0);
  });
  const [{ port }] = await once(server, 'message');
  const client = dgram.createSocket('udp4');
  const echo = async () => {
    client.send('question', port, '127.0.0.1');
    await once(client, 'message');
  };
  for (let i = 0; i < WARM; i++) await echo();
  await new Promise((resolve) => setTimeout(resolve, AFTER_MS));
  server.send('start');
  await once(server, 'message');
  await echo();
  await new Promise((resolve) => setTimeout(resolve, AFTER_MS));
  server.send('take');
  const [{ result }] = await once(server, 'message');
  client.close();
  server.disconnect();
  return filesOf(result);
}

/** Our source files with the functions that ran; a function without a name is given its place. */
function filesOf(scripts) {
  const own = pathToFileURL(`${DIST}/`).href;
  const path = (url) => (url.startsWith('file:') ? url : pathToFileURL(url).href);
  const files = new Map();
  for (const { url, functions } of scripts.filter((script) => path(script.url).startsWith(own))) {
    const sourceAt = sources(fileURLToPath(path(url)));
    for (const { functionName, ranges } of functions) {
      const [{ count, startOffset }] = ranges;
      if (count === 0) continue;
      const file = sourceAt(startOffset) ?? path(url).slice(own.length);
      if (!files.has(file)) files.set(file, []);
      files.get(file).push({ name: functionName || `(at ${startOffset})`, calls: count });
    }
  }
  return [...files].map(([file, steps]) => ({ file, steps }));
}

/**
 * The bundler writes `// src/….ts` above what comes from each source, and its minifier loses some of that: the names of
 * declarations, which both keep, say more. → the source of an offset, where it is known
 */
function sources(file) {
  const code = readFileSync(file, 'utf8');
  const marks = [...code.matchAll(/^\/\/ (src\/\S+)$/gm)];
  const outer = [...code.matchAll(/^(?:async )?(?:class|function\*?|const|let|var) (\w+)/gm)];
  return (offset) => {
    const mark = marks.findLast(({ index }) => index < offset);
    // Two files may declare the same name: the one that stands before it in the bundle says whose it is.
    const before = outer.filter(({ index }) => index <= offset && index > (mark?.index ?? 0)).reverse();
    const only = before
      .map(([, name]) => DECLARED.get(name.replace(/\$\d+$/, '')) ?? [])
      .find(({ length }) => length === 1);
    return only?.[0] ?? mark?.[1];
  };
}

/** The files of src/ that declare a name at their top level. */
function declarations() {
  const declared = new Map();
  const files = readdirSync(join(ROOT, 'src'), { recursive: true }).filter((name) => name.endsWith('.ts'));
  for (const name of files) {
    const text = readFileSync(join(ROOT, 'src', name), 'utf8');
    const pattern = /^(?:export )?(?:abstract |async )*(?:class|function\*?|const|let) (\w+)/gm;
    for (const [, what] of text.matchAll(pattern)) {
      declared.set(what, [...(declared.get(what) ?? []), `src/${name}`]);
    }
  }
  return declared;
}

async function main() {
  const list = process.argv.includes('--list');
  for (const how of ['reply', 'send under register']) {
    const files = await walk(how);
    const steps = files.flatMap((file) => file.steps);
    const calls = steps.reduce((all, step) => all + step.calls, 0);
    console.log(`${how}: ${files.length} files, ${steps.length} functions, ${calls} calls`);
    if (!list) continue;
    for (const { file, steps: own } of files.sort((a, b) => a.file.localeCompare(b.file))) {
      console.log(`  ${file}`);
      for (const { name, calls: times } of own) console.log(`    ${name}${times > 1 ? ` × ${times}` : ''}`);
    }
  }
}

const DECLARED = process.argv[2] === '--serve' ? new Map() : declarations();

if (process.argv[2] === '--serve') serve(process.argv[3]);
else {
  // Whoever reads the output may stop reading: `npm run walk -- --list | head`.
  process.stdout.on('error', () => process.exit(0));
  main().catch((error) => console.log(`no numbers: ${error.stack}`));
}
