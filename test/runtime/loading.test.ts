/** When koffi is loaded: with the first socket, and not before. Linux, where /proc tells. */
import { existsSync } from 'node:fs';
import { compile, run } from './child';

const compiled = compile();
afterAll(() => compiled.remove());
jest.setTimeout(30_000);

const inProc = existsSync('/proc/self/maps') ? test : test.skip;

inProc.each(['index', 'register'])(
  '%s loads nothing native before the first createSocket, in workers neither',
  async (entry) => {
    const outcome = await run(compiled.folder, 'loading.cjs', [entry]);
    const stdout = `${JSON.stringify({ imported: false, inWorker: false, withSocket: true })}\n`;
    expect(outcome).toEqual({ code: 0, signal: null, stderr: '', stdout });
  },
);
