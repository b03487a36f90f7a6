/** RFC 3261, section 11: OPTIONS, which everybody answers; with rport (RFC 3581), to where it came from. */
import { randomBytes } from 'node:crypto';
import type { Protocol } from '../protocol';
import { reading } from '../protocol';

export const sip: Protocol = {
  name: 'sip',
  questions(_attempt, local, remote) {
    const [branch, tag, call] = [8, 8, 12].map((bytes) => randomBytes(bytes).toString('hex'));
    const [here, there] = [local, remote].map(({ address, port }) => {
      const bare = address.split('%', 1)[0]!;
      return bare.includes(':') ? `[${bare}]:${port}` : `${bare}:${port}`;
    });
    const lines = [
      `OPTIONS sip:${there} SIP/2.0`,
      // z9hG4bK: section 8.1.1.7
      `Via: SIP/2.0/UDP ${here};branch=z9hG4bK${branch};rport`,
      'Max-Forwards: 70',
      `From: <sip:probe@${here}>;tag=${tag}`,
      `To: <sip:${there}>`,
      `Call-ID: ${call}`,
      'CSeq: 1 OPTIONS',
      `Contact: <sip:probe@${here}>`,
      'Accept: application/sdp',
      'Content-Length: 0',
    ];
    const read = reading((answer) => {
      const text = answer.toString('latin1');
      const [, status] = /^SIP\/2\.0 (\d{3}[^\r\n]*)/.exec(text) ?? [];
      return status !== undefined && text.includes(call!) ? status : undefined;
    });
    return [{ msg: Buffer.from(`${lines.join('\r\n')}\r\n\r\n`), read }];
  },
};
