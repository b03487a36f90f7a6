/** What a start costs, in what is loaded: times belong into the benchmark. */
import { execFileSync } from 'node:child_process';
import { join } from 'node:path';

const DIST = join(__dirname, '../../dist');

/** @param code runs after the import of `entry` */
function loaded(code = '', entry = 'index.js'): { files: string[]; builtins: string[] } {
  const program = `
    const before = new Set(process.moduleLoadList);
    const recvfromto = require(${JSON.stringify(join(DIST, entry))});
    ${code}
    const builtins = process.moduleLoadList.filter((name) => !before.has(name));
    process.stdout.write(JSON.stringify({ files: Object.keys(require.cache), builtins }));`;
  return JSON.parse(execFileSync(process.execPath, ['-e', program], { encoding: 'utf8' }));
}

const among = (builtins: string[], names: string[]) =>
  names.filter((name) => builtins.includes(`NativeModule ${name}`));

const SLOW = ['net', 'tty', 'stream', 'worker_threads', 'cluster', 'child_process', 'assert'];
/** They come with the first socket. */
const LATER = ['dns', 'perf_hooks'];

test('an import is three files, and neither koffi nor what of Node takes milliseconds', () => {
  const { files, builtins } = loaded();
  expect(files.filter((file) => !file.startsWith(DIST))).toEqual([]);
  expect(files.length).toBeLessThanOrEqual(3);
  expect(among(builtins, [...SLOW, ...LATER])).toEqual([]);
});

test('register, which many programs get that open no socket, is three files, and nothing of the platform', () => {
  const { files, builtins } = loaded('', 'register.js');
  expect(files.filter((file) => !file.startsWith(DIST))).toEqual([]);
  expect(files.length).toBeLessThanOrEqual(3);
  expect(among(builtins, [...SLOW, ...LATER])).toEqual([]);
});

test("a first socket is two files more, and koffi's binary without its JavaScript", () => {
  const { files, builtins } = loaded("recvfromto.createSocket('udp4').close();");
  const koffi = files.filter((file) => /node_modules/.test(file));
  expect(koffi.every((file) => /@koromix/.test(file))).toBe(true);
  expect(koffi.some((file) => file.endsWith('koffi.node'))).toBe(true);
  if (process.platform === 'linux') expect(files.length - koffi.length).toBeLessThanOrEqual(5);
  expect(among(builtins, SLOW)).toEqual([]);
});

test('the list of flags that Node makes when it is asked for it, in a millisecond, is not asked for', () => {
  const asked = `
    let asked = false;
    Object.defineProperty(process, 'allowedNodeEnvironmentFlags', { get: () => { asked = true; return new Set(); } });
    recvfromto.createSocket('udp4').close();
    if (asked) throw new Error('asked for');`;
  expect(() => loaded(asked)).not.toThrow();
});
