/**
 * Records docs/first-quarter-hour.md: an empty folder, the package from its tarball, and what somebody new does with it.
 * Everything on the page is what these commands printed, with the seconds that each step took. After a build, on Linux, as
 * root: `npm run docs:first-quarter-hour`. A command that ends otherwise than expected stops it.
 */
const { spawn, spawnSync } = require('node:child_process');
const { once } = require('node:events');
const { mkdtempSync, readFileSync, rmSync, writeFileSync } = require('node:fs');
const { cpus, loadavg, tmpdir } = require('node:os');
const { join } = require('node:path');

const ROOT = join(__dirname, '..');
const FILE = join(ROOT, 'docs/first-quarter-hour.md');
const { version } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8'));

const EXISTING = `const dgram = require('node:dgram');

const socket = dgram.createSocket('udp4', (msg, { port, address }) => {
  socket.send(msg.toString().toUpperCase(), port, address);
});
socket.bind(5300, () => console.log('existing.js listens on port', socket.address().port));
`;

const SERVER = `const { createServer } = require('recvfromto');

const server = createServer((msg, rinfo) => {
  console.log(\`\${rinfo.address} asked \${rinfo.destination?.address}: \${msg}\`);
  server.reply(\`you asked \${rinfo.destination?.address}\`, rinfo);
});
server.listen(5301, () => console.log('server.js listens on port', server.address().port));
`;

/** run: a command that ends, with `exit`, 0 by default. serve: one that goes on. stop: ends it. file: is written before. */
const STEPS = [
  {
    title: 'An empty folder',
    text: 'The package comes from its tarball here (`npm pack` in a checkout); with a release it is `npm install recvfromto`.',
    actions: [
      { run: 'npm init -y', online: true, quiet: true },
      { run: `npm install ./recvfromto-${version}.tgz`, online: true },
    ],
    after: 'npm warns of an install script. It need not run: [README](../README.md#install).',
  },
  {
    title: 'A program that has the problem',
    text: 'An echo server as they are written, on `node:dgram`, and the question whether it answers from the address that it was asked on:',
    actions: [
      { file: 'existing.js', code: EXISTING },
      { serve: 'node existing.js' },
      { run: 'npx recvfromto send 127.0.0.2 5300 hello', exit: 2 },
      { run: 'npx recvfromto probe 5300 --protocol hex:68656c6c6f 127.0.0.1 127.0.0.2 192.0.2.7', exit: 2 },
    ],
    after: 'It has. (192.0.2.7 is a second address of this machine: `ip addr add 192.0.2.7/32 dev lo`.)',
  },
  {
    title: 'The same program, fixed without a change',
    actions: [
      { stop: true },
      { serve: 'node --import recvfromto/register existing.js' },
      { run: 'npx recvfromto send 127.0.0.2 5300 hello' },
      { run: 'npx recvfromto probe 5300 --protocol hex:68656c6c6f 127.0.0.1 127.0.0.2 192.0.2.7' },
      { stop: true },
    ],
  },
  {
    title: 'A first server',
    text: 'On all addresses of both families, and it knows which one was asked:',
    actions: [
      { file: 'server.js', code: SERVER },
      { serve: 'node server.js' },
      { run: 'npx recvfromto send 127.0.0.2 5301 hello' },
      { run: 'npx recvfromto send ::1 5301 hello' },
      { said: '::1 asked ::1' },
      { stop: true },
    ],
  },
  {
    title: 'This machine',
    text: 'Every address, asked on a server of node:dgram and on one of recvfromto:',
    actions: [{ run: 'npx recvfromto doctor' }],
  },
];

/** The network of all steps but the first: two interfaces and a second address, and nothing that others on this machine do. */
const NETWORK = `ip link set lo up; ip addr add 192.0.2.7/32 dev lo
  ip link add eth0 type veth peer name eth1; ip addr add 198.51.100.7/24 dev eth0; ip link set eth0 up; ip link set eth1 up
  echo ready; exec sleep 600`;
