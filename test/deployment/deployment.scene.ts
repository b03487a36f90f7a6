/**
 * More than one machine, made of namespaces: the client asks one address all the time, a server dies in the middle, and
 * every answer comes from the address that was asked. Each scene (scenes/*.sh) begins with a server on node:dgram, whose
 * answers come from elsewhere: what is shown below is not the network's doing.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';

const ROOT = join(__dirname, '../..');
const NAMESPACES = ['--net', '--pid', '--mount', '--fork', '--kill-child', '--mount-proc'];

/** What ask.py saw. */
interface Seen {
  readonly sources: readonly string[];
  readonly names: Readonly<Record<string, number>>;
  readonly last: readonly string[];
  readonly asked: number;
  readonly lost: number;
  readonly gap_ms: number;
  readonly enough: boolean;
}

/** → standard output, line by line. @throws when the scene fails, with what it complained of */
async function scene(name: string): Promise<string[]> {
  const script = join(__dirname, 'scenes', `${name}.sh`);
  const child = spawn('unshare', [...NAMESPACES, 'bash', script], {
    cwd: ROOT,
    timeout: 80_000,
    killSignal: 'SIGKILL',
  });
  const text = { stdout: '', stderr: '' };
  for (const stream of ['stdout', 'stderr'] as const) {
    child[stream].setEncoding('utf8').on('data', (chunk) => {
      text[stream] += chunk;
    });
  }
  const [code] = await once(child, 'close');
  if (code !== 0) throw new Error(`${name}.sh ended with ${code}\n${text.stderr}\n${text.stdout}`);
  return text.stdout.trim().split('\n');
}

function seen(line: string | undefined): Seen {
  const all: Seen = JSON.parse(line ?? 'null');
  expect(all.enough).toBe(true);
  return all;
}

/** The longest silences, for docs/past-one-machine.md. */
const silences: string[] = [];
afterAll(() => console.log(silences.join('\n')));

function tell(what: string, { gap_ms, lost, asked }: Seen): void {
  silences.push(`${what}: ${gap_ms} ms without an answer, ${lost} of ${asked} requests lost`);
}

describe('one machine (SO_REUSEPORT, cluster)', () => {
  test('a process dies, another takes its place, and the client sees one address', async () => {
    const [plain, ...deaths] = (await scene('one-machine')).map(seen);
    expect(plain?.sources).toEqual(['192.0.2.2 port 5300']);
    expect(deaths).toHaveLength(2);
    for (const death of deaths) {
      expect(death.sources).toEqual(['192.0.2.3 port 5300']);
      expect(death.last).toEqual(['worker 1', 'worker 3', 'worker 4']);
    }
    tell('one machine, a socket for each process, one of three killed', deaths[0]!);
    tell('one machine, one socket for all processes, one of three killed', deaths[1]!);
  });
});

/** The client saw this address alone, and in the end the servers that are left. */
function throughout(what: string, all: Seen, address: string, last: string): void {
  expect(all.sources).toEqual([`${address} port 5300`]);
  expect(all.last).toEqual([`${last} as ${address}`]);
  tell(what, all);
}

describe('direct server return (nftables)', () => {
  test('answers go past the balancer, from the virtual address, with one server dead as well', async () => {
    const lines = await scene('direct-server-return');
    const [plain4, plain6, death4, death6] = lines.slice(0, 4).map(seen);
    expect(plain4?.sources).toEqual(['192.0.2.3 port 5300']);
    expect(plain6?.sources).toEqual(['2001:db8::3 port 5300']);
    throughout('direct server return, a server killed, IPv4', death4!, '192.0.2.10', 'b');
    throughout('direct server return, a server killed, IPv6', death6!, '2001:db8::10', 'b');
    expect(Object.keys(death4!.names)).toEqual(['a as 192.0.2.10', 'b as 192.0.2.10']);
    expect(lines.slice(4)).toEqual(['packets 0', 'packets 0']); // answers that the balancer saw
  });
});

describe('equal-cost routes (BIRD, BGP and BFD)', () => {
  test('a program that dies takes its route with it; a host that dies is missed; the address stays', async () => {
    const [plain4, plain6, program4, program6, host4, host6] = (await scene('ecmp')).map(seen);
    expect(plain4?.sources).toEqual(['198.51.100.2 port 5300']);
    expect(plain6?.sources).toEqual(['2001:db8:a::2 port 5300']);
    throughout('ECMP, a server killed, IPv4', program4!, '192.0.2.53', 'b');
    throughout('ECMP, a server killed, IPv6', program6!, '2001:db8::53', 'b');
    throughout('ECMP, a host frozen, IPv4', host4!, '192.0.2.53', 'a');
    throughout('ECMP, a host frozen, IPv6', host6!, '2001:db8::53', 'a');
  });
});

describe('an address that moves (keepalived, VRRP)', () => {
  test('it goes to the other host when the program dies, comes back, and never changes for the client', async () => {
    const [plain, away4, away6, back4, back6] = (await scene('vrrp')).map(seen);
    expect(plain?.sources).toEqual(['192.0.2.3 port 5300']);
    throughout('VRRP, the master killed, IPv4', away4!, '192.0.2.10', 'b');
    throughout('VRRP, the master killed, IPv6', away6!, '2001:db8::10', 'b');
    throughout('VRRP, the address comes back, IPv4', back4!, '192.0.2.10', 'a');
    throughout('VRRP, the address comes back, IPv6', back6!, '2001:db8::10', 'a');
  });
});

describe('DNS servers behind dnsdist', () => {
  test('on node:dgram none is up; registered both are, and one may die', async () => {
    const [plain, death] = (await scene('dnsdist')).map(seen);
    expect(plain?.names).toEqual({});
    expect(death?.sources).toEqual(['192.0.2.53 port 53']);
    expect(Object.keys(death?.names ?? {})).toEqual(['198.51.100.11', '198.51.100.12']);
    expect(death?.last).toEqual(['198.51.100.12']);
    tell('dnsdist, a server killed', death!);
  });
});
