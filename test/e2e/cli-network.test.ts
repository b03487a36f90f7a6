/** What `probe` foresees for clients on the network is what clients on the network get. */
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import type { AnswerFact, Facts } from '../../src/cli/probe/facts';

const MAIN = join(__dirname, '../../dist/cli/main.js');
const NAMESPACE = ['--user', '--map-root-user', '--net', '--fork', '--kill-child'];

const tried = spawnSync('unshare', [...NAMESPACE, 'ip', 'link', 'set', 'lo', 'up'], { encoding: 'utf8' });
const why = tried.error?.message ?? (tried.status === 0 ? undefined : tried.stderr.trim());
/** With CI=true a machine without network namespaces is a failure. */
const maybe = why === undefined || process.env.CI === 'true' ? test : test.skip;

maybe(
  `predictions agree with what a client on another host sees${why === undefined ? '' : ` (${why})`}`,
  () => {
    const script = [join(__dirname, 'cli-network.sh'), MAIN, process.execPath];
    const { stdout, stderr } = spawnSync('unshare', [...NAMESPACE, 'bash', ...script], {
      encoding: 'utf8',
      timeout: 60_000,
    });
    const [here, there] = stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as Facts);
    if (here === undefined || there === undefined) throw new Error(stderr);
    const foreseen = here.answers.map(({ asked, predicted }) => {
      const one = predicted.find(({ network }) =>
        network.startsWith(asked.includes(':') ? 'fd00::/64' : '10.0.0.0/24'),
      );
      return [asked, one?.verdict, one?.source];
    });
    const seen = there.answers.map(({ asked, verdict, from }: AnswerFact) => [asked, verdict, from?.address]);
    expect(seen).toEqual(foreseen);
    expect(seen.slice(0, 3)).toEqual([
      ['10.0.0.1', 'right', '10.0.0.1'],
      ['10.0.0.7', 'wrong', '10.0.0.1'],
      ['10.1.0.1', 'wrong', '10.0.0.1'],
    ]);
    // A client on the server's own host sees it worse.
    expect(here.answers[0]).toMatchObject({ asked: '10.0.0.1', verdict: 'wrong' });
  },
  90_000,
);
