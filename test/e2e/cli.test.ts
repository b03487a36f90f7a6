/**
 * The command as people run it: the built dist/cli/main.js in processes of their own, on ports that are free, with what
 * they print and their exit status. node:dgram plays the other side where ours would prove too little.
 */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import * as dgram from 'node:dgram';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { networkInterfaces } from 'node:os';
import { join } from 'node:path';

/** ms. Each test starts several processes; a busy machine takes its time for them. */
jest.setTimeout(30_000);

const ROOT = join(__dirname, '../..');
const MAIN = join(ROOT, 'dist/cli/main.js');
/** Everything below U+0020 but line ends, DEL, C1, and marks that turn text around. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: they are the point
const HARMFUL = /[\x00-\x09\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]/;
const EVIL = '\x1b]0;owned\x07\x1b[2J\u202e\u009b31m\r\nnext';

interface Outcome {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Whatever a test leaves behind is ended after it. */
const children = new Set<ChildProcess>();
const sockets = new Set<dgram.Socket>();
afterEach(() => {
  for (const child of children) child.kill('SIGKILL');
  children.clear();
  for (const socket of sockets) socket.close();
  sockets.clear();
});

beforeAll(() => {
  if (!existsSync(MAIN)) execFileSync('npm', ['run', 'build', '--silent'], { cwd: ROOT });
});

function start(args: readonly string[], node: readonly string[] = [], more: NodeJS.ProcessEnv = {}) {
  const env = { PATH: process.env.PATH, ...more };
  const child = spawn(process.execPath, [...node, MAIN, ...args], { env, stdio: ['ignore', 'pipe', 'pipe'] });
  children.add(child);
  const heard = { stdout: '', stderr: '' };
  for (const name of ['stdout', 'stderr'] as const) {
    child[name].setEncoding('utf8').on('data', (text) => {
      heard[name] += text;
    });
  }
  const outcome = once(child, 'close').then(([code]): Outcome => {
    children.delete(child);
    return { code, ...heard };
  });
  return { child, heard, outcome };
}

const run = (...args: string[]) => start(args).outcome;

/** `recvfromto serve` on a free port; ready to be asked. */
async function serving(...args: string[]) {
  const { child, heard, outcome } = start(['serve', '--port', '0', ...args]);
  const until = async (found: () => boolean) => {
    while (!found()) await once(child.stdout, 'data');
  };
  const last = args.includes('--json') ? /listening.*\n/ : args.includes('--quiet') ? /hello\n\n$/ : /TEXT\n/;
  await Promise.race([until(() => last.test(heard.stdout)), outcome]);
  const port = Number(/, port (\d+)$|"port":(\d+)/m.exec(heard.stdout)?.slice(1).find(Boolean));
  if (!port) throw new Error(`serve did not start: ${heard.stdout}${heard.stderr}`);
  const stop = (signal: NodeJS.Signals = 'SIGINT') => {
    child.kill(signal);
    return outcome;
  };
  return {
    child,
    port,
    banner: heard.stdout,
    until: (text: RegExp) => until(() => text.test(heard.stdout)),
    stop,
    outcome,
  };
}

async function bound(port: number, address: string, options: Partial<dgram.SocketOptions> = {}) {
  const socket = dgram.createSocket({ type: address.includes(':') ? 'udp6' : 'udp4', ...options });
  sockets.add(socket);
  socket.bind(port, address);
  await once(socket, 'listening');
  return socket;
}

const own = (address: string) =>
  bound(0, address).then(
    () => true,
    () => false,
  );
const lines = (text: string) => text.trimEnd().split('\n');

/** One line that says it, on stderr alone. */
function expectComplaint(outcome: Outcome, code: number, text: string | RegExp) {
  expect(outcome).toEqual({ code, stdout: '', stderr: expect.stringMatching(/^recvfromto.*: [^\n]*\n$/) });
  expect(outcome.stderr).toEqual(
    typeof text === 'string' ? expect.stringContaining(text) : expect.stringMatching(text),
  );
}

