// How far a datagram walks: our source files, functions and calls that one warm echo runs through in dist/, counted by V8
// (precise coverage), for `reply` and for plain `send` under recvfromto/register. It judges nothing and always exits 0.
//
//   npm run walk              the numbers
//   npm run walk -- --list    and every function with its calls, file by file
const { fork } = require('node:child_process');
const dgram = require('node:dgram');
const { once } = require('node:events');
const { readFileSync } = require('node:fs');
const { join, resolve } = require('node:path');
const { fileURLToPath, pathToFileURL } = require('node:url');

const DIST = resolve(process.env.RECVFROMTO_DIST ?? join(__dirname, '../dist'));
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

/** The bundler writes `// src/….ts` above what comes from each source. → the source of an offset, where it is known */
function sources(file) {
  const marks = [...readFileSync(file, 'utf8').matchAll(/^\/\/ (src\/\S+)$/gm)];
  return (offset) => marks.findLast((mark) => mark.index < offset)?.[1];
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

if (process.argv[2] === '--serve') serve(process.argv[3]);
else {
  // Whoever reads the output may stop reading: `npm run walk -- --list | head`.
  process.stdout.on('error', () => process.exit(0));
  main().catch((error) => console.log(`no numbers: ${error.stack}`));
}
