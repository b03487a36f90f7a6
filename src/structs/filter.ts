/** Classic BPF, which SO_ATTACH_FILTER and SO_ATTACH_REUSEPORT_CBPF take. */
import { declare } from './struct';

/** One instruction. Linux <linux/filter.h> */
export const sock_filter = declare(({ uint16, uint8, uint32 }) => ({ code: uint16, jt: uint8, jf: uint8, k: uint32 }));

/** A program: how many instructions, and where they are. Linux <linux/filter.h> */
export const sock_fprog = declare(({ uint16, pointer }) => ({ len: uint16, filter: pointer }));
