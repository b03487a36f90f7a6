/** When koffi is loaded: with the first socket, and not before (Linux, where /proc tells), and once. */
import { cpSync, existsSync, mkdirSync, mkdtempSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
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

// Two koffis of one file in a process end it with the first error of either (docs/koffi.md).
describe('a program that uses koffi as well shares its binary with us', () => {
  const root = resolve(__dirname, '../..');
  const once = { code: 0, signal: null, stderr: '', stdout: 'koffi.node\n' };
  const withKoffi = process.env.RECVFROMTO_FFI === 'node' ? test.skip : test;

  withKoffi.each(['koffi', 'recvfromto'])('when %s comes first', async (first) => {
    expect(await run(compiled.folder, 'one-koffi.cjs', [first, root])).toEqual(once);
  });

  withKoffi.each(['koffi', 'recvfromto'])('when %s comes first, and the packages are symbolic links', async (first) => {
    const folder = mkdtempSync(join(tmpdir(), 'recvfromto-linked-'));
    mkdirSync(join(folder, 'node_modules'));
    for (const name of ['koffi', '@koromix', 'ref-struct-di', 'debug', 'ms'])
      symlinkSync(join(root, 'node_modules', name), join(folder, 'node_modules', name));
    const copied = join(folder, 'recvfromto');
    cpSync(compiled.folder, copied, { recursive: true });
    try {
      expect(await run(copied, 'one-koffi.cjs', [first, folder])).toEqual(once);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});
