/** V8's hidden classes: a thousand sockets of a thousand shapes cost twice as much per datagram as those of one. */
import { compile, run } from './child';

const compiled = compile();
afterAll(() => compiled.remove());

test('all sockets have one shape', async () => {
  const outcome = await run(compiled.folder, 'shapes.cjs', [], ['--allow-natives-syntax']);
  expect(outcome).toEqual({ code: 0, signal: null, stderr: '', stdout: '0 0\n' });
});
