/** UPnP Device Architecture 2.0, section 1.3.2: a search that is sent to one device, and has no MX then. */
import { isIPv6 } from 'node:net';
import type { Protocol } from '../protocol';
import { reading } from '../protocol';

export const ssdp: Protocol = {
  name: 'ssdp',
  anyPort: true,
  questions(_attempt, _local, { address, port }) {
    const bare = address.split('%', 1)[0]!;
    const host = isIPv6(bare) ? `[${bare}]:${port}` : `${bare}:${port}`;
    const lines = ['M-SEARCH * HTTP/1.1', `HOST: ${host}`, 'MAN: "ssdp:discover"', 'ST: ssdp:all'];
    const read = reading((answer) => /^HTTP\/1\.1 (\d{3}[^\r\n]*)/.exec(answer.toString('latin1'))?.[1]);
    return [{ msg: Buffer.from(`${lines.join('\r\n')}\r\n\r\n`), read }];
  },
};
