import { getSystemErrorMap } from 'node:util';

/** libuv's number for an error name: on Unix it is -errno, on Windows a number of libuv's own. */
export function uvErrno(name: string, otherwise: number): number {
  for (const [number, [known]] of getSystemErrorMap()) if (known === name) return number;
  return otherwise;
}