const network = spawn('unshare', ['--net', 'sh', '-c', NETWORK], { stdio: ['ignore', 'pipe', 'inherit'] });
/** What stands before a command. */
const within = (action) =>
  action.online ? ['bash', '-c'] : ['nsenter', `--net=/proc/${network.pid}/ns/net`, 'bash', '-c'];

const folder = mkdtempSync(join(tmpdir(), 'first-'));
const env = {
  ...process.env,
  NO_COLOR: '1',
  npm_config_fund: 'false',
  npm_config_audit: 'false',
  npm_config_update_notifier: 'false',
  COLUMNS: '100',
};
const fence = (language, text) => `\`\`\`${language}\n${text.trimEnd()}\n\`\`\``;

let server;
let said = '';

async function start(command) {
  said = '';
  const [program, ...before] = within({});
  server = spawn(program, [...before, `exec ${command}`], { cwd: folder, env });
  for (const stream of [server.stdout, server.stderr]) stream.on('data', (chunk) => (said += chunk));
  while (!said.includes('listens')) {
    if (server.exitCode !== null) throw new Error(`${command}: ${said}`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  return fence('console', `$ ${command} &\n${said}`);
}

async function stop() {
  const ended = new Promise((resolve) => server.on('close', resolve));
  server.kill();
  await ended;
}

function run(action) {
  const { run: command, exit = 0, quiet = false } = action;
  const [program, ...before] = within(action);
  const { status, stdout, stderr } = spawnSync(program, [...before, command], { cwd: folder, env, encoding: 'utf8' });
  if (status !== exit) throw new Error(`${command} ended with ${status}\n${stdout}${stderr}`);
  const output = quiet ? '' : `${stderr}${stdout}`.trim();
  return fence('console', `$ ${command}\n${output}${exit === 0 ? '' : `\n$ echo $?\n${exit}`}`);
}

async function perform(action) {
  if (action.file !== undefined) {
    writeFileSync(join(folder, action.file), action.code);
    return `\`${action.file}\`:\n\n${fence('js', action.code)}`;
  }
  if (action.serve !== undefined) return start(action.serve);
  if (action.stop) return stop().then(() => '');
  while (action.said !== undefined && !said.includes(action.said)) await once(server.stdout, 'data');
  if (action.said !== undefined) return `The server said:\n\n${fence('console', said.split('\n').slice(1).join('\n'))}`;
  return run(action);
}

async function record() {
  const parts = [];
  let total = 0;
  for (const [index, { title, text, actions, after }] of STEPS.entries()) {
    const begin = performance.now();
    const shown = [];
    for (const action of actions) shown.push(await perform(action));
    const seconds = (performance.now() - begin) / 1000;
    total += seconds;
    parts.push(
      [`## ${index + 1}. ${title}`, `*${seconds.toFixed(1)} s*`, text, ...shown, after].filter(Boolean).join('\n\n'),
    );
  }
  return `# The first quarter of an hour

What somebody sees who has only this package and an empty folder: recorded by \`npm run docs:first-quarter-hour\` with Node.js
${process.version}, npm ${run({ run: 'npm -v', online: true }).split('\n').at(-2)} and ${process.platform}, on ${cpus().length} cores with a load of ${loadavg()[0].toFixed(0)}. Commands took ${total.toFixed(0)} seconds together; the rest of the quarter is for reading. [Getting
started](getting-started.md) is a tutorial to follow.

<!-- run: written by npm run docs:first-quarter-hour -->
${parts.join('\n\n')}
<!-- /run -->
`;
}

async function main() {
  await once(network.stdout, 'data');
  const pack = ['pack', '--silent', '--ignore-scripts', '--pack-destination', folder];
  const { status, stderr } = spawnSync('npm', pack, { cwd: ROOT, encoding: 'utf8' });
  if (status !== 0) throw new Error(stderr);
  writeFileSync(FILE, await record());
}

main().finally(() => {
  network.kill();
  server?.kill();
  rmSync(folder, { recursive: true, force: true });
});