describe('recvfromto', () => {
  test('--version and --help', async () => {
    const asked = [['--version'], ['--help'], [], ['help'], ['send', '-h'], ['help', 'send']];
    const [version, ...helps] = await Promise.all(asked.map((args) => run(...args)));
    expect(version).toEqual({ code: 0, stdout: `${require('../../package.json').version}\n`, stderr: '' });
    for (const help of helps) {
      expect(help).toMatchObject({ code: 0, stderr: '' });
      expect(help.stdout).toMatch(/^Usage: recvfromto /);
    }
  });

  test('a wrong command line is one line on stderr, and 64', async () => {
    const wrong: [string[], string][] = [
      [['--foo'], "recvfromto: unknown option '--foo' (see recvfromto --help)"],
      [['serve', '--foo'], "recvfromto serve: unknown option '--foo' (see recvfromto serve --help)"],
      [['sevre'], "recvfromto: unknown command 'sevre'; did you mean serve? (see recvfromto --help)"],
      [['send', 'fe80::1', '9'], 'recvfromto send: fe80::1 is link-local: say on which interface'],
      [['probe', '53', '--protocol', 'smtp'], 'recvfromto probe: --protocol needs dns, ntp'],
      [['probe', '9', '--protocol', 'hex:abc'], 'recvfromto probe: hex: needs pairs of hexadecimal digits'],
    ];
    const outcomes = await Promise.all(wrong.map(([args]) => run(...args)));
    for (const [at, outcome] of outcomes.entries()) expectComplaint(outcome, 64, wrong[at]?.[1] as string);
  });
});

