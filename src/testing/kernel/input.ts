/** The way in: from a datagram to the sockets that get it, and from a queue to the caller's messages. */
import { isLinkLocal, isMulticast } from '../../address/ip';
import { wallClock } from '../../captured';
import { wordsOf } from '../../datagram/ring';
import { linuxConstants as c } from '../../platform/linux-constants';
import { linuxErrno } from '../../platform/linux-errno';
import { BROADCAST, type Ip } from '../ip';
import type { Interface } from '../machine';
import { type Control, seenBy } from './control';
import { Message } from './message';
import type { Complaint, Datagram, Queued, Sock } from './sock';
import type { Outcome, State } from './state';

/** What has become of a datagram on the host that it came to. */
export type Fate = 'delivered' | 'full' | 'nobody' | 'unheard';

/** UIO_MAXIOV */
const MOST_MESSAGES = 1024;
/** Kept beside each datagram: an sk_buff, and a skb_shared_info in the block of its bytes. */
const SK_BUFF = 256;
const SHARED_INFO = 384;

/** A datagram comes in by `iface`. */
export function arrive(state: State, iface: Interface, datagram: Datagram): Fate {
  const { destination } = datagram;
  const group = isMulticast(destination);
  const many = group || isBroadcast(state, destination);
  const fits = [...state.sockets.values()].filter((sock) => hears(state, sock, iface, datagram));
  const takers = many ? fits : best(fits, datagram);
  if (takers.length === 0) return many ? 'unheard' : 'nobody';
  const queued = takers.filter((sock) => enqueue(sock, iface, datagram));
  state.poll.wake();
  return queued.length > 0 ? 'delivered' : 'full';
}

/**
 * ICMP says that nobody was there. The socket that had sent it hears of it where it is connected, or has asked for errors.
 * udp_err
 */
export function complain(state: State, complaint: Complaint): void {
  const { source, sourcePort, destination, destinationPort } = complaint.datagram;
  const answer = {
    ...complaint.datagram,
    source: destination,
    sourcePort: destinationPort,
    destination: source,
    destinationPort: sourcePort,
  };
  const iface = interfaceOf(state, source);
  const fits = [...state.sockets.values()].filter((each) => hears(state, each, iface, answer));
  const [sock] = best(fits, answer);
  if (sock === undefined) return;
  const asked =
    destination.family === 6 ? sock.on(c.IPPROTO_IPV6, c.IPV6_RECVERR) : sock.on(c.IPPROTO_IP, c.IP_RECVERR);
  if (asked) sock.complaints.push(complaint);
  if (asked || sock.peer !== undefined) sock.error = complaint.errno;
  state.poll.wake();
}

/** By which what comes to an address of this host comes in. */
function interfaceOf(state: State, ip: Ip): Interface {
  return state.machine.owner(ip) ?? state.machine.loopback;
}

export function isBroadcast(state: State, ip: Ip): boolean {
  return ip.text === BROADCAST || (ip.family === 4 && state.machine.broadcastOn(ip.text) !== undefined);
}

function hears(state: State, sock: Sock, iface: Interface, datagram: Datagram): boolean {
  const { destination, source, destinationPort, sourcePort } = datagram;
  if (sock.port !== destinationPort || sock.port === 0) return false;
  if (destination.family === 6 ? sock.family === 4 : sock.family === 6 && sock.v6only) return false;
  if (sock.device !== 0 && sock.device !== iface.index) return false;
  if (!sock.wildcard && sock.local.text !== destination.text) return false;
  if (sock.scope !== 0 && sock.scope !== iface.index && isLinkLocal(destination)) return false;
  const { peer } = sock;
  if (peer !== undefined && (peer.ip.text !== source.text || peer.port !== sourcePort)) return false;
  return !isMulticast(destination) || isMember(state, sock, iface, datagram);
}

/** IP_MULTICAST_ALL: what one socket has joined all hear that are bound to everywhere and have not joined it. ip(7) */
function isMember(state: State, sock: Sock, iface: Interface, datagram: Datagram): boolean {
  const { destination, source } = datagram;
  const here = (one: { group: string; ifindex: number }) =>
    one.group === destination.text && one.ifindex === iface.index;
  if (sock.blocked.some((one) => here(one) && one.source === source.text)) return false;
  const joined = (each: Sock) =>
    each.groups.some((one) => here(one) && (one.source === undefined || one.source === source.text));
  const all =
    destination.family === 6
      ? sock.option(c.IPPROTO_IPV6, c.IPV6_MULTICAST_ALL, 1)
      : sock.option(c.IPPROTO_IP, c.IP_MULTICAST_ALL, 1);
  if (all === 0 || sock.groups.some(here)) return joined(sock);
  return [...state.sockets.values()].some(joined);
}

