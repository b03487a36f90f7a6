/** A network in memory in processes of their own: nothing native is loaded, and nothing of it keeps them alive. */
import { compile, run } from './child';

const compiled = compile();
afterAll(() => compiled.remove());
jest.setTimeout(30_000);

/** → what it prints. Where it does not end by itself it is killed, and has no code. */
async function program(name: string): Promise<string[]> {
  const { stdout, ...outcome } = await run(compiled.folder, 'testing.cjs', [name]);
  expect(outcome).toEqual({ code: 0, signal: null, stderr: '' });
  return stdout.trimEnd().split('\n');
}

test('a closed network leaves nothing behind, and the process ends', async () => {
  expect(await program('closed')).toEqual(['query 10.0.0.7', 'left 0']);
});

test('koffi is not loaded, nor anything else that is native', async () => {
  expect(await program('unloaded')).toEqual(['query 10.0.0.7', 'native 0']);
});

test('it runs on a system that the package does not support', async () => {
  expect(await program('elsewhere')).toEqual(['query 10.0.0.7']);
});

test('a bound socket keeps the process alive, one that is unref’d does not', async () => {
  expect(await program('bound')).toEqual(['bound', 'still here']);
  expect(await program('unreffed')).toEqual(['bound']);
});

test("node:test's mock timers drive delays", async () => {
  expect(await program('mocked')).toEqual(['1 undefined', '0 query 10.0.0.7']);
});

test('in a worker of cluster a network is that worker’s alone', async () => {
  expect(await program('cluster')).toEqual(['worker 0']);
});