describe('serve and send', () => {
  test('each address answers from itself; a line tells it; the end sums it up', async () => {
    const addresses: string[] = [];
    for (const address of ['127.0.0.1', '127.0.0.2', '::1']) if (await own(address)) addresses.push(address);
    const server = await serving();
    for (const address of addresses) {
      expect(server.banner).toMatch(
        new RegExp(`^  IPv[46] .* npx recvfromto send [\\d.:]+ ${server.port} hello$`, 'm'),
      );
      const { code, stdout, stderr } = await run('send', address, String(server.port), `to ${address}`);
      expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
      expect(stdout).toMatch(new RegExp(`^"to ${address}" from ${address}#${server.port} in [\\d.]+ ms\n$`));
    }
    const { code, stdout, stderr } = await server.stop('SIGINT');
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    for (const address of addresses) {
      // from, to, interface, answered from, text
      expect(stdout).toMatch(new RegExp(`^\\S+#\\d+ +${address} +\\S+ +${address} +"to ${address}"$`, 'm'));
      expect(stdout).toMatch(new RegExp(`^ +1 +to ${address}$`, 'm'));
    }
    expect(stdout).toMatch(new RegExp(`^${addresses.length} datagrams? in `, 'm'));
  });

  test('host names, empty text, a link-local address with its zone', async () => {
    const server = await serving('--quiet');
    const linkLocal = Object.entries(networkInterfaces()).flatMap(([name, entries = []]) =>
      entries.filter(({ address }) => address.startsWith('fe80:')).map(({ address }) => `${address}%${name}`),
    );
    const hosts = ['localhost', '127.0.0.1', ...linkLocal.slice(0, 1)];
    const outcomes = await Promise.all(hosts.map((host) => run('send', host, String(server.port), '')));
    for (const { code, stdout } of outcomes) {
      expect(stdout).toMatch(/^"" from \S+ in/);
      expect(code).toBe(0);
    }
    if (linkLocal[0] !== undefined) expect(outcomes[2]?.stdout).toContain(` from ${linkLocal[0]}#${server.port} `);
  });

  test('--upper, --quiet and SIGTERM', async () => {
    const server = await serving('--upper', '--quiet');
    expect((await run('send', '127.0.0.1', String(server.port), 'grüße')).stdout).toMatch(/^"GRÜSSE" from/);
    const { code, stdout } = await server.stop('SIGTERM');
    expect(code).toBe(0);
    expect(stdout.slice(server.banner.length)).toMatch(/^\n1 datagram in .*\n {2}1 {2}to 127\.0\.0\.1\n$/);
  });

  test('--host limits it to one address', async () => {
    const server = await serving('--host', '127.0.0.1');
    expect(server.banner).toMatch(/answers on one address.*\n\n {2}IPv4 {2}127\.0\.0\.1#\d+ .*\n\n/);
    const taken = await run('serve', '--host', '127.0.0.1', '--port', String(server.port));
    expectComplaint(taken, 1, `port ${server.port} is in use by another program; choose another one with --port`);
  });

  test('what cannot be listened on is one line, and 1', async () => {
    // TEST-NET-3, RFC 5737: nobody has it
    expectComplaint(await run('serve', '--host', '203.0.113.7'), 1, 'it is no address of this host');
    expectComplaint(await run('serve', '--host', 'nobody.invalid'), 1, 'nobody.invalid');
  });

  test('--from chooses the source, and says why it cannot', async () => {
    const server = await serving();
    const port = String(server.port);
    const [good, foreign, mixed] = await Promise.all([
      run('send', '127.0.0.1', port, '--from', '127.0.0.1'),
      run('send', '127.0.0.1', port, '--from', '203.0.113.7'),
      run('send', '127.0.0.1', port, '--from', '::1'),
    ]);
    expect(good.code).toBe(0);
    expectComplaint(foreign, 1, 'cannot send from 203.0.113.7: it is no address of this host');
    expectComplaint(mixed, 1, 'cannot send from ::1 to 127.0.0.1: an IPv4 peer needs an IPv4 source');
    expect((await server.stop()).stdout).toMatch(/^127\.0\.0\.1#\d+ /m);
  });

  test('--count sends so many, and sums up', async () => {
    const server = await serving('--quiet');
    const { code, stdout } = await run('send', '127.0.0.1', String(server.port), '--count', '60');
    expect(code).toBe(0);
    expect(lines(stdout).at(-1)).toMatch(/^60 sent, 60 received, 0 lost, rtt min\/avg\/max [\d.]+\/[\d.]+\/[\d.]+ ms$/);
    expect(lines(stdout).length).toBeLessThanOrEqual(60 + 2);
  });

  test('no answer: 1, and of several as many as there were', async () => {
    const silent = await bound(0, '127.0.0.1');
    const port = String(silent.address().port);
    expectComplaint(
      await run('send', `127.0.0.1:${port}`, '--timeout', '50'),
      1,
      `no answer from 127.0.0.1#${port} within 50 ms`,
    );
    let heard = 0;
    silent.on('message', (msg, rinfo) => {
      if (++heard > 1) silent.send(msg, rinfo.port, rinfo.address);
    });
    const some = await run('send', '127.0.0.1', port, '--timeout', '500', '--count', '3');
    expect(some.code).toBe(1);
    expect(lines(some.stdout).at(-1)).toMatch(/^3 sent, 2 received, 1 lost, rtt /);
    expectComplaint(await run('send', 'nobody.invalid', port), 1, 'nobody.invalid');
  });

  test('a closed port is refused, and that is said at once', async () => {
    const gone = await bound(0, '127.0.0.1');
    const port = String(gone.address().port);
    sockets.delete(gone);
    await new Promise<void>((closed) => gone.close(() => closed()));
    const started = performance.now();
    const [text, json, chosen] = await Promise.all([
      run('send', '127.0.0.1', port, '--timeout', '30000'),
      run('send', '127.0.0.1', port, '--timeout', '30000', '--json'),
      run('send', '127.0.0.1', port, '--timeout', '30000', '--from', '127.0.0.1'),
    ]);
    for (const told of [text, chosen])
      expectComplaint(told, 1, `connection refused: no program listens on 127.0.0.1#${port}`);
    expect(lines(json.stdout).map((line) => JSON.parse(line).event)).toEqual(['refused', 'summary']);
    expect(performance.now() - started).toBeLessThan(20_000);
  });

  test('the text of a pipe or a file is sent, without the line end of echo; - sends every byte', async () => {
    const server = await serving('--quiet');
    const shell = async (command: string) => {
      const script = `main() { "${process.execPath}" "${MAIN}" send 127.0.0.1:${server.port} "$@"; }; ${command}`;
      const child = spawn('sh', ['-c', script], { stdio: ['ignore', 'pipe', 'inherit'] });
      children.add(child);
      let stdout = '';
      child.stdout.setEncoding('utf8').on('data', (text) => {
        stdout += text;
      });
      await once(child, 'close');
      return stdout.split(' from ')[0];
    };
    const sent: readonly [string, string][] = [
      ['echo piped | main', '"piped"'],
      ["printf 'two\\nlines\\n' | main", '"two\\nlines"'],
      ["printf 'raw\\n' | main -", '"raw\\n"'],
      [': | main', '""'],
      ['echo ignored | main told', '"told"'],
      ['main < /dev/null', '"hello"'],
      ['main <&-', '"hello"'],
    ];
    expect(await Promise.all(sent.map(([command]) => shell(command)))).toEqual(sent.map(([, text]) => text));
  });

  test('--json: a line for each event, on both sides', async () => {
    const server = await serving('--json');
    const { code, stdout } = await run('send', '127.0.0.1', String(server.port), 'grüße', '--json', '--count', '2');
    expect(code).toBe(0);
    const events = lines(stdout).map((line) => JSON.parse(line));
    const place = { address: '127.0.0.1', port: server.port };
    const same = { size: 7, text: 'grüße', base64: Buffer.from('grüße').toString('base64') };
    const answer = {
      event: 'answer',
      asked: place,
      from: place,
      expected: true,
      milliseconds: expect.any(Number),
      ...same,
    };
    const times = { min: expect.any(Number), avg: expect.any(Number), max: expect.any(Number) };
    const summary = { event: 'summary', sent: 2, received: 2, lost: 0, unexpected: 0, milliseconds: times };
    expect(events).toEqual([answer, answer, summary]);
    const ended = await server.stop();
    const served = lines(ended.stdout).map((line) => JSON.parse(line));
    expect(served[0]).toEqual({
      event: 'listening',
      port: server.port,
      addresses: expect.arrayContaining(['0.0.0.0']),
    });
    expect(served[1]).toEqual({
      event: 'datagram',
      from: { address: '127.0.0.1', port: expect.any(Number) },
      to: place,
      interface: expect.any(String),
      answeredFrom: '127.0.0.1',
      notAnswered: null,
      ...same,
    });
    expect(served.at(-1)).toEqual({
      event: 'summary',
      datagrams: 2,
      destinations: { '127.0.0.1': 2 },
      notAnswered: {},
      droppedByKernel: 0,
      milliseconds: expect.any(Number),
    });
  });

  test('--join: a group is heard, and one that cannot be joined is one line', async () => {
    const group = '239.255.53.11';
    const server = await serving('--join', `${group}@127.0.0.1`);
    const { code, stdout } = await run('send', group, String(server.port), '--from', '127.0.0.1', '--timeout', '400');
    expect({ code, stdout }).toEqual({ code: 0, stdout: expect.stringMatching(/^"hello" from 127\.0\.0\.1#/) });
    expect((await server.stop()).stdout).toMatch(new RegExp(`^127\\.0\\.0\\.1#\\d+ +${group} `, 'm'));
    expectComplaint(
      await run('serve', '--port', '0', '--join', `${group}@nosuch0`),
      1,
      `cannot join ${group}: no interface nosuch0`,
    );
  });

  test('FORCE_COLOR colours a pipe, NO_COLOR and pipes have none', async () => {
    const server = await serving('--quiet');
    const ask = (env: NodeJS.ProcessEnv) => start(['send', `127.0.0.1:${server.port}`], [], env).outcome;
    const [forced, none, plain] = await Promise.all([ask({ FORCE_COLOR: '1' }), ask({ NO_COLOR: '1' }), ask({})]);
    expect(forced.stdout.startsWith('\x1b[1m"hello"\x1b[22m from \x1b[32m127.0.0.1#')).toBe(true);
    for (const { stdout } of [none, plain]) expect(stdout).toMatch(/^"hello" from 127/);
  });

  test('Ctrl-C ends send, which has not lost what it did not wait for', async () => {
    const silent = await bound(0, '127.0.0.1');
    const { child, outcome } = start(['send', '127.0.0.1', String(silent.address().port), '--count', '9']);
    await once(silent, 'message');
    child.kill('SIGINT');
    expect(await outcome).toEqual({ code: 130, stdout: '0 sent, 0 received, 0 lost\n', stderr: '' });
  });
});

describe('an answer from another address than was asked', () => {
  test('is told as dig tells it, and is 2', async () => {
    const [asked, other] = [await bound(0, '127.0.0.1'), await bound(0, '127.0.0.1')];
    asked.on('message', (msg, { port, address }) => other.send(msg, port, address));
    const [a, b] = [asked.address().port, other.address().port];
    const { code, stdout, stderr } = await run('send', '127.0.0.1', String(a));
    expect(stderr).toBe(`recvfromto: answer from unexpected source 127.0.0.1#${b}, expected 127.0.0.1#${a}\n`);
    expect(stdout).toMatch(new RegExp(`^"hello" from 127\\.0\\.0\\.1#${b} in `));
    expect(code).toBe(2);
  });

  test('is what node:dgram gives on all addresses', async () => {
    if (!(await own('127.0.0.2'))) return;
    const server = await bound(0, '0.0.0.0');
    server.on('message', (msg, { port, address }) => server.send(msg, port, address));
    const { port } = server.address();
    const { code, stdout, stderr } = await run('send', '127.0.0.2', String(port), '--count', '2');
    expect(code).toBe(2);
    expect(stderr).toContain(`answer from unexpected source 127.0.0.1#${port}, expected 127.0.0.2#${port}`);
    expect(lines(stdout).at(-1)).toMatch(/^2 sent, 0 received, 2 lost, 2 from an unexpected source, rtt /);
  });
});

describe('groups', () => {
  test('a broadcast address is answered from an address, until the timeout', async () => {
    if (!(await own('127.255.255.255'))) return; // where the loopback has no broadcast
    const server = await serving('--quiet');
    const outcome = await run('send', '127.255.255.255', String(server.port), '--timeout', '500');
    expect(outcome).toMatchObject({ code: 0, stderr: '' });
    expect(outcome.stdout).toMatch(/^"hello" from 127\.0\.0\.1#/);
  });

  test('everybody in a multicast group may answer', async () => {
    const group = '239.255.53.9';
    const members = [await bound(0, '0.0.0.0', { reuseAddr: true })];
    const { port } = (members[0] as dgram.Socket).address();
    members.push(await bound(port, '0.0.0.0', { reuseAddr: true }));
    for (const [at, member] of members.entries()) {
      member.addMembership(group, '127.0.0.1');
      member.on('message', (_msg, from) => member.send(`member ${at}`, from.port, from.address));
    }
    const { code, stdout, stderr } = await run('send', group, String(port), '--from', '127.0.0.1', '--timeout', '500');
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(lines(stdout).map((line) => line.split(' from ')[0])).toEqual(
      expect.arrayContaining(['"member 0"', '"member 1"']),
    );
  });
});

describe('what comes from the network', () => {
  test('cannot do anything to the terminal', async () => {
    const server = await serving();
    const client = await bound(0, '127.0.0.1');
    for (const msg of [EVIL, Buffer.from([0x9b, 0x33, 0x31, 0x6d, 0xff, 0x00, 0x07]), 'x'.repeat(60_000)]) {
      client.send(msg, server.port, '127.0.0.1');
      await once(client, 'message');
    }
    client.on('message', (_msg, { port, address }) => client.send(EVIL, port, address));
    const asked = await run('send', '127.0.0.1', String(client.address().port));
    expect(asked.stdout).toContain('\\x1b]0;owned\\x07\\x1b[2J\\u{202e}');
    const { stdout } = await server.stop();
    expect(stdout).toContain('\\x9b31m\\xff\\x00\\x07');
    for (const output of [asked.stdout, stdout]) {
      expect(output).not.toMatch(HARMFUL);
      for (const line of lines(output)) expect(line.length).toBeLessThan(250);
    }
  });

  test('a flood becomes few lines, and the numbers are right', async () => {
    const server = await serving();
    const client = await bound(0, '127.0.0.1');
    let answers = 0;
    client.on('message', () => answers++);
    for (let burst = 0; burst < 40; burst++) {
      // one datagram after another is answered, so that no queue is ever full
      for (let n = 0; n < 10; n++) client.send('x', server.port, '127.0.0.1');
      while (answers < (burst + 1) * 10) await once(client, 'message');
    }
    const { stdout } = await server.stop();
    const shown = stdout.match(/^127\.0\.0\.1#.*$/gm)?.length ?? 0;
    const more = [...stdout.matchAll(/^… and ([\d,]+) more$/gm)].map(([, n]) => Number(n?.replace(',', '')));
    expect(shown).toBeLessThanOrEqual(50 * (more.length + 1));
    expect(more.length).toBeGreaterThan(0);
    expect(more.reduce((sum, n) => sum + n, shown)).toBe(400);
    expect(stdout).toMatch(/^400 datagrams in /m);
  });
});

describe('a reader who goes away', () => {
  test('ends serve, quietly', async () => {
    const server = await serving();
    const client = await bound(0, '127.0.0.1');
    server.child.stdout?.destroy();
    client.send('x', server.port, '127.0.0.1');
    expect(await server.outcome).toMatchObject({ code: 0, stderr: '' });
  });

  test('does not change what send and doctor found out', async () => {
    const silent = await bound(0, '127.0.0.1');
    const send = start(['send', '127.0.0.1', String(silent.address().port), '--timeout', '50', '--count', '2']);
    const doctor = start(['doctor']);
    for (const { child } of [send, doctor]) child.stdout.destroy();
    expect((await send.outcome).code).toBe(1);
    expect(await doctor.outcome).toMatchObject({ code: 0, stderr: '' });
  });
});

describe('probe', () => {
  const echo = async () => {
    const server = await bound(0, '0.0.0.0');
    server.on('message', (msg, { port, address }) => server.send(msg, port, address));
    return String(server.address().port);
  };

  test('finds that a server answers from elsewhere: 2', async () => {
    if (!(await own('127.0.0.2'))) return;
    const port = await echo();
    const [text, json] = await Promise.all([run('probe', port), run('probe', port, '--json')]);
    expect([text.code, json.code, text.stderr]).toEqual([2, 2, '']);
    expect(text.stdout).toMatch(/^ {2}127\.0\.0\.2 +127\.0\.0\.1 +✗ 127\.0\.0\.1 /m);
    expect(text.stdout).toContain('This server answers from other addresses than it is asked on');
    const facts = JSON.parse(json.stdout);
    expect(facts).toMatchObject({ port: Number(port), protocol: 'any', verdict: 'wrong', addressesNotAsked: 0 });
    expect(facts.answers[0]).toMatchObject({
      asked: '127.0.0.2',
      host: null,
      askedBy: '127.0.0.1',
      verdict: 'wrong',
      from: { address: '127.0.0.1', port: Number(port) },
      proves: true,
    });
  });

  test('finds that a server answers from where it is asked: 0', async () => {
    const server = await serving('--quiet');
    const { code, stdout } = await run('probe', String(server.port), '--protocol', 'hex:68 69');
    expect(code).toBe(0);
    expect(stdout).toMatch(/Every answer came from the asked address: \d+ of \d+\.\n$/);
    expect(stdout).not.toMatch(/✗/);
  });

  test('says of a right answer that proves nothing that it does not: 1', async () => {
    const port = await echo();
    const { code, stdout } = await run('probe', port, '127.0.0.1', '--from', '127.0.0.1');
    expect(stdout).toContain('(the kernel would do the same)');
    expect(stdout).toContain('There was no answer that proves anything.');
    expect(code).toBe(1);
  });

  test('asks again, takes only answers to its question, and says who listens nowhere', async () => {
    const server = await bound(0, '127.0.0.1');
    let asked = 0;
    server.on('message', (msg, { port, address }) => {
      if (++asked < 3) return;
      server.send(Buffer.concat([Buffer.from([msg[0]! ^ 1]), msg.subarray(1)]), port, address); // another identifier
      server.send(Buffer.concat([msg.subarray(0, 2), Buffer.from([0x80]), msg.subarray(3)]), port, address);
    });
    const port = String(server.address().port);
    const options = ['--protocol', 'dns', '--timeout', '200', '--tries', '4', '--json'];
    const facts = JSON.parse((await run('probe', port, '127.0.0.1', ...options)).stdout);
    expect(facts.answers[0]).toMatchObject({
      asked: '127.0.0.1',
      host: '127.0.0.1',
      verdict: 'right',
      says: 'NOERROR',
    });
    sockets.delete(server);
    await new Promise<void>((closed) => server.close(() => closed()));
    const gone = await run('probe', port, '127.0.0.1', ...options.slice(0, -1));
    expect(gone).toMatchObject({
      code: 1,
      stdout: expect.stringMatching(/– nobody listens\n\nNobody listens there\.\n$/),
    });
  });
});

describe('audit', () => {
  test('lists a socket that is bound to all addresses, with its program, and no other', async () => {
    if (!existsSync('/proc/net/udp')) {
      expectComplaint(await run('audit'), 1, "audit knows Linux' sockets only");
      return;
    }
    const open = await bound(0, '0.0.0.0');
    const one = await bound(0, '127.0.0.1');
    const [text, json] = await Promise.all([run('audit'), run('audit', '--json')]);
    expect([text.code, json.code]).toEqual([0, 0]);
    expect(text.stdout).toMatch(
      new RegExp(`^ {2}0\\.0\\.0\\.0#${open.address().port} +\\S.* \\(${process.pid}\\) `, 'm'),
    );
    const { sockets: found, otherSockets } = JSON.parse(json.stdout);
    const ports = found.map(({ port }: { port: number }) => port);
    expect(ports).toContain(open.address().port);
    expect(ports).not.toContain(one.address().port);
    expect(otherSockets).toBeGreaterThan(0);
    const mine = found.find(({ port }: { port: number }) => port === open.address().port);
    expect(mine.programs).toContainEqual({ pid: process.pid, name: expect.any(String) });
  });
});

describe('doctor', () => {
  test('proves each address of this machine, as a table', async () => {
    const { code, stdout, stderr } = await run('doctor');
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(stdout).toMatch(/^recvfromto \d+\.\d+\.\d+\n.* · Node\.js \d+/);
    const missing = Object.values(networkInterfaces())
      .flatMap((entries = []) => entries.map(({ address }) => address))
      .slice(0, 32)
      .filter((address) => !new RegExp(`^ +${address.replaceAll('.', '\\.')}(%\\S+)? +✓ itself `, 'm').test(stdout));
    expect(missing).toEqual([]);
    expect(stdout).toMatch(/\nAll is right with recvfromto here\.\n/);
  });

  test('--json says the same with keys', async () => {
    const { code, stdout } = await run('doctor', '--json');
    const facts = JSON.parse(stdout);
    expect(code).toBe(0);
    expect(facts).toMatchObject({ ok: true, problem: null, addressesNotAsked: expect.any(Number) });
    expect(Object.keys(facts).sort()).toEqual(
      [
        'addresses',
        'addressesNotAsked',
        'capabilities',
        'checks',
        'deep',
        'ok',
        'problem',
        'recvfromto',
        'system',
      ].sort(),
    );
    expect(Object.keys(facts.system)).toEqual(['os', 'release', 'arch', 'libc', 'runtime', 'koffi']);
    expect(facts.system.runtime).toEqual({ name: 'Node.js', version: process.versions.node });
    for (const one of facts.addresses) {
      expect(Object.keys(one).sort()).toEqual(
        ['address', 'askedBy', 'destination', 'dgram', 'dgramPredicted', 'interface', 'recvfromto', 'socket'].sort(),
      );
      expect(one.recvfromto).toEqual({ verdict: 'right', from: one.address });
      expect(['right', 'wrong']).toContain(one.dgram.verdict);
      expect(one.dgram.verdict === 'right').toBe(one.dgram.from === one.address);
      for (const { source, verdict } of one.dgramPredicted) {
        expect(await own(source)).toBe(true);
        expect(verdict).toBe(source === one.address ? 'right' : 'wrong');
      }
    }
    if (await own('127.0.0.2')) {
      const second = facts.addresses.filter(({ address }: { address: string }) => address === '127.0.0.2');
      expect(second.map(({ socket }: { socket: string }) => socket)).toEqual(
        facts.capabilities.dualStack ? ['udp4', 'dual'] : ['udp4'],
      );
      expect(second[0].dgram).toEqual({ verdict: 'wrong', from: '127.0.0.1' });
    }
    expect(facts.checks.map(({ name }: { name: string }) => name)).toEqual([
      'broadcast',
      'multicastIPv4',
      'multicastIPv6',
      'foreignSourceIPv4',
      'foreignSourceIPv6',
      'sizes',
      'metadataIPv4',
      'metadataIPv6',
    ]);
  });

  test('--deep tries the kernel itself, and what it does is no fault of anybody', async () => {
    const [text, json] = await Promise.all([run('doctor', '--deep'), run('doctor', '--deep', '--json')]);
    expect([text.code, json.code]).toEqual([0, 0]);
    expect(text.stdout).toMatch(/^ {2}[✓!·–] mapped-bound +\S/m);
    const { deep } = JSON.parse(json.stdout);
    expect(deep.length).toBeGreaterThan(20);
    for (const one of deep) {
      expect(Object.keys(one)).toEqual(['name', 'about', 'observed', 'detail', 'expected', 'result']);
      expect(one.observed !== null || one.result === 'not tried').toBe(true);
    }
    // Malformed messages are tried in processes of their own: here these have to come to something.
    const apart = deep.filter(({ name }: { name: string }) =>
      ['short-control', 'zero-tail', 'cut-message'].includes(name),
    );
    expect(apart.map(({ observed }: { observed: string | null }) => typeof observed)).toEqual([
      'string',
      'string',
      'string',
    ]);
  });

  test('finds a library that answers like node:dgram, or not at all', async () => {
    const library = JSON.stringify(join(ROOT, 'dist/index.js'));
    const broken = (reply: string) => {
      const script = `const { Socket } = require(${library}); const { reply } = Socket.prototype;
        Socket.prototype.reply = ${reply};`;
      return start(
        ['doctor', '--json'],
        [
          '--import',
          `data:text/javascript,${encodeURIComponent(`
        import { createRequire } from 'node:module'; const require = createRequire(${library}); ${script}`)}`,
        ],
      ).outcome;
    };
    const [sourceless, deaf] = await Promise.all([
      broken('function (msg, rinfo) { reply.call(this, msg, { ...rinfo, localAddress: undefined }); }'),
      broken('function () {}'),
    ]);
    const verdicts = ({ stdout }: Outcome) =>
      new Set(JSON.parse(stdout).addresses.map((one: { recvfromto: { verdict: string } }) => one.recvfromto.verdict));
    expect([sourceless.code, deaf.code]).toEqual([1, 1]);
    if (await own('127.0.0.2')) expect(verdicts(sourceless)).toContain('wrong');
    expect(verdicts(deaf)).toEqual(new Set(['silent']));
    expect(JSON.parse(deaf.stdout).checks).toContainEqual({
      name: 'sizes',
      result: 'fail',
      detail: '0 bytes are not answered',
    });
  });

  test('without koffi says so, everywhere', async () => {
    const [table, json] = await Promise.all([
      start(['doctor'], ['--no-addons']).outcome,
      start(['doctor', '--json'], ['--no-addons']).outcome,
    ]);
    expect([table.code, json.code]).toEqual([1, 1]);
    expect(table.stdout).toMatch(/ · without koffi\n\nrecvfromto does not work here: .*koffi.*\n$/);
    expect(JSON.parse(json.stdout)).toMatchObject({
      ok: false,
      problem: expect.stringContaining('koffi'),
      addresses: [],
    });
  });
});
