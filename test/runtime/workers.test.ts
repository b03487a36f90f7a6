/** Environments that end while datagrams arrive. Linux only where descriptors are counted in /proc. */
import { existsSync } from 'node:fs';
import { compile, run } from './child';

const compiled = compile();
afterAll(() => compiled.remove());
jest.setTimeout(30_000);

const clean = { code: 0, signal: null, stderr: '' };

test('terminated while datagrams arrive', async () => {
  expect(await run(compiled.folder, 'stop.cjs', ['terminate', '10', '4'])).toEqual({ ...clean, stdout: '40\n' });
});

test('process.exit() in a worker while datagrams arrive', async () => {
  expect(await run(compiled.folder, 'stop.cjs', ['exit', '10', '4'])).toEqual({ ...clean, stdout: '40\n' });
});

test('process.exit() in the main thread while datagrams arrive in its workers', async () => {
  for (let i = 0; i < 5; i++) {
    expect(await run(compiled.folder, 'stop.cjs', ['main-exit', '1', '4'])).toEqual({ ...clean, stdout: '' });
  }
});

test('workers terminated where the main thread has not loaded koffi', async () => {
  expect(await run(compiled.folder, 'pin.cjs')).toEqual({ ...clean, stdout: 'done\n' });
});

const inProc = existsSync('/proc/self/fd') ? test : test.skip;

inProc('descriptors of terminated workers are closed, and no others', async () => {
  const outcome = await run(compiled.folder, 'scenario.cjs', ['descriptors']);
  expect(outcome).toEqual({ ...clean, stdout: '{"leaked":0}\n' });
});

inProc('descriptors of workers that end by themselves are closed once', async () => {
  const outcome = await run(compiled.folder, 'scenario.cjs', ['workerEnds']);
  // the second worker has left one open that is not ours: it must still be there
  expect(outcome).toEqual({ ...clean, stdout: '{"results":[0,1]}\n' });
});

inProc('Sockets in every state, terminated at any moment', async () => {
  const outcome = await run(compiled.folder, 'sockets.cjs', ['10', '3']);
  expect(outcome).toEqual({ ...clean, stdout: '{"leaked":0}\n' });
});
