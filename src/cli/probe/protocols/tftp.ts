/** RFC 1350: asks for a file that no server has. The answer comes from a new port, its transfer identifier. */
import type { Protocol } from '../protocol';
import { reading } from '../protocol';

const READ_REQUEST = 1;
const DATA = 3;
const ERROR = 5;
/** RFC 2347: options are acknowledged. */
const OPTIONS = 6;

export const tftp: Protocol = {
  name: 'tftp',
  anyPort: true,
  questions() {
    const msg = Buffer.concat([Buffer.from([0, READ_REQUEST]), Buffer.from('recvfromto-probe\0octet\0')]);
    const read = reading((answer) => {
      const operation = answer.readUInt16BE(0);
      if (operation === ERROR) return `error ${answer.readUInt16BE(2)}`;
      return operation === DATA || operation === OPTIONS ? 'data' : undefined;
    });
    return [{ msg, read }];
  },
};
