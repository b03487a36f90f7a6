/**
 * What is on the cables: tcpdump on all interfaces of the client, its text read as it comes. The source address in the
 * IP header is the last word on where an answer came from; no socket option can colour it.
 */
import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import type { Client } from './topology';

export interface Packet {
  /** Client interface. */
  readonly device: string;
  readonly source: string;
  readonly sourcePort: number;
  readonly destination: string;
  readonly destinationPort: number;
}

// 12:00:00.000000 v1    In  IP6 fd77::2.5301 > fd77::100.40000: UDP, length 8
const LINE = /^\S+ (\S+) +In +IP6? (\S+)\.(\d+) > (\S+)\.(\d+):/;
const MARK_PORT = 9;

export class Wire {
  readonly packets: Packet[] = [];
  readonly #tcpdump: ChildProcessWithoutNullStreams;
  #said = '';

  private constructor(tcpdump: ChildProcessWithoutNullStreams) {
    this.#tcpdump = tcpdump;
    tcpdump.stderr.setEncoding('utf8').on('data', (text) => {
      this.#said += text;
    });
    createInterface(tcpdump.stdout).on('line', (line) => {
      const [, device, source, sourcePort, destination, destinationPort] = LINE.exec(line) ?? [];
      if (!device || !source || !destination) return;
      this.packets.push({
        device,
        source,
        sourcePort: Number(sourcePort),
        destination,
        destinationPort: Number(destinationPort),
      });
    });
  }

  /** Resolves when tcpdump listens. */
  static async tap({ enter: [command, ...argv] }: Client): Promise<Wire> {
    const user = process.getuid?.() === 0 ? ['-Z', 'root'] : [];
    // A short snapshot length, since the ring has slots of that size: with the default there is room for 8 packets.
    const ring = ['--immediate-mode', '-s', '128', '-B', '4096'];
    const filter = ['-i', 'any', '-Q', 'in', '-nn', '-l', '-q', 'udp'];
    const tcpdump = spawn(command, [...argv, 'tcpdump', ...user, ...ring, ...filter]);
    const wire = new Wire(tcpdump);
    while (!wire.#said.includes('listening on')) {
      if (tcpdump.exitCode !== null) throw new Error(`tcpdump: ${wire.#said}`);
      await Promise.race([once(tcpdump.stderr, 'data'), once(tcpdump, 'exit')]);
    }
    return wire;
  }

  /** Packets that arrived at this port of the client from this port of the server. Call {@link settle} first. */
  answers(sourcePort: number, destinationPort: number): Packet[] {
    return this.packets.filter((p) => p.sourcePort === sourcePort && p.destinationPort === destinationPort);
  }

  /** Resolves when everything that was sent before has been read: sends a mark down each cable and waits for both. */
  async settle(): Promise<void> {
    const marker = createSocket('udp4');
    marker.bind();
    await once(marker, 'listening');
    const { port } = marker.address();
    for (let attempt = 0; attempt < 100; attempt++) {
      for (const address of ['10.77.0.100', '10.88.0.100']) marker.send('mark', MARK_PORT, address);
      await new Promise((resolve) => setTimeout(resolve, 50));
      if (new Set(this.answers(port, MARK_PORT).map((packet) => packet.device)).size === 2) break;
      if (attempt === 99) throw new Error('tcpdump does not see what is sent');
    }
    marker.close();
    await once(marker, 'close');
  }

  /** Ends the capture. @throws when packets were missed: then nothing that was counted can be trusted */
  async cut(): Promise<void> {
    this.#tcpdump.kill('SIGINT');
    if (this.#tcpdump.exitCode === null) await once(this.#tcpdump, 'close');
    if (!/^0 packets dropped by kernel/m.test(this.#said)) throw new Error(`tcpdump: ${this.#said}`);
  }
}
