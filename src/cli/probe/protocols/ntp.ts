/** RFC 5905, section 7.3: a client's packet, 48 bytes. */
import { randomBytes } from 'node:crypto';
import type { Protocol } from '../protocol';
import { reading } from '../protocol';

const SIZE = 48;
/** Leap indicator 0, version 4, mode 3: client. */
const CLIENT = 0x23;
const SERVER_MODE = 4;
/** Where the origin and the transmit timestamp stand. */
const ORIGIN = 24;
const TRANSMIT = 40;

export const ntp: Protocol = {
  name: 'ntp',
  questions() {
    const msg = Buffer.alloc(SIZE);
    msg[0] = CLIENT;
    // A random one is as good as the time: servers only give it back (draft-ietf-ntp-data-minimization).
    const nonce = randomBytes(8);
    nonce.copy(msg, TRANSMIT);
    const read = reading((answer) => {
      const isAnswer = answer.length >= SIZE && (answer[0]! & 7) === SERVER_MODE;
      if (!isAnswer || !answer.subarray(ORIGIN, ORIGIN + 8).equals(nonce)) return undefined;
      return answer[1] === 0 ? 'refused to serve (kiss of death)' : `stratum ${answer[1]}`;
    });
    return [{ msg, read }];
  },
};
