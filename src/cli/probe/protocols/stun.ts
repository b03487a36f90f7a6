/** RFC 8489, section 5: a Binding request without attributes. */
import { randomBytes } from 'node:crypto';
import type { Protocol } from '../protocol';
import { reading } from '../protocol';

const BINDING_REQUEST = 0x0001;
const BINDING_SUCCESS = 0x0101;
const BINDING_ERROR = 0x0111;
const MAGIC_COOKIE = 0x2112a442;

export const stun: Protocol = {
  name: 'stun',
  questions() {
    const msg = Buffer.alloc(20);
    msg.writeUInt16BE(BINDING_REQUEST, 0);
    msg.writeUInt32BE(MAGIC_COOKIE, 4);
    randomBytes(12).copy(msg, 8);
    const read = reading((answer) => {
      if (answer.length < 20 || !answer.subarray(4, 20).equals(msg.subarray(4, 20))) return undefined;
      const type = answer.readUInt16BE(0);
      return type === BINDING_SUCCESS ? 'binding success' : type === BINDING_ERROR ? 'binding error' : undefined;
    });
    return [{ msg, read }];
  },
};
