/**
 * What the kernel wrote beside a datagram, read at the places where this OS is believed to write it: if one of them were
 * wrong, these values would be. Known ones are sent, so that they can be compared.
 */
import { once } from 'node:events';
import { type Capabilities, createSocket, type RemoteInfo } from '../../index';
import { ownAddresses } from '../own-address';
import { duration } from '../units';
import { type Finding, fail, pass } from './finding';

const LOOPBACK = { udp4: '127.0.0.1', udp6: '::1' } as const;
const TTL = 42;
/** DSCP AF11, ECN 0. */
const TOS = 0x28;
/** ms; a timestamp further off comes from another field. */
const CLOCK = 5000;

export async function checkMetadata(type: 'udp4' | 'udp6', capabilities: Capabilities): Promise<Finding> {
  const rinfo = await received(type);
  if (rinfo === undefined) return fail('nothing was received');
  const { destination, ttl, tos, timestamp } = rinfo;
  const { address, port, ifindex = 0, interface: name } = destination ?? {};
  const loopback = ownAddresses().find((own) => own.address === LOOPBACK[type])?.interface;
  const age = timestamp === undefined ? undefined : Date.now() - Number(timestamp / 1000n) / 1000;
  const wrong = [
    address !== LOOPBACK[type] && `destination ${address}`,
    port !== rinfo.port && `port ${port} instead of ${rinfo.port}`,
    capabilities.interface && name !== loopback && `interface ${name} (${ifindex}) instead of ${loopback}`,
    ttl !== undefined && ttl !== TTL && `TTL ${ttl} instead of ${TTL}`,
    // 0: an OS that takes no TOS for a single datagram
    tos !== undefined && tos !== TOS && tos !== 0 && `TOS ${tos} instead of ${TOS}`,
    age !== undefined && Math.abs(age) > CLOCK && `a timestamp ${duration(Math.abs(age))} off`,
  ].filter((one) => one !== false);
  if (wrong.length > 0) return fail(wrong.join(', '));
  const seen = [
    name !== undefined && `interface ${name} (${ifindex})`,
    ttl !== undefined && `TTL ${ttl}`,
    tos !== undefined && `TOS ${tos}`,
    timestamp !== undefined && 'timestamp',
  ].filter((one) => one !== false);
  return pass(`${seen.join(', ') || 'the destination'}: as sent`);
}

/** What a socket is told of a datagram that it sends to itself. */
async function received(type: 'udp4' | 'udp6'): Promise<RemoteInfo | undefined> {
  const recv = { recvTTL: true, recvTOS: true, recvTimestamp: true, recvDrops: true };
  const socket = createSocket({ type, ipv6Only: true, batch: 1, ...recv });
  try {
    socket.bind(0);
    await once(socket, 'listening');
    socket.setTTL(TTL);
    socket.send('', { port: socket.address().port, address: LOOPBACK[type], tos: TOS });
    const signal = AbortSignal.timeout(2000);
    const [, rinfo] = (await once(socket, 'message', { signal })) as [Buffer, RemoteInfo];
    return rinfo;
  } catch (error) {
    if ((error as Error).name === 'AbortError') return undefined;
    throw error;
  } finally {
    await socket[Symbol.asyncDispose]();
  }
}
