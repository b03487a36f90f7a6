/** A DNS server's answer to any query, so that dig and kdig can judge: one TXT record that says what was asked. */
import { AUTHORITATIVE_ANSWER, decode, encode } from 'dns-packet';

/** @throws where `query` is not a DNS message */
export function answerQuery(query: Buffer): Buffer {
  const { id, questions } = decode(query);
  const answers = (questions ?? []).map(({ name }) => ({ type: 'TXT' as const, name, ttl: 0, data: `asked ${name}` }));
  return encode({ type: 'response', id, flags: AUTHORITATIVE_ANSWER, questions, answers });
}
