/** The way out: from the caller's messages to a datagram that leaves through an interface. */
import { isLinkLocal, isLoopback, isMulticast } from '../../address/ip';
import { wallClock } from '../../captured';
import { wordsOf } from '../../datagram/ring';
import { newRemote, type Remote } from '../../datagram/sockaddr';
import { linuxConstants as c } from '../../platform/linux-constants';
import { linuxErrno } from '../../platform/linux-errno';
import { BROADCAST, type Ip } from '../ip';
import type { Interface } from '../machine';
import { type Choice, type Control, isSource } from './control';
import { arrive, complain, isBroadcast } from './input';
import { Message } from './message';
import type { Complaint, Datagram, Peer, Sock } from './sock';
import type { ErrnoName, Outcome, State } from './state';

const MOST_MESSAGES = 1024;
/** UDP_MAX_SEGMENTS */
const MOST_SEGMENTS = 64;
/** Bytes of a datagram: 65535 of IP, without its headers. */
const LARGEST = { 4: 65507, 6: 65527 } as const;
/** RFC 792, RFC 4443: port unreachable. */
const PORT_UNREACHABLE = { 4: { type: 3, code: 3 }, 6: { type: 1, code: 4 } } as const;

export function sendmmsg(
  state: State,
  control: Control,
  sock: Sock,
  messages: Buffer,
  first: number,
  count: number,
): Outcome {
  for (let sent = 0; sent < Math.min(count, MOST_MESSAGES); sent++) {
    const message = new Message(state.platform.message, state.memory, messages, first + sent);
    const outcome = send(state, control, sock, message);
    if (typeof outcome === 'string') return sent || outcome;
    message.set('len', outcome);
  }
  return count;
}

function send(state: State, control: Control, sock: Sock, message: Message): number | ErrnoName {
  const pending = pendingError(sock);
  if (pending !== undefined) return pending;
  const to = destinationOf(state, sock, message);
  if (typeof to === 'string') return to;
  const parts = message.iovecs();
  const asked = message.block('control', message.get('controllen'));
  if (parts === undefined || asked === undefined) return 'EFAULT';
  const payload = Buffer.concat(parts);
  if (payload.length > LARGEST[to.ip.family]) return 'EMSGSIZE';
  if (to.port === 0) return 'EINVAL';
  const choice = control.read(asked);
  if (choice === undefined) return 'ENOBUFS'; // net.core.optmem_max
  const refused = bindEarly(state, sock) ?? misfit(state, sock, to, choice);
  if (refused !== undefined) return refused;
  const { segment = 0 } = choice;
  if (segment === 0 || payload.length <= segment) return output(state, sock, to, choice, payload) ?? payload.length;
  if (payload.length > segment * MOST_SEGMENTS) return 'EINVAL';
  for (let at = 0; at < payload.length; at += segment) {
    const failed = output(state, sock, to, choice, payload.subarray(at, at + segment));
    if (failed !== undefined) return failed;
  }
  return payload.length;
}

/** An error of an earlier datagram is told by whatever call comes next. P38 */
function pendingError(sock: Sock): ErrnoName | undefined {
  const { error } = sock;
  if (error === 0) return undefined;
  sock.error = 0;
  return (Object.keys(linuxErrno) as ErrnoName[]).find((name) => linuxErrno[name] === error);
}

function destinationOf(state: State, sock: Sock, message: Message): Peer | ErrnoName {
  if (!message.named) return sock.peer ?? 'EDESTADDRREQ';
  const name = message.block('name', message.get('namelen'));
  if (name === undefined) return 'EFAULT';
  return state.peerNamed(sock, readName(state, name));
}

export function readName(state: State, name: Buffer): Remote | undefined {
  const remote = newRemote();
  if (name.length < state.sockaddrs.size(4)) return undefined;
  const aligned = Buffer.from(new ArrayBuffer(32));
  name.copy(aligned);
  if (!state.sockaddrs.read(aligned, wordsOf(aligned), 0, remote)) return undefined;
  return remote.family === 6 && name.length < state.sockaddrs.size(6) ? undefined : remote;
}

export function bindEarly(state: State, sock: Sock): ErrnoName | undefined {
  if (sock.port !== 0) return undefined;
  const port = state.freePort();
  if (port === undefined) return 'EAGAIN';
  sock.port = port;
  return undefined;
}

