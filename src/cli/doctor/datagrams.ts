/** Datagrams of every size come whole, and their answers go back whole. */

import { asked } from '../asking';
import { count } from '../units';
import { type Finding, fail, pass, skip } from './finding';
import { witnessServer } from './servers';

/** Empty, one byte, one more than Ethernet takes, and the largest that IPv4 takes: 65535 - 20 - 8. */
const SIZES = [0, 1, 1473, 65507];

export async function checkSizes(): Promise<Finding> {
  const server = await witnessServer('udp4');
  try {
    let largest = -1;
    for (const size of SIZES) {
      const msg = Buffer.alloc(size, 'recvfromto ');
      const answer = await asked({ to: '127.0.0.1', port: server.port, messages: () => [msg], from: '127.0.0.1' });
      // macOS' node:dgram sends no more than net.inet.udp.maxdgram, 9216.
      if (answer === 'EMSGSIZE') break;
      if (typeof answer !== 'object')
        return fail(`${count(size)} bytes are not answered${answer ? ` (${answer})` : ''}`);
      if (!answer.msg.equals(msg))
        return fail(`of ${count(size)} bytes, others or ${count(answer.msg.length)} come back`);
      largest = size;
    }
    return largest < 0
      ? skip('nothing can be sent')
      : pass(`0 to ${count(largest)} bytes come whole, and go back whole`);
  } finally {
    await server.close();
  }
}
