/** The machine and the programs, for the head of a bug report. */
import { arch, release, type } from 'node:os';
import { versions } from '../../ffi/versions';
import type { System } from './facts';

export function system(): System {
  const { koffi, libc } = versions();
  return { os: type(), release: release(), arch: arch(), libc: libc ?? null, runtime: runtime(), koffi: koffi ?? null };
}

function runtime(): System['runtime'] {
  const { bun, deno, node = '' } = process.versions as Record<string, string | undefined>;
  if (bun !== undefined) return { name: 'Bun', version: bun };
  if (deno !== undefined) return { name: 'Deno', version: deno };
  return { name: 'Node.js', version: node };
}
