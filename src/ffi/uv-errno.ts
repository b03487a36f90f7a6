import { getSystemErrorMap } from 'node:util';

/** Node makes a new map each time that it is asked. */
let numbers: Map<string, number> | undefined;

/** libuv's number for an error name: on Unix it is -errno, on Windows a number of libuv's own. */
export function uvErrno(name: string, otherwise: number): number {
  numbers ??= new Map([...getSystemErrorMap()].map(([number, [known]]) => [known, number]));
  return numbers.get(name) ?? otherwise;
}
