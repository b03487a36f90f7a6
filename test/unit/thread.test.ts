/** Which thread is told without node:worker_threads: does this Node still mark what its workers may not call? */
import { once } from 'node:events';
import { join } from 'node:path';
import { isMainThread, Worker } from 'node:worker_threads';
import { isMainThread as told } from '../../src/ffi/thread';

test('this thread', () => {
  expect(told()).toBe(isMainThread);
});

/** The compiler has no binary in the Windows that is staged for Wine. */
const onPosix = process.platform === 'win32' ? test.skip : test;

onPosix('a worker', async () => {
  const { transformFileSync } = require('@swc/core') as typeof import('@swc/core');
  const { code } = transformFileSync(join(__dirname, '../../src/ffi/thread.ts'), {
    swcrc: false,
    jsc: { parser: { syntax: 'typescript' }, target: 'es2022' },
    module: { type: 'commonjs' },
  });
  const worker = new Worker(`${code}; require('node:worker_threads').parentPort.postMessage(isMainThread());`, {
    eval: true,
  });
  expect(await once(worker, 'message')).toEqual([false]);
});
