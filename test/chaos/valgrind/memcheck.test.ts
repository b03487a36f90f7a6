/**
 * A short run under valgrind's memcheck, with an interpreter in V8's place of machine code: nothing reads or writes beside its
 * memory, and no system call of ours is handed bytes that nobody has written.
 */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { node, ROOT } from '../support/program';
import { report } from '../support/report';

const directory = mkdtempSync(join(tmpdir(), 'recvfromto-valgrind-'));
afterAll(() => rmSync(directory, { recursive: true, force: true }));

/** It takes a minute, and CI's other checkers see most of it: asked for by CHAOS_VALGRIND=1. */
const wanted = process.env.CHAOS_VALGRIND === '1';
const there = wanted && spawnSync('valgrind', ['--version']).status === 0;
if (wanted && !there) throw new Error('CHAOS_VALGRIND=1, and no valgrind');
const testing = there ? test : test.skip;

const log = join(directory, 'log');

interface Complaint {
  readonly what: string;
  readonly stack: string;
}

/** valgrind's blocks: a line that says what, and the stack below it. */
function complaints(): Complaint[] {
  const blocks = readFileSync(log, 'utf8')
    .replace(/^==\d+== ?/gm, '')
    .split(/\n\s*\n/);
  return blocks
    .map((block) => block.trim().split('\n'))
    .filter((all) => all.some((line) => /^\s+(at|by) 0x/.test(line)))
    .map(([what = '', ...stack]) => ({ what, stack: stack.join('\n') }));
}

testing(
  'memcheck has nothing to say of what goes to libc',
  async () => {
    const ended = await node(['--jitless', '--expose-gc', join(ROOT, 'test/chaos/programs/traffic.cjs'), '24000'], {
      under: ['valgrind', `--log-file=${log}`, '--error-limit=no', '--leak-check=no'],
      timeout: 550_000,
    });
    expect(ended).toMatchObject({ code: 0, signal: null });
    const all = complaints();
    const { datagrams } = JSON.parse(ended.stdout) as { datagrams: number };
    report('datagrams under memcheck', { datagrams, complaints: all.length });
    expect(all.filter(({ what }) => /^Invalid (read|write|free)/.test(what))).toEqual([]);
    expect(all.filter(({ what }) => /^Syscall param/.test(what))).toEqual([]);
    // V8 itself looks through its stack for pointers, whatever stands there; nothing of that kind is ours.
    expect(all.filter(({ stack }) => /koffi/.test(stack))).toEqual([]);
    expect(datagrams).toBeGreaterThan(100);
  },
  600_000,
);
