/** RFC 7252: what a server offers; then a ping, an empty message that everybody has to reset (section 4.3). */
import { randomBytes, randomInt } from 'node:crypto';
import { generate, parse } from 'coap-packet';
import type { Protocol } from '../protocol';
import { reading } from '../protocol';

export const coap: Protocol = {
  name: 'coap',
  questions(attempt) {
    const messageId = randomInt(65536);
    const token = randomBytes(4);
    const path = ['.well-known', 'core'].map((part) => ({ name: 'Uri-Path' as const, value: Buffer.from(part) }));
    const msg =
      attempt % 2 === 0
        ? generate({ code: 'GET', confirmable: true, messageId, token, options: path })
        : generate({ code: '0.00', confirmable: true, messageId });
    const read = reading((answer) => {
      const told = parse(answer);
      const isOurs = told.messageId === messageId || (told.token.length > 0 && told.token.equals(token));
      if (!isOurs) return undefined;
      if (told.code === '0.00') return told.reset ? 'reset' : told.ack ? 'acknowledged' : undefined;
      return told.code.startsWith('0.') ? undefined : told.code; // class 0 are requests: ours, come back
    });
    return [{ msg, read }];
  },
};
