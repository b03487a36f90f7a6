/** V8 forgets what nothing looks like any more: a server that was idle for a moment would run uncompiled. */
import { compile, run } from './child';

const compiled = compile();
afterAll(() => compiled.remove());

test('what is compiled for rinfos outlives a collection that finds none', async () => {
  const outcome = await run(compiled.folder, 'collected.cjs', [], ['--expose-gc', '--allow-natives-syntax']);
  expect(outcome).toEqual({ code: 0, signal: null, stderr: '', stdout: 'true\n' });
});
