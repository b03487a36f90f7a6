/** Nothing native is loaded before the first createSocket, and nothing is left of what was. */
import { lines, program } from '../support/program';

const native = `const native = () => Object.keys(require.cache).filter((path) => /node_modules.*koffi/.test(path)).length;`;
const REGISTER = ['-r', 'recvfromto/register'];

test('under register a program that never uses UDP loads nothing native', async () => {
  const ended = await program(`${native} say(native());`, { flags: REGISTER });
  expect(lines(ended)).toEqual(['0']);
});

test('under register neither does a worker', async () => {
  const ended = await program(
    `const { Worker } = require('node:worker_threads');
    const worker = new Worker(${JSON.stringify(`${native} require('node:worker_threads').parentPort.postMessage(native());`)},
      { eval: true });
    say((await once(worker, 'message'))[0]);
    await worker.terminate();`,
    { flags: REGISTER },
  );
  expect(lines(ended)).toEqual(['0']);
});

test('importing the package loads nothing native either', async () => {
  const ended = await program(`${native} require('recvfromto'); say(native());`);
  expect(lines(ended)).toEqual(['0']);
});

test('short-lived workers of a program under register come and go', async () => {
  const count = process.env.CHAOS_WORKERS ?? '240';
  const ended = await program(
    `const { Worker } = require('node:worker_threads');
    const count = ${count};
    const one = async (i) => {
      const worker = new Worker('setInterval(() => {}, 1000)', { eval: true });
      worker.on('error', () => {});
      await new Promise((done) => setTimeout(done, (i * 37) % 150)); // some 50 ms: that is when a preload loads koffi
      await worker.terminate();
    };
    const lane = async (first) => {
      for (let i = first; i < count; i += 4) await one(i);
    };
    await Promise.all([0, 1, 2, 3].map(lane));
    say('all', count);`,
    { flags: REGISTER, timeout: 300_000 },
  );
  expect(lines(ended)).toEqual([`all ${count}`]);
}, 300_000);
