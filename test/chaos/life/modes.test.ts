/** Node started in other ways: it works as it does without, or says clearly why it cannot. */
import { cpSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { library, lines, node, program, ROOT } from '../support/program';

const directory = mkdtempSync(join(tmpdir(), 'recvfromto-modes-'));
afterAll(() => rmSync(directory, { recursive: true, force: true }));

const [major] = process.versions.node.split('.').map(Number) as [number];
const PERMISSION = major >= 23 ? '--permission' : '--experimental-permission';

/** One datagram there and back. */
const echo = `
  const s = await bound(createSocket('udp4'));
  const c = createSocket('udp4');
  s.on('message', (msg, rinfo) => s.reply(msg, rinfo));
  c.send('hello', s.address().port, '127.0.0.1');
  const [msg] = await once(c, 'message');
  s.close();
  c.close();
`;

test.each([
  ['--jitless'],
  ['--frozen-intrinsics'],
  ['--disallow-code-generation-from-strings'],
  ['--disable-proto=delete'],
  ['--disable-proto=throw'],
  ['--no-experimental-global-navigator'],
  ['--throw-deprecation'],
  ['--pending-deprecation'],
  ['--preserve-symlinks'],
  ['--unhandled-rejections=strict'],
  ['--stack-size=200'],
  ['--max-old-space-size=32'],
])('%s: datagrams come and go', async (flag) => {
  if (!process.allowedNodeEnvironmentFlags.has(flag.split('=')[0] as string) && /experimental/.test(flag)) return;
  const ended = await program(`${library} ${echo} say(msg);`, { flags: [flag] });
  expect(lines(ended)).toEqual(['hello']);
});

test('the permission model without addons: a clear error, at createSocket and not before', async () => {
  const ended = await program(
    `const { createSocket } = require('recvfromto');
    try {
      createSocket('udp4');
    } catch (error) {
      say(error.code, /--allow-addons/.test(error.message));
    }`,
    { flags: [PERMISSION, '--allow-fs-read=*'] },
  );
  expect(lines(ended)).toEqual(['ERR_RECVFROMTO_UNSUPPORTED_PLATFORM true']);
});

const allowsNet = process.allowedNodeEnvironmentFlags.has('--allow-net');

test('the permission model with addons: datagrams come and go, or the network is asked for', async () => {
  const flags = [PERMISSION, '--allow-fs-read=*', '--allow-addons'];
  const refused = await program(`${library} try { ${echo} say(msg); } catch (error) { say(error.code); }`, {
    flags: [...flags, '--no-warnings'],
  });
  expect(lines(refused)).toEqual([allowsNet ? 'ERR_ACCESS_DENIED' : 'hello']);
  if (!allowsNet) return;
  const granted = await program(`${library} ${echo} say(msg);`, { flags: [...flags, '--allow-net', '--no-warnings'] });
  expect(lines(granted)).toEqual(['hello']);
});

test('--no-addons: a clear error', async () => {
  const ended = await program(
    `try { require('recvfromto').createSocket('udp4'); } catch (error) { say(error.code, /--no-addons/.test(error.message)); }`,
    { flags: ['--no-addons'] },
  );
  expect(lines(ended)).toEqual(['ERR_RECVFROMTO_UNSUPPORTED_PLATFORM true']);
});

test('under a limit of descriptors EMFILE is an error of the socket, and what is freed can be used again', async () => {
  const ended = await program(
    `${library}
    const open = [];
    let failed;
    while (failed === undefined && open.length < 200) {
      const s = createSocket('udp4');
      s.on('error', (error) => { failed = error; });
      s.bind(0, '127.0.0.1');
      await Promise.race([new Promise((done) => s.once('listening', done)), when(() => failed !== undefined, 500)]);
      if (failed === undefined) open.push(s);
    }
    say(failed.code, open.length > 5);
    for (const s of open.splice(0, 5)) s.close();
    await turns(5);
    const again = await bound(createSocket('udp4'));
    again.send('x', again.address().port, '127.0.0.1');
    await once(again, 'message');
    say('heard');
    process.exit(0);`,
    { under: ['sh', '-c', 'ulimit -n 60; exec "$0" "$@"'] },
  );
  expect(lines(ended)).toEqual(['EMFILE true', 'heard']);
});

test('under a limit of descriptors a promise rejects, and nothing ends the process', async () => {
  const ended = await program(
    `const { openSync } = require('node:fs');
    const { createSocket } = require('recvfromto/promises');
    const [first, second] = [createSocket('udp4'), createSocket('udp4')];
    await first.bind();
    const to = [first.address().port, '127.0.0.1'];
    const open = [];
    try { for (;;) open.push(openSync('/dev/null')); } catch {}
    for (const ask of [() => second.send('x', ...to), () => second.connect(...to), () => second.bind()]) {
      say(await ask().catch((error) => error.code));
    }
    for (const fd of open.splice(0, 5)) require('node:fs').closeSync(fd);
    say(await second.send('x', ...to).catch((error) => error.code));
    process.exit(0);`,
    { under: ['sh', '-c', 'ulimit -n 60; exec "$0" "$@"'] },
  );
  expect(lines(ended)).toEqual(['EMFILE', 'EMFILE', 'EMFILE', '1']);
});

test('two copies of the package live beside each other, and register leaves one in charge', async () => {
  const copy = join(directory, 'copy');
  cpSync(join(ROOT, 'dist'), join(copy, 'dist'), { recursive: true });
  cpSync(join(ROOT, 'package.json'), join(copy, 'package.json'));
  symlinkSync(join(ROOT, 'node_modules'), join(copy, 'node_modules'));
  const ended = await program(`
    const warnings = [];
    process.on('warning', (warning) => warnings.push(warning.name));
    const [one, other] = [require('recvfromto'), require(${JSON.stringify(copy)})];
    say(one !== other);
    require('recvfromto/register');
    require(${JSON.stringify(join(copy, 'dist/register.js'))});
    const sockets = [one.createSocket('udp4'), other.createSocket('udp4'), dgram.createSocket('udp4')];
    for (const s of sockets) {
      await bound(s);
      s.on('message', (msg, rinfo) => s.send(msg, rinfo.port, rinfo.address));
    }
    const client = one.createSocket('udp4');
    for (const s of sockets) {
      client.send('x', s.address().port, '127.0.0.1');
      say((await once(client, 'message'))[1].port === s.address().port);
    }
    for (const s of [...sockets, client]) s.close();
    await turns(3);
    say(warnings.length);
  `);
  expect(lines(ended)).toEqual(['true', 'true', 'true', 'true', '0']);
});

test('the package is loaded again and again: no warning, no descriptor is left', async () => {
  const ended = await program(
    `const warnings = [];
    process.on('warning', (warning) => warnings.push(warning.name));
    const count = () => require('node:fs').readdirSync('/proc/self/fd').length;
    let before;
    for (let i = 0; i < 40; i++) {
      for (const path of Object.keys(require.cache)) if (path.includes('/dist/')) delete require.cache[path];
      const { createSocket } = require('recvfromto');
      const s = await bound(createSocket('udp4'));
      s.send('x', s.address().port, '127.0.0.1');
      await once(s, 'message');
      await new Promise((done) => s.close(done));
      if (i === 5) before = count();
    }
    say(count() - before <= 1, warnings.length);
    process.exit(0);`,
  );
  expect(lines(ended)).toEqual(['true 0']);
});

/** Node's V8 gives up (SIGTRAP) on a native addon in the heap that is to be written; an error at createSocket would not. */
test('a start-up snapshot cannot hold an open library, and createSocket says so', async () => {
  const entry = join(directory, 'snapshot.cjs');
  writeFileSync(
    entry,
    `const { createRequire } = require('node:module');
    const { createSocket } = createRequire(${JSON.stringify(join(ROOT, 'package.json'))})('recvfromto');
    try { createSocket('udp4'); } catch (error) { console.log(error.code); }`,
  );
  const ended = await node(['--build-snapshot', entry, '--snapshot-blob', join(directory, 'blob')], { cwd: directory });
  expect(lines(ended)).toEqual(['ERR_RECVFROMTO_UNSUPPORTED_PLATFORM']);
});

test('what a start-up snapshot holds of it before a socket is made does no harm', async () => {
  const entry = join(directory, 'imported.cjs');
  writeFileSync(
    entry,
    `const { createRequire } = require('node:module');
    globalThis.recvfromto = createRequire(${JSON.stringify(join(ROOT, 'package.json'))})('recvfromto');`,
  );
  const blob = join(directory, 'imported.blob');
  const built = await node(['--snapshot-blob', blob, '--build-snapshot', entry], { cwd: directory });
  expect(built.signal).toBeNull();
});
