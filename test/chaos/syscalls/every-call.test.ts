/**
 * Every errno at every call of a scenario, in turn; batches that come and go in part; control messages that are missing,
 * cut or noise. Whatever fails: each callback comes once, each datagram is accounted for, nothing is left open, nothing is
 * closed that is not ours, and the next socket of the same engine finds everything as it should be.
 */
import { linuxErrno } from '../../../src/platform/linux-errno';
import { CALLS, type CallName, type Fault, FaultyNet } from '../support/faulty';
import { report } from '../support/report';
import { type Lived, live } from '../support/scenario';
import { uncaughtDuring } from '../support/uncaught';

const ERRNOS = Object.entries(linuxErrno);

let lives = 0;
afterAll(() => report('errno at every call', { lives, errnos: ERRNOS.length, calls: CALLS.length }));

/** Lives once with this plan. → what is wrong with it, in words */
async function faults(plan: (name: CallName, index: number) => Fault | undefined): Promise<string[]> {
  const net = new FaultyNet();
  net.syscalls.plan = plan;
  lives++;
  let lived: Lived | undefined;
  const errors = await uncaughtDuring(async () => {
    lived = await live(net);
  });
  const thrown = errors.filter((error) => !dgramThrows(error)).map((error) => `threw ${(error as Error).stack}`);
  return lived === undefined ? thrown : [...thrown, ...verdict(net, lived)];
}

/** A buffer size asked for in the constructor that is refused: dgram throws where nobody can catch it. */
function dgramThrows(error: unknown): boolean {
  return (error as NodeJS.ErrnoException).code === 'ERR_SOCKET_BUFFER_SIZE';
}

function verdict(net: FaultyNet, { ledger, sockets, delivered, failedBind, ownership, healthy }: Lived): string[] {
  const wrong = [...ledger.wrong(failedBind), ...ownership];
  const sum = (name: 'datagramsIn' | 'datagramsOut' | 'sendErrors' | 'filtered' | 'discarded' | 'truncated') =>
    sockets.reduce((total, socket) => total + socket.stats()[name], 0);
  const out = sum('datagramsOut') + sum('sendErrors');
  if (out !== ledger.handed && !failedBind) wrong.push(`${ledger.handed} handed over, ${out} accounted for`);
  const known = delivered + sum('filtered') + sum('discarded');
  if (sum('datagramsIn') !== known) wrong.push(`${sum('datagramsIn')} received, ${known} accounted for`);
  if (net.syscalls.sockets.size > 0) wrong.push(`${net.syscalls.sockets.size} descriptors are left open`);
  if (net.host.readiness.watchers.size > 0) wrong.push(`${net.host.readiness.watchers.size} watchers are left`);
  if (!healthy) wrong.push('the next socket does not echo');
  return wrong;
}

/** The calls of the scenario without faults. */
async function calls(): Promise<readonly CallName[]> {
  const net = new FaultyNet();
  const lived = await live(net);
  expect(verdict(net, lived)).toEqual([]);
  expect(lived.errors).toEqual([]);
  return [...net.syscalls.made];
}

test('without faults all is well, and every call is made', async () => {
  expect(new Set(await calls())).toEqual(new Set(CALLS));
});

describe.each(CALLS)('%s', (name) => {
  test('fails with every errno, wherever it is called', async () => {
    const made = await calls();
    const found: string[] = [];
    for (const [index, call] of made.entries()) {
      if (call !== name) continue;
      for (const [code, errno] of ERRNOS) {
        const wrong = await faults((_, at) => (at === index ? { errno } : undefined));
        found.push(...wrong.map((text) => `${code} at call ${index}: ${text}`));
      }
    }
    expect(found.slice(0, 20)).toEqual([]);
  });

  test('goes on failing, with every errno', async () => {
    const found: string[] = [];
    for (const [code, errno] of ERRNOS) {
      const wrong = await faults((at) => (at === name ? { errno } : undefined));
      found.push(...wrong.map((text) => `${code}: ${text}`));
    }
    expect(found.slice(0, 20)).toEqual([]);
  });
});

const partial: Fault[] = [
  { short: 0 },
  { short: 1 },
  { short: 2 },
  { control: 'none' },
  { control: 'ctrunc' },
  { control: 'half' },
  { control: 'noise' },
  { name: 'none' },
  { name: 'unknown' },
];

test.each(partial.slice(1))('%j, always', async (fault) => {
  expect(await faults((name) => (name === 'recvmmsg' || name === 'sendmmsg' ? fault : undefined))).toEqual([]);
});

test.each(partial)('%j, once, at each call in turn', async (fault) => {
  const made = await calls();
  const found: string[] = [];
  for (const index of made.keys()) {
    if (made[index] !== 'recvmmsg' && made[index] !== 'sendmmsg') continue;
    found.push(
      ...(await faults((_, at) => (at === index ? fault : undefined))).map((text) => `call ${index}: ${text}`),
    );
  }
  expect(found).toEqual([]);
});

test('a descriptor that cannot be waited for: its bind fails, and nothing is left or taken away', async () => {
  const net = new FaultyNet();
  net.host.readiness.refuse = Object.assign(new Error('uv_poll_init EPERM'), { code: 'EPERM', errno: -1 });
  const lived = await live(net, () => {
    net.host.readiness.refuse = undefined;
  });
  expect(verdict(net, { ...lived, failedBind: true })).toEqual([]);
});
