/** dgram's order of events, in the two ways that there are to keep it. */
import { compile, run } from './child';

const compiled = compile();
afterAll(() => compiled.remove());
jest.setTimeout(30_000);

async function order(library: string, flags: readonly string[] = []): Promise<string[]> {
  const { stdout, ...outcome } = await run(compiled.folder, 'order.cjs', [library], flags);
  expect(outcome).toEqual({ code: 0, signal: null, stderr: '' });
  return stdout.trimEnd().split('\n');
}

test.each([
  ["with Node's own function between two messages", [], 'one turn'],
  [
    'with a turn for each, where Node would warn of that',
    ['--pending-deprecation', '--throw-deprecation'],
    'a turn each',
  ],
])('%s', async (_, flags, way) => {
  const dgrams = await order('node:dgram');
  expect(dgrams).toContain('unhandled rejection');
  expect(dgrams.length).toBe(14);
  expect(await order('recvfromto', flags)).toEqual([...dgrams, way]);
});

test.each([
  [[]],
  [['--pending-deprecation']],
])('an exception of accept() is told of in the context of its socket %p', async (flags) => {
  const outcome = await run(compiled.folder, 'accept.cjs', [], flags);
  const stdout = 'uncaught accept in the context of the socket\n';
  expect(outcome).toEqual({ code: 0, signal: null, stderr: '', stdout });
});