/** The most specific socket, by connection, address and family; among equals the last, or by sender with SO_REUSEPORT. */
function best(fits: readonly Sock[], { sourcePort, destination }: Datagram): Sock[] {
  const score = ({ peer, wildcard, family }: Sock) =>
    (peer === undefined ? 0 : 4) + (wildcard ? 0 : 2) + (family === destination.family ? 1 : 0);
  const top = Math.max(...fits.map(score));
  const equals = fits.filter((sock) => score(sock) === top);
  if (equals.length === 0) return [];
  const balanced = equals.every((sock) => sock.on(c.SOL_SOCKET, c.SO_REUSEPORT));
  return [equals[balanced ? sourcePort % equals.length : equals.length - 1]];
}

/** → false where the queue is full */
function enqueue(sock: Sock, iface: Interface, datagram: Datagram): boolean {
  if (sock.queued > sock.receiveBuffer) {
    sock.drops++;
    return false;
  }
  sock.queued += weight(datagram);
  sock.queue.push({ datagram, iface, at: wallClock(), drops: sock.drops });
  return true;
}

/** Bytes of the queue that a datagram takes: 768 where it is small, as on Linux. */
function weight({ payload }: Datagram): number {
  let block = 512;
  while (block < payload.length + SHARED_INFO) block *= 2;
  return SK_BUFF + block;
}

export function recvmmsg(
  state: State,
  control: Control,
  sock: Sock,
  messages: Buffer,
  count: number,
  flags: number,
): Outcome {
  if ((flags & c.MSG_ERRQUEUE) !== 0) return receiveErrors(state, control, sock, messages, count);
  if (sock.error !== 0) {
    const { error } = sock;
    sock.error = 0;
    return -error;
  }
  let filled = 0;
  while (filled < Math.min(count, MOST_MESSAGES) && sock.queue.length > 0) {
    const message = new Message(state.platform.message, state.memory, messages, filled);
    const queued = sock.queue[0];
    if (!fill(state, sock, message, queued, control.arrival(sock, queued), flags)) return filled || 'EFAULT';
    sock.queue.shift();
    sock.queued -= weight(queued.datagram);
    filled++;
  }
  return filled || 'EAGAIN';
}

/** The peer's name, what was sent to it, and what was said of it. ip(7), MSG_ERRQUEUE */
function receiveErrors(state: State, control: Control, sock: Sock, messages: Buffer, count: number): Outcome {
  let filled = 0;
  while (filled < count && sock.complaints.length > 0) {
    const message = new Message(state.platform.message, state.memory, messages, filled);
    const [complaint] = sock.complaints;
    const { source: destination, destination: source, destinationPort: sourcePort } = complaint.datagram;
    const datagram = { ...complaint.datagram, source, sourcePort, destination };
    const queued = { datagram, iface: interfaceOf(state, destination), at: complaint.at, drops: 0 };
    if (!fill(state, sock, message, queued, control.complaint(sock, complaint, queued), 0)) return filled || 'EFAULT';
    message.set('flags', message.get('flags') | c.MSG_ERRQUEUE);
    sock.complaints.shift();
    sock.error = sock.complaints[0]?.errno ?? 0; // sock_dequeue_err_skb
    filled++;
  }
  return filled || -linuxErrno.EAGAIN;
}

/** Copies bytes into one buffer after the other. → how many they have room for */
function scatter(bytes: Buffer, into: readonly Buffer[]): number {
  let room = 0;
  for (const part of into) {
    bytes.copy(part, 0, Math.min(room, bytes.length));
    room += part.length;
  }
  return room;
}

/** → false: some pointer leads nowhere */
function fill(
  state: State,
  sock: Sock,
  message: Message,
  { datagram, iface }: Queued,
  told: Buffer,
  asked: number,
): boolean {
  const { payload, source, sourcePort } = datagram;
  const into = message.iovecs();
  const name = message.block('name', message.get('namelen'));
  const control = message.block('control', message.get('controllen'));
  if (into === undefined || name === undefined || control === undefined) return false;
  const room = scatter(payload, into);
  const scope = source.family === 6 && isLinkLocal(source) ? iface.index : 0;
  const from = { ...seenBy(sock, source), scope };
  if (name.length > 0) message.set('namelen', state.sockaddrs.write(name, wordsOf(name), 0, from, sourcePort));
  const cut = told.length > control.length;
  told.copy(control);
  message.set('controllen', Math.min(told.length, control.length));
  const short = payload.length > room;
  message.set('flags', (short ? c.MSG_TRUNC : 0) | (cut ? c.MSG_CTRUNC : 0));
  const whole = (asked & c.MSG_TRUNC) !== 0;
  message.set('len', whole ? payload.length : Math.min(payload.length, room));
  return true;
}
