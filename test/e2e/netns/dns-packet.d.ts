/** What we use of dns-packet, which has no types of its own. */
declare module 'dns-packet' {
  interface Packet {
    type?: 'query' | 'response';
    id?: number;
    flags?: number;
    questions?: { name: string; type: string }[];
    answers?: { type: 'TXT'; name: string; ttl: number; data: string }[];
  }
  export const AUTHORITATIVE_ANSWER: number;
  export function decode(message: Buffer): Packet;
  export function encode(packet: Packet): Buffer;
}
