/** test/compat's scenarios under Wine: each is played with node:dgram and with the built package, on the same Node. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync, readdirSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Difference } from '../compat/scenarios/deliberate';
import type { Scenarios } from '../compat/stage';

const FOLDER = join(__dirname, '../compat/scenarios');
const WORKER = join(__dirname, '../compat/worker.js');
const PACKAGE = join(__dirname, '../../dist/index.js');

type Transcripts = Record<string, string[]>;

/** Through a file: a synchronous write of more than 64 kB to a pipe hangs under Wine. */
async function play(module: string, file: string): Promise<Transcripts> {
  const path = join(tmpdir(), `transcripts-${process.pid}.json`);
  const fd = openSync(path, 'w');
  const child = spawn(process.execPath, ['--no-warnings', WORKER, module, file], {
    stdio: ['ignore', fd, fd],
    env: { ...process.env, RECVFROMTO_COMPAT_PATIENCE: '3000' },
  });
  const timer = setTimeout(() => child.kill('SIGKILL'), 50_000);
  await once(child, 'exit');
  clearTimeout(timer);
  closeSync(fd);
  return JSON.parse(readFileSync(path, 'utf8'));
}

/** Not compared, and why. */
const different: Readonly<Record<string, string>> = {
  // node:dgram reports it; on Windows it is WSAECONNRESET, which libuv ignores (src/win/udp.c), and we switch it off
  'a peer that is not there': "Wine passes Linux' ECONNREFUSED on",
  'async context of failures': "Wine passes Linux' ECONNREFUSED on",
  'what they show': '_handle.fd is the SOCKET; node:dgram has none on Windows',
  'by the symbol': '_handle.fd is the SOCKET; node:dgram has none on Windows',
  'a descriptor of another make': 'Windows has no descriptors of sockets',
  'a descriptor of the other family': 'Windows has no descriptors of sockets',
  'zones that are numbers, or no interface': 'an empty zone is none for libuv on Windows; Wine has its own errors',
  'memberships of one source': 'a zone may be the name of an interface; with libuv only a number on Windows',
};

/** node:dgram alone does not come to an end here with these, so there is nothing to compare with. */
const endless = new Set(['blocklists.js', 'cluster.js', 'process.js']);

const files = readdirSync(FOLDER).filter((name) => name.endsWith('.js'));
describe.each(files)('%s', (file) => {
  const { scenarios = {}, differences = {} } = require(join(FOLDER, file)) as {
    scenarios?: Scenarios;
    differences?: Record<string, Difference>;
  };
  const names = Object.keys(scenarios);
  if (names.length === 0 || endless.has(file)) {
    test.skip(names.length === 0 ? 'has no scenarios' : 'does not end under Wine', () => {});
    return;
  }
  let theirs: Transcripts;
  let ours: Transcripts;
  beforeAll(async () => {
    theirs = await play('node:dgram', file);
    ours = await play(PACKAGE, file);
  }, 120_000);

  for (const name of names) if (name in different) test.skip(`${name}: ${different[name]}`, () => {});

  test.each(names.filter((each) => !(each in different)))('%s', (name) => {
    expect(ours[name]).toEqual(differences[name]?.recvfromto ?? theirs[name]);
  });
});
