/**
 * By which cable does the answer leave? The client asks w0's address over the second cable, from the address it has on
 * the first one; the server's route back is the first cable, and it has another one over the second. 'route'
 * takes the first (what answers in networks with asymmetric routes need, P9), 'ingress' goes back where it came from.
 * The source is the asked address both times.
 */
import { ask, type Job } from './clients';
import { Program, script } from './programs';
import type { Report } from './report';
import type { Line, Order } from './server';
import type { Client } from './topology';
import type { Wire } from './wire';

const WAYS = [
  { replyInterface: 'route', port: 5600, leaves: 'v1' },
  { replyInterface: 'ingress', port: 5602, leaves: 'w1' },
] as const;

const ASKED = [
  { family: 4, to: '10.88.0.1', bind: '10.77.0.100' },
  { family: 6, to: 'fd88::1', bind: 'fd77::100' },
] as const;

export async function paths(report: Report, client: Client, wire: Wire): Promise<void> {
  for (const { replyInterface, port, leaves } of WAYS) {
    const order: Order = { subject: 'recvfromto', listen: [{ shape: 'sockets', port }], replyInterface };
    const server = new Program<Line>(process.execPath, script('server.ts', order));
    await server.listening();
    const jobs = ASKED.map(
      ({ family, to, bind }): Job => ({
        id: to,
        text: `${replyInterface} ${to}`,
        mode: 'unconnected',
        family,
        to,
        port,
        bind,
        patience: 5,
      }),
    );
    const heard = await ask(client, jobs);
    await server.end();
    await wire.settle();
    for (const { to } of ASKED) {
      const name = `replyInterface '${replyInterface}', asked ${to}`;
      const line = server.lines.find((one) => one.text === `${replyInterface} ${to}`);
      const seen = wire.answers(port, heard.get(to)?.port ?? 0).map(({ device, source }) => `${source} by ${device}`);
      report.check(`${name}: comes in by w0`, line?.destination?.interface === 'w0', line?.destination?.interface);
      report.check(`${name}: ${leaves}`, seen.join() === `${to} by ${leaves}`, `answers: [${seen.join(', ')}]`);
      report.check(`${name}: answered`, heard.get(to)?.answer === `re:${replyInterface} ${to}`, 'no answer');
    }
  }
}
