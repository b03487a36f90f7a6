/** RFC 5997: Status-Server, which has to be signed with the secret that both know. */
import { createHmac, randomBytes } from 'node:crypto';

export const SECRET = 'testing123';

const STATUS_SERVER = 12;
const MESSAGE_AUTHENTICATOR = 80;
/** RFC 2865, section 3: code, identifier, length, authenticator. */
const HEADER = 20;

/** For `recvfromto probe --protocol`. */
export function radiusQuestion(): string {
  const message = Buffer.alloc(HEADER + 18);
  message[0] = STATUS_SERVER;
  message[1] = 1;
  message.writeUInt16BE(message.length, 2);
  randomBytes(16).copy(message, 4);
  message[HEADER] = MESSAGE_AUTHENTICATOR;
  message[HEADER + 1] = 18;
  createHmac('md5', SECRET)
    .update(message)
    .digest()
    .copy(message, HEADER + 2);
  return `hex:${message.toString('hex')}`;
}
