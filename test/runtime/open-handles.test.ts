/** Jest's own search for what a test has left open: with all sockets closed it finds nothing of ours. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { compile } from './child';

const compiled = compile();
/** Outside of node_modules, where Jest finds no tests. */
const folder = mkdtempSync(join(tmpdir(), 'recvfromto-'));
afterAll(() => {
  compiled.remove();
  rmSync(folder, { recursive: true });
});
jest.setTimeout(60_000);

/** What Jest says of a test with this body. */
function detect(body: string): string {
  writeFileSync(join(folder, 'package.json'), '{"jest":{"testEnvironment":"node","transform":{}}}');
  writeFileSync(join(folder, 'some.test.js'), `test('a socket', async () => { ${body} });`);
  const cli = require.resolve('jest/bin/jest');
  const flags = ['--detectOpenHandles', '--forceExit', '--rootDir', folder, '--watchman=false'];
  const { stderr } = spawnSync(process.execPath, [cli, ...flags], { cwd: folder, encoding: 'utf8' });
  expect(stderr).toContain('1 passed');
  return stderr;
}

const bound = `
  const { createSocket } = require(${JSON.stringify(join(compiled.folder, 'index.js'))});
  const { once } = require('node:events');
  const socket = createSocket('udp4').bind(0, '127.0.0.1');
  await once(socket, 'listening');`;

test('no open handles are left by a socket that was closed', () => {
  const said = detect(`${bound} socket.close(); await once(socket, 'close');`);
  expect(said).not.toMatch(/open handle/);
});
