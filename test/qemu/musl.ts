/** Bun's build for musl, on Debian's musl: the second C library of Linux, with the same kernel and CPU. */
import { execFileSync } from 'node:child_process';
import { copyFileSync, existsSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { cache, fetched } from '../runtimes/stage';
import type { Place } from '../runtimes/suite';

const LOADER = '/lib/ld-musl-x86_64.so.1';
const GNU = ['/usr/lib/x86_64-linux-gnu/libstdc++.so.6', '/lib/x86_64-linux-gnu/libgcc_s.so.1'];

/** @returns why it cannot be had, or how it is run */
export function muslPlace(): Place | string {
  for (const file of [LOADER, ...GNU]) if (!existsSync(file)) return `${file} is missing`;
  try {
    const folder = join(cache, 'musl');
    mkdirSync(folder, { recursive: true });
    for (const file of GNU) copyFileSync(file, join(folder, file.slice(file.lastIndexOf('/') + 1)));
    const stub = ['-shared', '-fPIC', '-nostdlib', '-fno-stack-protector', '-w', join(__dirname, 'musl-stub.c')];
    execFileSync('cc', [...stub, '-o', join(folder, 'ld-linux-x86-64.so.2')], { stdio: 'pipe' });
    const bun = join(fetched('bun-musl', '@oven/bun-linux-x64-musl@1'), 'bin/bun');
    const command = ['env', `LD_LIBRARY_PATH=${folder}`, bun];
    return { label: 'x64 musl, Bun', command, libc: 'musl', on: 'native', seconds: 60 };
  } catch (error) {
    return String((error as { stderr?: unknown }).stderr ?? error).slice(0, 300);
  }
}
