/** Real clusters whose workers share a port. What they have in common with node:dgram is test/compat's to show. */
import { existsSync } from 'node:fs';
import { compile, run } from './child';

const compiled = compile();
afterAll(() => compiled.remove());
jest.setTimeout(30_000);

const clean = { code: 0, signal: null, stderr: '' };
/** macOS has only 127.0.0.1, and its sockets are not counted in /proc. */
const onLinux = existsSync('/proc/self/fd') ? test : test.skip;

onLinux('workers answer from the address that was asked', async () => {
  const { stdout, ...ended } = await run(compiled.folder, 'cluster.cjs', ['answers']);
  expect(ended).toEqual(clean);
  const answers = ['127.0.0.1', '127.0.0.2', '127.9.8.7'].flatMap((address) =>
    ['first', 'second', 'third'].map((question) => `${question} to ${address}, from ${address}`),
  );
  expect(JSON.parse(stdout)).toEqual({ samePort: true, answers });
});

test('a worker that is busy has taken no datagrams that others could answer', async () => {
  const outcome = await run(compiled.folder, 'cluster.cjs', ['fair']);
  expect(outcome).toEqual({ ...clean, stdout: '{"answered":20,"inTime":true}\n' });
});

onLinux('a shared descriptor is closed in the worker and, after the last of them, in the primary', async () => {
  const outcome = await run(compiled.folder, 'cluster.cjs', ['descriptors']);
  expect(outcome).toEqual({ ...clean, stdout: '{"worker":0,"primary":0}\n' });
});
