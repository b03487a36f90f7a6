/** From the start of the process: to its end with nothing to do, with the import, and with a datagram received. */
import { timeOf } from '../children';
import type { Sample } from '../results';
import type { Subject, SubjectId } from '../subjects';
import type { Case, Context, Scenario } from './scenario';

const ROUNDS = 5;

const once = (socket: string) => `
  const s = ${socket}.createSocket('udp4', () => process.exit(0));
  s.bind(0, '127.0.0.1', () => s.send('x', s.address().port, '127.0.0.1'));`;

const native: Partial<Record<SubjectId, string>> = {
  bun: `const s = await Bun.udpSocket({ hostname: '127.0.0.1', socket: { data() { process.exit(0); } } });
    s.send('x', s.port, '127.0.0.1');`,
  deno: `const s = Deno.listenDatagram({ transport: 'udp', hostname: '127.0.0.1', port: 0 });
    s.send(new Uint8Array(1), s.addr); await s.receive(); Deno.exit(0);`,
};

/** Code that imports, and code that gets a datagram; builtins of a runtime need no import. */
function programs(subject: Subject): { imports: string | undefined; receives: string } {
  if (subject.source) {
    const load = 'require(new URL(process.env.RECVFROMTO_DIST).pathname)';
    return { imports: load, receives: once(load) };
  }
  const own = native[subject.id];
  if (own !== undefined) return { imports: undefined, receives: own };
  return { imports: "require('node:dgram')", receives: once("require('node:dgram')") };
}

async function run(subject: Subject, _cases: readonly Case[], { tools, dist, quick }: Context): Promise<Sample[]> {
  const { imports, receives } = programs(subject);
  const env = { ...process.env, RECVFROMTO_DIST: dist, NODE_OPTIONS: '', NO_COLOR: '1' };
  const time = (code: string) => timeOf(tools.pinned('server', [...subject.evaluate!, code]), env);
  const samples: Sample[] = [];
  for (let round = 0; round < (quick ? 1 : ROUNDS); round++) {
    const bareMs = await time('0');
    const importMs = imports === undefined ? bareMs : await time(imports);
    const firstDatagramMs = await time(receives);
    const metrics = { bareMs, importMs, firstDatagramMs, importOverBareMs: importMs - bareMs };
    samples.push({ case: 'startup', subject: subject.id, metrics });
  }
  return samples;
}

export const startup: Scenario = {
  name: 'startup',
  repetitions: 5,
  cases: [{ name: 'startup', quick: true, only: ['message', 'dgram', 'bun', 'deno'] }],
  run,
};
