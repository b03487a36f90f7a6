/** Classic BPF as Linux runs it for sockets: the few instructions that tests use. What is unknown is refused when it is attached. */

export interface Instruction {
  readonly code: number;
  readonly jt: number;
  readonly jf: number;
  readonly k: number;
}

const LOADS: Readonly<Record<number, number>> = { 32: 4, 40: 2, 48: 1 };
const JUMPS: Readonly<Record<number, (a: number, k: number) => boolean>> = {
  21: (a, k) => a === k,
  37: (a, k) => a > k,
  53: (a, k) => a >= k,
  69: (a, k) => (a & k) !== 0,
};
const RET_K = 0x06;
const RET_A = 0x16;
const MOD_K = 0x94;
/** SKF_AD_OFF: what is loaded from there is about the packet. <linux/filter.h> */
const ABOUT = 0xffff_f000;

/** bpf_check_classic: known instructions, jumps that stay inside, a return at the end. */
export function isValid(program: readonly Instruction[]): boolean {
  const last = program.at(-1);
  return (
    (last?.code === RET_K || last?.code === RET_A) &&
    program.every(
      ({ code, jt, jf }, at) =>
        [RET_K, RET_A, MOD_K].includes(code) ||
        code in LOADS ||
        (code in JUMPS && at + 1 + Math.max(jt, jf) < program.length),
    )
  );
}

/** → what it returns: bytes to be kept of a datagram, or the number of a socket. 0 where it loads from behind the end */
export function run(program: readonly Instruction[], bytes: Buffer): number {
  let a = 0;
  for (let at = 0; ; at++) {
    const { code, jt, jf, k } = program[at]!;
    if (code === RET_K) return k;
    if (code === RET_A) return a;
    if (code === MOD_K) a %= k;
    else if (code in JUMPS) at += JUMPS[code]!(a, k) ? jt : jf;
    else if (k >= ABOUT)
      a = 0; // the CPU: there is one
    else if (k + LOADS[code]! > bytes.length) return 0;
    else a = bytes.readUIntBE(k, LOADS[code]!);
  }
}
