/**
 * recvfromto/register in processes of its own, on loopback addresses: programs that know nothing of it, of every shape
 * that is in the field. What real packages do with it is test/programs.
 */
import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import * as dgram from 'node:dgram';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

const ROOT = join(__dirname, '../..');
const script = (name: string) => join(__dirname, 'register', name);
const ASKED = ['127.0.0.1', '127.0.0.2', '127.7.7.7'];
/** Other loopback addresses than 127.0.0.1 are Linux's. */
const onLinux = process.platform === 'linux' ? describe : describe.skip;

const running: ChildProcessWithoutNullStreams[] = [];
afterEach(() => {
  for (const child of running.splice(0)) child.kill('SIGKILL');
});

/** Node with these arguments, from the package's own directory, where its name leads to itself. */
function node(argv: readonly string[], env: NodeJS.ProcessEnv = {}): ChildProcessWithoutNullStreams {
  const child = spawn(process.execPath, argv, { cwd: ROOT, env: { ...process.env, NODE_OPTIONS: '', ...env } });
  running.push(child);
  return child;
}

interface Started {
  readonly port: number;
  complaints(): string;
}

async function start(argv: readonly string[], env: NodeJS.ProcessEnv = {}): Promise<Started> {
  const child = node(argv, env);
  let complaints = '';
  child.stderr.setEncoding('utf8').on('data', (text) => {
    complaints += text;
  });
  const line = once(createInterface(child.stdout), 'line');
  const exit = once(child, 'close').then(([code]) => {
    throw new Error(`${argv.join(' ')} ended with ${code}\n${complaints}`);
  });
  const [port] = (await Promise.race([line, exit])) as [string];
  return { port: Number(port), complaints: () => complaints };
}

/** One client port asks all addresses at once. → which address each was answered from, sorted */
async function ask(port: number, asked: readonly string[] = ASKED): Promise<string[]> {
  const client = dgram.createSocket('udp4');
  const answers: string[] = [];
  client.bind(0, '127.0.0.1');
  await once(client, 'listening');
  await new Promise<void>((done) => {
    const timer = setTimeout(done, 5000); // what has not come by now is missing
    client.on('message', (msg, { address }) => {
      answers.push(`${msg} from ${address}`);
      if (answers.length < asked.length) return;
      clearTimeout(timer);
      done();
    });
    for (const address of asked) client.send(address, port, address);
  });
  client.close();
  return answers.sort();
}

/**
 * One that binds a socket on the server's port for each client, and connects it then, loses with node:dgram, too, what comes
 * between: it is asked at one address after the other.
 */
async function askAs(shape: string, port: number): Promise<string[]> {
  if (shape !== 'connectedPerClient') return ask(port);
  const answers: string[] = [];
  for (const address of ASKED) answers.push(...(await ask(port, [address])));
  return answers.sort();
}

const right = ASKED.map((address) => `${address} from ${address}`).sort();
const wrong = ASKED.map((address) => `${address} from 127.0.0.1`).sort();

onLinux('recvfromto/register', () => {
  const shapes = [
    'plain',
    'subclass',
    'inherits',
    'instanceOf',
    'bound',
    'captured',
    'optionsWithToString',
    'inheritedOptions',
    'bindNull',
    'late',
    'latePromise',
    'named',
    'withoutAddress',
    'socketPerTransfer',
    'connectedPerClient',
    'dual',
    'dualThenIPv4',
  ];

  test.each(shapes)('a program shaped like "%s" answers each address from itself', async (shape) => {
    const { port, complaints } = await start(['-r', 'recvfromto/register', script('shapes.cjs'), shape]);
    expect(await askAs(shape, port)).toEqual(right);
    expect(complaints()).toBe('');
  });

  test.each([
    'plain',
    'subclass',
    'late',
    'socketPerTransfer',
  ])('without it a program shaped like "%s" answers all from one address', async (shape) => {
    const { port } = await start([script('shapes.cjs'), shape]);
    expect(await ask(port)).toEqual(wrong);
  });

  test('a connected socket per client hears what its client sends next', async () => {
    const { port } = await start(['-r', 'recvfromto/register', script('shapes.cjs'), 'session']);
    const session = (address: string, begun: () => void) => {
      const client = dgram.createSocket('udp4');
      return new Promise<string[]>((done) => {
        const heard: string[] = [];
        client.on('message', (msg) => {
          if (heard.push(String(msg)) === 1) begun();
          if (heard.length < 3) client.send(address);
          else client.close(() => done(heard));
        });
        client.connect(port, address, () => client.send(address));
      });
    };
    // Not at once: the program's new socket hears whoever asks until it is connected, as with node:dgram.
    const clients: Promise<string[]>[] = [];
    for (const address of ['127.0.0.2', '127.0.0.3']) {
      await new Promise<void>((begun) => {
        clients.push(session(address, begun));
      });
    }
    const counted = (address: string) => [1, 2, 3].map((count) => `${address} ${count}`);
    expect(await Promise.all(clients)).toEqual([counted('127.0.0.2'), counted('127.0.0.3')]);
  });

  test.each(['-r', '--import'])('node %s reaches ESM programs, by name, default and namespace', async (how) => {
    const { port } = await start([how, 'recvfromto/register', script('namespace.mjs')]);
    expect(await ask(port)).toEqual(right);
  });

  test.each(['worker', 'fork', 'cluster'])('it is inherited by a %s', async (kind) => {
    for (const how of ['-r', '--import']) {
      const { port } = await start([how, 'recvfromto/register', script('offspring.cjs'), kind]);
      expect(await ask(port)).toEqual(right);
    }
  });

  test('NODE_OPTIONS can ask for it', async () => {
    const { port } = await start([script('shapes.cjs'), 'plain'], { NODE_OPTIONS: '--import recvfromto/register' });
    expect(await ask(port)).toEqual(right);
  });

  test('RECVFROMTO=off leaves node:dgram as it is', async () => {
    const env = { RECVFROMTO: 'off' };
    const { port, complaints } = await start(['-r', 'recvfromto/register', script('shapes.cjs'), 'plain'], env);
    expect(await ask(port)).toEqual(wrong);
    expect(complaints()).toBe('');
  });

  test('uninstall() puts node:dgram back, and sockets made before go on', async () => {
    const { port } = await start([script('undo.cjs')]);
    expect(await ask(port)).toEqual(right);
  });

  test('on an unsupported platform node:dgram stays, and one warning says so', async () => {
    const sunos = `data:text/javascript,Object.defineProperty(process,'platform',{value:'sunos'})`;
    const argv = ['--import', sunos, '--import', 'recvfromto/register', script('shapes.cjs'), 'plain'];
    const { port, complaints } = await start(argv);
    expect(await ask(port)).toEqual(wrong);
    expect(complaints().match(/node:dgram is left as it is: .*sunos/g)).toHaveLength(1);
  });

  test('a program that opens no socket ends as it does without', async () => {
    const child = node(['-r', 'recvfromto/register', '-e', '0']);
    expect(await once(child, 'close')).toEqual([0, null]);
  });
});
