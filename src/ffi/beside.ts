/**
 * koffi for programs that were bundled. Bundlers take koffi's JavaScript in and leave its binary behind; a single
 * executable can require nothing but Node's own modules. So when `require('koffi')` has failed, this looks beside the
 * program: for `koffi.node`, and for a node_modules that has koffi (docs/bundling.md).
 */
import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import type { Koffi } from './koffi';

/** The binary changes with koffi's major version. */
const MAJOR = '3.';

/** Of this file, which an ES module does not tell; of the script; of the executable. */
function folders(): string[] {
  const here = typeof __dirname === 'string' ? [__dirname] : [];
  const script = process.argv[1] === undefined ? [] : [dirname(process.argv[1])];
  return [...new Set([...here, ...script, dirname(process.execPath)])];
}

/** @throws what dlopen(3) says; an Error where the binary is of another koffi */
function binary(file: string): Koffi {
  const module = { exports: {} as Koffi & { readonly version?: string } };
  process.dlopen(module, file);
  const { version } = module.exports;
  if (version?.startsWith(MAJOR)) return module.exports;
  throw new Error(`${file} is of koffi ${version}, and recvfromto needs koffi ${MAJOR}x`);
}

/** @returns undefined where there is nothing. @throws as binary(); what koffi throws that was found */
export function koffiBeside(): Koffi | undefined {
  const places = folders();
  const file = places.map((folder) => join(folder, 'koffi.node')).find((each) => existsSync(each));
  if (file !== undefined) return binary(file);
  for (const folder of places) {
    const near = createRequire(join(folder, 'koffi'));
    try {
      return near('koffi') as Koffi;
    } catch {
      // Not there, or no better than the one that did not load.
    }
  }
  return undefined;
}
