/** Linux's filters of a socket's own, and which socket of a group gets a datagram: classic BPF. socket(7) */
import { type Instruction, isValid, run } from './bpf';
import { Kernel } from './kernel';
import type { Packet } from './net';
import type { Sock } from './sock';

export abstract class FilteringKernel extends Kernel {
  /** SO_ATTACH_FILTER, SO_ATTACH_REUSEPORT_CBPF: a struct sock_fprog, whose pointer is followed. */
  override setsockopt(fd: number, level: number, name: number, value: Buffer): number {
    const [option, kind] = this.options.find(level, name) ?? [];
    if (kind !== 'sock_fprog') return super.setsockopt(fd, level, name, value);
    return this.onSocket(fd, (sock) => {
      const program = this.#program(value);
      if (typeof program === 'string') return program;
      if (option === 'SO_ATTACH_FILTER') sock.filter = program;
      else if (!sock.flags.has('SO_REUSEPORT')) return 'EINVAL';
      else sock.steering = program;
      return undefined;
    });
  }

  #program(value: Buffer): Instruction[] | string {
    if (value.length !== this.facts.struct('sock_fprog')!.size) return 'EINVAL';
    const length = this.abi.number('sock_fprog', 'len', value);
    const { size } = this.facts.struct('sock_filter')!;
    const { offset, size: pointerSize } = this.facts.field('sock_fprog', 'filter');
    const pointer = pointerSize === 8 ? value.readBigUInt64LE(offset) : BigInt(value.readUInt32LE(offset));
    const code = this.memory.at(pointer, length * size);
    if (code === undefined) return 'EFAULT';
    const program = Array.from({ length }, (_, i) => {
      const bytes = code.subarray(i * size, (i + 1) * size);
      const [code_, jt, jf, k] = ['code', 'jt', 'jf', 'k'].map((field) => this.abi.number('sock_filter', field, bytes));
      return { code: code_, jt, jf, k: k >>> 0 };
    });
    return isValid(program) ? program : 'EINVAL';
  }

  /** It sees UDP's header, and says how many bytes stay. udp_queue_rcv_skb, sk_filter_trim_cap */
  protected override filtered(sock: Sock, packet: Packet): Packet | undefined {
    if (sock.filter === undefined) return packet;
    const header = Buffer.alloc(8);
    header.writeUInt16BE(packet.sourcePort, 0);
    header.writeUInt16BE(packet.destinationPort, 2);
    header.writeUInt16BE(8 + packet.payload.length, 4);
    const kept = run(sock.filter, Buffer.concat([header, packet.payload]));
    return kept === 0 ? undefined : { ...packet, payload: packet.payload.subarray(0, Math.max(0, kept - 8)) };
  }

  /** The payload alone is seen; a number that no socket has leaves it to the hash. reuseport_select_sock */
  protected override steered(group: readonly Sock[], packet: Packet): Sock {
    const program = group.find(({ steering }) => steering !== undefined)?.steering;
    const index = program === undefined ? -1 : run(program, packet.payload);
    return group[index] ?? super.steered(group, packet);
  }
}
