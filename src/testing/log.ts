/** What has gone between the hosts, and what has become of it. */
import { checkInteger } from '../socket/options';
import type { Datagram } from './kernel/sock';
import type { NetworkStats, Packet, PacketFate } from './types';
import type { Verdict } from './wire';

/** A packet, while its fate is open. */
export type Record = { -readonly [Field in keyof Packet]: Packet[Field] };

type Counter = Exclude<keyof NetworkStats, 'travelling'>;

const COUNTERS: { readonly [Fate in Exclude<PacketFate, 'travelling'>]: Counter } = {
  delivered: 'delivered',
  lost: 'lost',
  partitioned: 'partitioned',
  'no-host': 'noHost',
  refused: 'refused',
  dropped: 'dropped',
  unheard: 'unheard',
};

export class PacketLog {
  #packets: Record[] = [];
  readonly stats: Omit<NetworkStats, 'travelling'> = {
    sent: 0,
    delivered: 0,
    lost: 0,
    partitioned: 0,
    noHost: 0,
    refused: 0,
    dropped: 0,
    unheard: 0,
    duplicated: 0,
    reordered: 0,
  };
  readonly #max: number;

  /** @throws ERR_OUT_OF_RANGE, ERR_INVALID_ARG_TYPE */
  constructor(max: number) {
    this.#max = checkInteger('options.log', max, 0, 0xffff_ffff);
  }

  get packets(): readonly Packet[] {
    return this.#packets.slice(Math.max(0, this.#packets.length - this.#max));
  }

  /** @param to undefined where nobody has the address */
  add(from: string, to: string | undefined, datagram: Datagram, at: number): Record {
    const { source, sourcePort, destination, destinationPort, payload, ttl, tos } = datagram;
    const record: Record = {
      number: ++this.stats.sent,
      at,
      from,
      to,
      source: { address: source.text, port: sourcePort },
      destination: { address: destination.text, port: destinationPort },
      msg: payload,
      ttl,
      tos,
      copies: 1,
      reordered: false,
      fate: 'travelling',
    };
    if (to === undefined) this.settle(record, 'no-host');
    this.#packets.push(record);
    // Many at a time: taking one off the front of a long array moves all others.
    if (this.#packets.length > this.#max * 2) this.#packets = this.#packets.slice(this.#packets.length - this.#max);
    return record;
  }

  /** What chance has said. What arrives at once has settled its fate by then. */
  judge(record: Record, { copies, reordered }: Verdict): void {
    record.copies = copies;
    record.reordered = reordered;
    if (copies === 0) this.settle(record, 'lost');
    if (copies > 1) this.stats.duplicated++;
    if (reordered) this.stats.reordered++;
  }

  settle(record: Record, fate: Exclude<PacketFate, 'travelling'>): void {
    if (fate === 'lost' || fate === 'partitioned' || record.to === undefined) record.copies = 0;
    record.fate = fate;
    this.stats[COUNTERS[fate]]++;
  }
}
