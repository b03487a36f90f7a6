/** System calls per datagram under a bounded load, counted by strace: the reason why batches are worth their code. */
import { load } from './clients';
import { Program, run, script } from './programs';
import type { Report } from './report';
import type { Line, Order } from './server';
import type { Client } from './topology';

const DATAGRAMS = 20_000;
const WINDOW = 64;
/** A batch of W costs 2/W calls a datagram; half a call a datagram means batches of four, which is far from that. */
const MOST = 0.5;
const TRACED = ['recvmmsg', 'sendmmsg', 'recvmsg', 'sendmsg', 'recvfrom', 'sendto', 'epoll_wait', 'epoll_pwait'];

export async function calls(report: Report, client: Client): Promise<void> {
  const { status } = await run([
    'strace',
    '-f',
    '--seccomp-bpf',
    '-qq',
    '-e',
    'trace=sendmsg',
    '-o',
    '/dev/null',
    'true',
  ]);
  if (status !== 0) return report.skip('system calls per datagram', 'strace may not trace here');
  for (const [subject, port] of [
    ['dgram', 5700],
    ['recvfromto', 5702],
  ] as const) {
    const { answered, seconds, counted } = await measure(client, subject, port);
    const sum = (names: readonly string[]) => names.reduce((all, name) => all + (counted.get(name) ?? 0), 0);
    const each = (names: readonly string[]) => (sum(names) / answered).toFixed(3);
    const moving = TRACED.filter((name) => !name.startsWith('epoll'));
    const detail = [...counted].map(([name, count]) => `${count} ${name}`).join(', ');
    report.note(
      `${subject}: ${each(moving)} system calls per datagram, in and out, and ${each(TRACED)} with epoll ` +
        `(${answered} answered in ${seconds.toFixed(1)} s under strace, ${WINDOW} in flight: ${detail})`,
    );
    if (subject === 'dgram') continue;
    report.check('every datagram of the load is answered', answered === DATAGRAMS, `${answered} of ${DATAGRAMS}`);
    report.check(`less than ${MOST} system calls per datagram`, sum(moving) / answered < MOST, detail);
    // A run of datagrams is one message, which leaves by sendmsg where it is alone; a few calls list interfaces (netlink).
    const single = sum(['recvmsg', 'sendmsg', 'recvfrom', 'sendto']);
    report.check('datagrams do not move one by one', single < DATAGRAMS / 10, detail);
  }
}

async function measure(client: Client, subject: Order['subject'], port: number) {
  const order: Order = { subject, listen: [{ shape: 'sockets', port }], quiet: true };
  const argv = ['-f', '--seccomp-bpf', '-qq', '-c', '-e', `trace=${TRACED.join()}`];
  const server = new Program<Line>('strace', [...argv, process.execPath, ...script('server.ts', order)]);
  await server.listening();
  const loaded = await load(client, '10.77.0.1', port, DATAGRAMS, WINDOW);
  return { ...loaded, counted: parse(await server.end()) };
}

/** Lines of strace -c: % time, seconds, usecs/call, calls, errors (may be empty), name. */
function parse(summary: string): Map<string, number> {
  const rows = summary.split('\n').map((line) => line.trim().split(/\s+/));
  return new Map(
    rows.flatMap((words) => (TRACED.includes(words.at(-1) ?? '') ? [[words.at(-1) ?? '', Number(words[3])]] : [])),
  );
}
