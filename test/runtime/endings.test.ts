/** What leaves before a process ends, in each way in which it can: as with node:dgram, and all of a connected socket's. */
import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { compile, run } from './child';

const compiled = compile();
afterAll(() => compiled.remove());
jest.setTimeout(60_000);

const ENDINGS = [
  'exit',
  'an exit listener',
  'an exit listener after the natural end',
  'a beforeExit listener',
  'throw',
  'an unhandled rejection',
  'an uncaughtException listener',
  'a SIGTERM listener',
  'SIGTERM',
  'SIGKILL',
  'abort',
  'a long busy turn',
  'close',
  'the natural end',
] as const;

let sink: Socket;
beforeAll(async () => {
  sink = createSocket('udp4').bind(0, '127.0.0.1');
  await once(sink, 'listening');
});
afterAll(() => void sink.close());

/** What arrives from a process, and how it ended. @param argv what it is given, where it is to tell that port */
async function heardFrom(script: string, argv: (port: string) => readonly string[]) {
  const heard: string[] = [];
  const hear = (msg: Buffer) => heard.push(String(msg));
  sink.on('message', hear);
  const { port } = sink.address();
  const { code, signal, stderr } = await run(compiled.folder, script, argv(String(port)));
  // Loopback keeps the order: what the process has sent is here before this.
  sink.send('it has ended', port, '127.0.0.1');
  while (heard.at(-1) !== 'it has ended') await once(sink, 'message');
  sink.off('message', hear);
  return { heard: heard.slice(0, -1), code, signal, stderr };
}

/** What arrives from a process that ends so, and how it ended. */
async function lastWords(library: string, kind: string, ending: string) {
  const { stderr: _, ...ended } = await heardFrom('endings.cjs', (port) => [library, kind, port, ending]);
  return ended;
}

describe.each(ENDINGS)('%s', (ending) => {
  test('a connected socket loses none of its last words', async () => {
    const dgrams = await lastWords('node:dgram', 'connected', ending);
    // With dgram, close() forgets nothing that was sent by a connected socket either.
    expect(dgrams.heard).toEqual(['last', 'words']);
    for (const library of ['recvfromto', 'register']) {
      expect(await lastWords(library, 'connected', ending)).toEqual(dgrams);
    }
  });

  test('a socket that is not connected loses no more of them than with node:dgram', async () => {
    const dgrams = await lastWords('node:dgram', 'unconnected', ending);
    for (const library of ['recvfromto', 'register']) {
      const { heard, ...ended } = await lastWords(library, 'unconnected', ending);
      expect({ heard: heard.slice(0, dgrams.heard.length), ...ended }).toEqual(dgrams);
    }
  });
});

test.each([
  'node:dgram',
  'recvfromto',
  'register',
])('%s: a listener that ends the process takes no answer with it that was given before', async (library) => {
  const ended = await heardFrom('quit.cjs', (port) => [library, port]);
  expect(ended).toEqual({ heard: ['heard 1', 'heard 2', 'heard 3'], code: 0, signal: null, stderr: '' });
});

test('fake timers that are there before it is loaded: it hears and answers', async () => {
  const outcome = await run(compiled.folder, 'faked.cjs', [], ['--no-warnings']);
  expect(outcome).toEqual({ code: 0, signal: null, stdout: 'echo', stderr: '' });
});
