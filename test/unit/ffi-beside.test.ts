/** koffi beside a bundle. That bundles find it is tested with real bundlers: test/packaging/bundlers.ts. */
import { copyFileSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { koffiBeside } from '../../src/ffi/beside';
import { type Koffi, loadKoffi } from '../../src/ffi/koffi';
import { addonPath } from '../../src/ffi/wait/pin';
import { hostPlatform } from '../../src/platform/index';

const script = process.argv[1];
let folder: string;

beforeEach(() => {
  folder = realpathSync(mkdtempSync(join(tmpdir(), 'recvfromto-beside-')));
  process.argv[1] = join(folder, 'app.js');
});
afterEach(() => {
  process.argv[1] = script as string;
  rmSync(folder, { recursive: true, force: true });
});

/** Windows has neither dladdr nor getpid. */
const onPosix = process.platform === 'win32' ? test.skip : test;

const installed = (): string => addonPath(loadKoffi(hostPlatform()));

onPosix("the addon's own path is a file of koffi's package", () => {
  expect(dirname(installed())).toMatch(/koffi/);
});

onPosix('koffi.node beside the script that was started is loaded, and calls C', () => {
  copyFileSync(installed(), join(folder, 'koffi.node'));
  const koffi = koffiBeside() as Koffi;
  expect(koffi.load(null).func('int getpid()')()).toBe(process.pid);
  expect(addonPath(koffi)).toBe(join(folder, 'koffi.node'));
});

test('what is no addon is an error, and not passed over', () => {
  writeFileSync(join(folder, 'koffi.node'), 'no addon');
  expect(koffiBeside).toThrow(/koffi\.node/);
});

onPosix('without it, the koffi of a node_modules above is taken', () => {
  const koffi = koffiBeside() as Koffi;
  expect(koffi.load(null).func('int getpid()')()).toBe(process.pid);
});
