/** A source that is no address of this machine is refused with EADDRNOTAVAIL, and the socket goes on. */
import { once } from 'node:events';
import { createSocket, type Socket } from '../../index';
import { isOwn } from '../own-address';
import { type Finding, fail, pass, skip } from './finding';

/** TEST-NET-3 (RFC 5737) and the documentation prefix (RFC 3849): nobody has them. */
const FOREIGN = { udp4: '203.0.113.7', udp6: '2001:db8::7' } as const;
const LOOPBACK = { udp4: '127.0.0.1', udp6: '::1' } as const;

export async function checkForeignSource(type: 'udp4' | 'udp6'): Promise<Finding> {
  const foreign = FOREIGN[type];
  if (await isOwn(foreign)) return skip(`this machine lets programs use ${foreign}, which it has not`);
  const socket = createSocket({ type, ipv6Only: true, batch: 1 });
  try {
    socket.bind(0);
    await once(socket, 'listening');
    const refused = await send(socket, LOOPBACK[type], foreign);
    if (refused !== 'EADDRNOTAVAIL') return fail(`sending from ${foreign}: ${refused ?? 'was accepted'}`);
    const accepted = await send(socket, LOOPBACK[type], LOOPBACK[type]);
    if (accepted !== undefined) return fail(`after it, sending from ${LOOPBACK[type]}: ${accepted}`);
    return pass(`${foreign} is refused (EADDRNOTAVAIL), the socket goes on`);
  } finally {
    await socket[Symbol.asyncDispose]();
  }
}

/** To the socket itself. → code of the error */
function send(socket: Socket, address: string, localAddress: string): Promise<string | undefined> {
  const { port } = socket.address();
  return new Promise((resolve) => {
    socket.send('', { port, address, localAddress }, (error) => {
      resolve(error === null ? undefined : ((error as NodeJS.ErrnoException).code ?? error.message));
    });
  });
}
