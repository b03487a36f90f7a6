/**
 * `npm run soak -- --minutes N [--seed N] [--json FILE] [--only KINDS] [--leak BYTES]`: many kinds of trouble at once, in a network
 * namespace of its own, and an account of every datagram and every callback. Ends by itself; ends with 1 where something is
 * not accounted for, was called twice, or grows. `--only sticky,blocked`: not all kinds. `--leak 0.2`: loses so many bytes of
 * malloc's per datagram, to see that it is found. docs/reliability.md has the figures of the last run.
 */
import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { Account } from './account';
import { Network } from './network';
import { Sampler } from './sampler';
import { kinds, runStorms } from './storms';

const INSIDE = 'RECVFROMTO_SOAK_INSIDE';

const { values } = parseArgs({
  options: {
    minutes: { type: 'string', default: '1' },
    seed: { type: 'string', default: '1' },
    json: { type: 'string' },
    only: { type: 'string', default: Object.keys(kinds).join() },
    leak: { type: 'string', default: '0' },
  },
});

/** The same again, where nothing can be broken but itself. */
function enterNamespace(): never {
  const unshare = process.getuid?.() === 0 ? ['-n'] : ['-rn'];
  const argv = [process.execPath, '--expose-gc', ...process.execArgv, ...process.argv.slice(1)];
  const env = { ...process.env, [INSIDE]: '1' };
  const { status, error } = spawnSync('unshare', [...unshare, ...argv], { stdio: 'inherit', env });
  if (error !== undefined) console.error(`soak needs unshare(1) of util-linux: ${error.message}`);
  process.exit(status ?? 1);
}

async function soak(): Promise<void> {
  const minutes = Number(values.minutes);
  if (!(minutes > 0)) throw new Error(`--minutes ${values.minutes}: a number of minutes, please`);
  const only = (values.only as string).split(',');
  const unknown = only.find((kind) => !(kind in kinds));
  if (unknown !== undefined) throw new Error(`--only ${unknown}: one of ${Object.keys(kinds)}, please`);
  const network = new Network();
  await new Promise((done) => setTimeout(done, 1000)); // until it is there
  const account = new Account();
  process.on('uncaughtException', (error) => account.wrong(`uncaught: ${error.stack}`));
  process.on('unhandledRejection', (error) => account.wrong(`unhandled: ${String(error)}`));
  const sampler = new Sampler(account, Number(values.leak));
  const until = Date.now() + minutes * 60_000;
  await runStorms({ network, account, seed: Number(values.seed), until, sampler }, only as (keyof typeof kinds)[]);
  network.end();
  const report = { minutes, ...account.verdict(), ...sampler.verdict() };
  console.log(JSON.stringify(report, undefined, 2));
  if (values.json !== undefined)
    writeFileSync(values.json, `${JSON.stringify({ ...report, series: sampler.series })}\n`);
  const failed = report.wrong.length > 0 || report.grows.length > 0;
  console.log(failed ? 'FAILED' : 'passed');
  process.exit(failed ? 1 : 0);
}

if (process.env[INSIDE] === undefined) enterNamespace();
void soak();
