/**
 * node:ffi in koffi's place, in the Node 26 that test:compat has fetched (.nodes/26) or RECVFROMTO_TEST_NODE names. What
 * koffi can and node:ffi cannot: close what a terminated worker leaves open.
 */
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { compile, expectResult, run } from './child';

const fetched = join(__dirname, `../../.nodes/26/node_modules/node-linux-${process.arch}/bin/node`);
const node = process.env.RECVFROMTO_TEST_NODE ?? fetched;
const there = existsSync(node) && spawnSync(node, ['-e', "require('node:ffi')"]).status === 0;
const reason = `${node} is not there, or has no node:ffi: npm run test:compat fetches it`;
if (!there && process.env.RECVFROMTO_NEEDS_NODE_FFI === 'true') throw new Error(reason);
if (!there) console.warn(`test/runtime/node-ffi is skipped: ${reason}`);
const withNode = there ? test : test.skip;

const compiled = compile();
afterAll(() => compiled.remove());
jest.setTimeout(60_000);
process.env.RECVFROMTO_TEST_NODE = node;
process.env.RECVFROMTO_FFI = 'node';

withNode.each([
  ['exit', { datagrams: 1 }],
  ['idle', {}],
  ['gc', { datagrams: 5 }],
  ['refused', { results: [true, true, true], idle: 0, heard: true, error: true }],
  ['throwing', { seen: ['thrown 1', 'thrown 2', 'thrown 3'], datagrams: [3, 3] }],
  ['closeInside', { first: 1, others: true }],
  ['afterClose', { same: true, watched: 'EEXIST', heard: true }],
  ['events', { seen: [2, 1, 3], wrong: ['RangeError', 'RangeError', 'RangeError', 'TypeError'] }],
  ['reuse', { received: 1000, same: true }],
  ['numbers', { results: [true, true, true, true, true, true], others: true }],
  ['adopt', { results: ['EEXIST', 'EEXIST'], both: true, taken: ['EEXIST', true], hears: true, free: 0 }],
])('readiness: %s', async (name, result) => {
  expectResult(await run(compiled.folder, 'scenario.cjs', [name], ['--expose-gc']), result);
});

withNode.each([
  ['idle', {}],
  ['gc', { datagrams: 5 }],
  ['closeInside', { first: 1, others: true }],
  ['reuse', { received: 1000, same: true }],
])('readiness beside many sockets: %s', async (name, result) => {
  const crowded = { RECVFROMTO_CROWDED: '1' };
  expectResult(await run(compiled.folder, 'scenario.cjs', [name], ['--expose-gc'], crowded), result);
});

withNode('no koffi is loaded', async () => {
  const outcome = await run(compiled.folder, 'loading.cjs', ['index']);
  expectResult(outcome, { imported: false, inWorker: false, withSocket: false });
});

withNode('sockets answer from the address that was asked', async () => {
  const outcome = await run(compiled.folder, 'refused.cjs');
  expectResult(outcome, { heard: 100, from: ['127.0.0.2'], errors: [], refused: [] });
});

withNode.each(['terminate', 'exit'])('workers that receive end without a crash: %s', async (how) => {
  expectResult(await run(compiled.folder, 'stop.cjs', [how, '3', '3']), 9);
});

withNode('process.exit() in the main thread while datagrams arrive in its workers', async () => {
  const outcome = await run(compiled.folder, 'stop.cjs', ['main-exit', '1', '3']);
  expect(outcome).toEqual({ code: 0, signal: null, stderr: '', stdout: '' });
});

withNode('Sockets in every state, terminated at any moment: nothing crashes', async () => {
  const { stdout, ...outcome } = await run(compiled.folder, 'sockets.cjs', ['3', '3']);
  expect(outcome).toEqual({ code: 0, signal: null, stderr: '' });
  expect(JSON.parse(stdout)).toHaveProperty('leaked');
});
