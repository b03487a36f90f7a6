/** Under Node's permission model: what node:dgram may not do, we do not either, and what is lacking is named. */
import { compile, run } from './child';

const compiled = compile();
afterAll(() => compiled.remove());
jest.setTimeout(30_000);

async function opened(...flags: string[]) {
  const name = process.allowedNodeEnvironmentFlags.has('--permission') ? '--permission' : '--experimental-permission';
  const model = process.env.RECVFROMTO_TEST_NODE === undefined ? name : '--permission';
  const { stdout } = await run(compiled.folder, 'permission.cjs', [], [model, '--allow-fs-read=*', ...flags]);
  return JSON.parse(stdout) as { ours: { code: string; message?: string }; dgram: string };
}

test('with --allow-addons: as node:dgram, which older Node versions do not restrict', async () => {
  const { ours, dgram } = await opened('--allow-addons');
  expect(['opened', 'ERR_ACCESS_DENIED']).toContain(dgram);
  expect(ours.code).toBe(dgram);
});

test('without --allow-addons: the error says so, unless the network is what is missing', async () => {
  const { ours, dgram } = await opened();
  expect(ours.code).toBe(dgram === 'opened' ? 'ERR_RECVFROMTO_UNSUPPORTED_PLATFORM' : dgram);
  expect(ours.message).toContain(dgram === 'opened' ? '--allow-addons' : '--allow-net');
});