/** Why this source, or this interface, cannot be had. docs/rules.md, P7, P8, P10 */
function misfit(state: State, sock: Sock, to: Peer, { source, ifindex = 0 }: Choice): ErrnoName | undefined {
  const out = ifindex === 0 ? undefined : state.machine.byIndex(ifindex);
  if (ifindex !== 0 && out === undefined) return 'ENODEV';
  const scoped = to.ip.family === 6 && isLinkLocal(to.ip);
  if (scoped && ifindex !== 0 && to.scope !== 0 && ifindex !== to.scope) return 'EINVAL';
  if (source === undefined) return undefined;
  if (source.family !== to.ip.family || !isSource(source)) return 'EINVAL';
  const scope = source.family === 6 && isLinkLocal(source) ? ifindex || to.scope : 0;
  if (source.family === 6 && isLinkLocal(source) && scope === 0) return 'EINVAL';
  if (!state.isLocal(source, scope) && !sock.foreign) return source.family === 4 ? 'ENETUNREACH' : 'EINVAL';
  if (isLoopback(source) && source.family === 4 && state.machine.route(to.ip)?.loopback === false) return 'EINVAL';
  return undefined;
}

function output(state: State, sock: Sock, to: Peer, choice: Choice, payload: Buffer): ErrnoName | undefined {
  const { machine } = state;
  const { ip } = to;
  const group = isMulticast(ip);
  const broadcast = isBroadcast(state, ip);
  if (broadcast && !sock.on(c.SOL_SOCKET, c.SO_BROADCAST)) return 'EACCES';
  const out = interfaceFor(state, sock, to, choice);
  if (out === undefined) return ip.family === 6 && isLinkLocal(ip) ? 'EINVAL' : 'ENETUNREACH';
  const here = machine.owner(ip, ip.family === 6 && isLinkLocal(ip) ? out.index : 0) !== undefined;
  const source = choice.source ?? (sock.wildcard || isMulticast(sock.local) ? machine.sourceFor(ip, out) : sock.local);
  if (source === undefined || source.family !== ip.family) return 'ENETUNREACH';
  if (isLoopback(source) && !here && !out.loopback && ip.family === 4) return 'EINVAL'; // P8
  const datagram: Datagram = {
    source,
    sourcePort: sock.port,
    destination: ip,
    destinationPort: to.port,
    payload: Buffer.from(payload),
    ttl: choice.ttl ?? ttlOf(sock, ip.family, group),
    tos: choice.tos ?? tosOf(sock, ip.family),
  };
  if (here || out.loopback) {
    arriveHere(state, datagram);
    return undefined;
  }
  if (group ? loops(sock, ip.family) : broadcast) arrive(state, out, datagram);
  if (!group || datagram.ttl > 0) state.transmit(datagram, out);
  return undefined;
}

function interfaceFor(state: State, sock: Sock, to: Peer, { source, ifindex = 0 }: Choice): Interface | undefined {
  const { machine } = state;
  const { ip, scope } = to;
  const index = ifindex || sock.device || scope;
  if (index !== 0) return machine.byIndex(index);
  if (isMulticast(ip)) {
    const chosen = sock.multicastInterface !== 0 ? machine.byIndex(sock.multicastInterface) : undefined;
    const named = source ?? (sock.wildcard || isMulticast(sock.local) ? undefined : sock.local);
    return chosen ?? (named && machine.owner(named)) ?? machine.route(ip);
  }
  return (ip.text === BROADCAST ? undefined : machine.broadcastOn(ip.text)) ?? machine.route(ip);
}

/** To an address of this host: by the loopback interface, at once, and without losses. */
function arriveHere(state: State, datagram: Datagram): void {
  const fate = arrive(state, state.machine.loopback, datagram);
  if (fate === 'nobody') complain(state, unreachable(datagram));
}

/** What the host says to which `datagram` came for a port where nobody is. */
export function unreachable(datagram: Datagram): Complaint {
  const { destination: offender } = datagram;
  const { type, code } = PORT_UNREACHABLE[offender.family];
  return { datagram, errno: linuxErrno.ECONNREFUSED, type, code, offender, at: wallClock() };
}

function ttlOf(sock: Sock, family: Ip['family'], group: boolean): number {
  if (family === 6)
    return group
      ? sock.option(c.IPPROTO_IPV6, c.IPV6_MULTICAST_HOPS, 1)
      : sock.option(c.IPPROTO_IPV6, c.IPV6_UNICAST_HOPS, 64);
  return group ? sock.option(c.IPPROTO_IP, c.IP_MULTICAST_TTL, 1) : sock.option(c.IPPROTO_IP, c.IP_TTL, 64);
}

function tosOf(sock: Sock, family: Ip['family']): number {
  return family === 6 ? sock.option(c.IPPROTO_IPV6, c.IPV6_TCLASS) : sock.option(c.IPPROTO_IP, c.IP_TOS);
}

function loops(sock: Sock, family: Ip['family']): boolean {
  return family === 6
    ? sock.option(c.IPPROTO_IPV6, c.IPV6_MULTICAST_LOOP, 1) !== 0
    : sock.option(c.IPPROTO_IP, c.IP_MULTICAST_LOOP, 1) !== 0;
}
