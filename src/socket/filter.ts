/** Classic BPF for one socket: which datagrams it takes, and which socket of a group takes them. bpf(4), socket(7) */
import type { Channel } from '../datagram/channel';
import { invalidArgType, invalidArgValue } from '../errors';
import type { Option } from '../platform/settings';
import type { Instruction } from '../types';

export type Instructions = readonly Instruction[];

/** BPF_MAXINSNS of <linux/bpf_common.h> */
const MAX_INSTRUCTIONS = 4096;
/** The largest of each part of an instruction. */
const LARGEST = [0xffff, 0xff, 0xff, 0xffff_ffff] as const;

/** @throws ERR_INVALID_ARG_TYPE, ERR_INVALID_ARG_VALUE */
export function instructions(name: string, value: unknown): Instructions {
  if (!Array.isArray(value)) throw invalidArgType(name, 'an instance of Array', value);
  const program = Array.from(value, (one: unknown) => (Array.isArray(one) ? Array.from(one as number[]) : []));
  const valid = program.every(
    (one) => one.length === 4 && one.every((part, i) => Number.isInteger(part) && part >= 0 && part <= LARGEST[i]),
  );
  if (valid && program.length > 0 && program.length <= MAX_INSTRUCTIONS) return program as unknown as Instructions;
  throw invalidArgValue(name, value, 'must be 1 to 4096 instructions [code, jt, jf, k]');
}

/** SKF_AD_OFF + SKF_AD_CPU of <linux/filter.h>, loaded and returned: the number of the CPU that handles the datagram. */
const BY_CPU: Instructions = [
  [0x20, 0, 0, 0xffff_f000 + 36], // BPF_LD | BPF_W | BPF_ABS
  [0x16, 0, 0, 0], // BPF_RET | BPF_A
];

export function programOf(steering: 'cpu' | Instructions): Instructions {
  return steering === 'cpu' ? BY_CPU : steering;
}

/** setsockopt(2) with a struct sock_fprog. → 0 or -errno */
export function attach(channel: Channel, { level, name }: Option, program: Instructions): number {
  const { platform, syscalls } = channel.engine.host;
  const { sock_filter, sock_fprog } = platform.structs;
  const code = Buffer.alloc(program.length * sock_filter.size);
  program.forEach(([op, jt, jf, k], i) => {
    new sock_filter(code.subarray(i * sock_filter.size, (i + 1) * sock_filter.size), { code: op, jt, jf, k });
  });
  const fprog = new sock_fprog(Buffer.alloc(sock_fprog.size), {
    len: program.length,
    filter: syscalls.addressOf(code),
  });
  const result = channel.setBytes(level, name, fprog.ref());
  code.fill(0); // held until the kernel has copied it
  return result;
}
