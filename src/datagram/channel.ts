/**
 * One UDP descriptor, from socket(2) to close(2): opened with the questions already asked (before bind, or datagrams
 * queued earlier come without an answer, P2), bound, connected, configured. Returns what the kernel returned, 0 or
 * -errno, so that the socket above can name the failure as dgram does. Knows no events.
 * A little over 300 lines: what has to be undone when a step fails stands beside the step.
 */
import { isLinkLocal, MAPPED } from '../address/ip';
import type { OptionName, Request, SocketKind } from '../platform/platform';
import { missing } from '../platform/settings';
import type { AddressInfo } from '../types';
import { DescriptorOptions } from './descriptor-options';
import type { Endpoint } from './endpoint';
import type { Engine } from './engine';
import { block, wordsOf } from './ring';
import { type Setup, setUp } from './setup';
import { newRemote, SOCKADDR_SPACE, type SocketAddress } from './sockaddr';

/** What a descriptor is to be: see Setup, and the option table. */
export interface Wishes extends Setup {
  /** As given: dgram shows it by the deprecated name _reuseAddr. */
  readonly reuseAddr: boolean | undefined;
  readonly reusePort: boolean;
  /** What is to be told with each datagram. */
  readonly asked: readonly OptionName[];
}

const ANY: Readonly<Record<4 | 6, SocketAddress>> = {
  4: { family: 4, word0: 0, word1: 0, word2: 0, word3: 0, scope: 0 },
  6: { family: 6, word0: 0, word1: 0, word2: 0, word3: 0, scope: 0 },
};

/** For calls that read at once: nobody else's code runs between. */
const sockname = block(SOCKADDR_SPACE);
const socknameWords = wordsOf(sockname);

/** FreeBSD 13.0: 276 small datagrams instead of 658 fit beside IP_RECVDSTADDR and IP_RECVIF. */
const TOLD = 2.4;
export class Channel extends DescriptorOptions {
  /** In which its addresses are written. 6 with the kind 'udp4': see {@link standIn}. */
  family: 4 | 6;
  #port = 0;
  #bound: SocketAddress | undefined;
  /** Does a source have to be named for each datagram, or is the socket bound to one address anyway? */
  wildcard = false;
  #adopted = false;
  /** Why open() or adopt() has failed, where an option did it. */
  because: string | undefined;
  /** Closes a descriptor that somebody else owns. */
  #release: (() => void) | undefined;

  /** @param family in which its addresses are written, where it is not the descriptor's */
  constructor(engine: Engine, kind: SocketKind, family: 4 | 6 = kind === 'udp4' ? 4 : 6) {
    super(engine, kind);
    this.family = family;
  }

  /**
   * Before bind(): is an AF_INET descriptor to stand in for this dual-stack socket, because it is bound to an IPv4-mapped
   * address? The kernel would not say where datagrams went then, nor take a source (P55). One that is open is closed.
   */
  standIn(mapped: boolean): void {
    const { engine } = this;
    const wanted = mapped && engine.host.platform.quirks.mappedTellsNothing === true;
    if (wanted ? this.kind !== 'dual' : engine === engine.plain) return;
    this.close();
    this.engine = wanted ? engine.mapped : engine.plain;
    this.kind = wanted ? 'udp4' : 'dual';
  }

  /** The local port; 0 before bind. */
  get port(): number {
    if (this.#port === 0 && this.#bound !== undefined && this.fd >= 0) this.learnName();
    return this.#port;
  }

  /** The same where it is known without asking the kernel, which has chosen it; else 0. */
  get knownPort(): number {
    return this.#port;
  }

  /** Where it is bound, undefined before. */
  get bound(): SocketAddress | undefined {
    return this.#bound;
  }

  open(wishes: Wishes): number {
    const { engine, kind } = this;
    const { platform, syscalls } = engine.host;
    const { quirks } = platform;
    const fd = syscalls.socket(engine.sockaddrs.af(this.family));
    if (fd < 0) return fd;
    this.fd = fd;
    const failed =
      (wishes.reusePort || wishes.reuseAddr ? this.#reuse(wishes) : 0) ||
      (kind === 'udp4' ? 0 : this.#chooseStack()) ||
      this.#ask(platform.requests[kind], wishes) ||
      this.#setUp(wishes);
    if (failed < 0) this.close();
    else if (quirks.minSendBuffer > 0) this.#makeRoom();
    if (failed === 0 && quirks.interfaceTakesRoom) this.#giveRoomBack();
    return failed;
  }

  /**
   * Makes a descriptor of somebody else's fit for us. It is closed by {@link close} from then on, unless it is
   * {@link disown disowned}: who adopts it has more to do that may fail.
   * @param release closes it in the place of close(2): a handle owns it
   */
  adopt(fd: number, wishes: Wishes, release?: () => void): number {
    const { platform, syscalls } = this.engine.host;
    const failed = syscalls.adopt(fd);
    if (failed < 0) return failed;
    this.close(); // one that a membership has opened early
    this.engine = this.engine.plain;
    this.fd = fd;
    this.#adopted = true;
    this.#release = release;
    this.#learnKind();
    this.setInt(platform.constants.SOL_SOCKET, platform.quirks.reuseAddr, 1); // as libuv does (uv__udp_open)
    this.#ask(platform.requests[this.kind], wishes);
    const failedLate = this.#setUp(wishes) || this.learnName();
    if (failedLate < 0) this.disown();
    return failedLate;
  }

  /** Gives an adopted descriptor back as it is. */
  disown(): void {
    this.#release = undefined;
    this.fd = -1;
    this.#adopted = false;
  }

  bind(address: SocketAddress, port: number): number {
    const { platform, syscalls } = this.engine.host;
    // A membership may have bound it to any port. libuv leaves it there on Windows; elsewhere the kernel refuses.
    if (platform.calls === 'winsock' && this.#bound !== undefined) return 0;
    const failed = syscalls.bind(this.fd, this.engine.sockaddrs.encode(address, port));
    if (failed < 0) return failed;
    // Which port it is, where any will do, is not asked before somebody wants to know.
    const asAsked = platform.quirks.bindsAsAsked === true && !(address.family === 6 && isLinkLocal(address));
    if (!asAsked) return this.learnName();
    this.#isBound(address, port);
    return 0;
  }

  bindAny(): number {
    return this.bind(ANY[this.family], 0);
  }

  /**
   * A second descriptor on the same port, for one address of the host: a bound descriptor cannot be bound again. Both
   * receive until one of them is closed. undefined where that cannot be had, or others use this descriptor too.
   */
  secondDescriptor(address: SocketAddress, wishes: Wishes): Channel | undefined {
    if (this.fd < 0 || this.#adopted) return undefined;
    const { constants, quirks } = this.engine.host.platform;
    const second = new Channel(this.engine, this.kind, this.family);
    // Two descriptors on one port both have to allow it, at the time of the second bind().
    const allow = !wishes.reusePort && !wishes.reuseAddr;
    if (allow) this.setInt(constants.SOL_SOCKET, quirks.reuseAddr, 1);
    const failed = second.open(allow ? { ...wishes, reuseAddr: true } : wishes) || second.bind(address, this.port);
    if (allow) for (const one of [this, second]) one.setInt(constants.SOL_SOCKET, quirks.reuseAddr, 0);
    if (failed === 0) {
      second.inherit(this);
      return second;
    }
    second.close();
    return undefined;
  }

  /** Closes its descriptor and takes that of the other one. */
  takeOver(second: Channel): void {
    this.close();
    this.fd = second.fd;
    this.#bound = second.#bound;
    this.wildcard = second.wildcard;
    this.#port = second.#port;
    this.timed = second.timed;
    second.fd = -1;
  }

  connect(remote: Endpoint, port: number): number {
    const { syscalls } = this.engine.host;
    const failed = syscalls.connect(this.fd, this.engine.sockaddrs.encode(remote, port));
    return failed < 0 ? failed : this.learnName();
  }

  /** connect(2) with AF_UNSPEC. BSD and macOS do it, and then complain of the address. */
  disconnect(): number {
    const { platform, syscalls } = this.engine.host;
    const name = this.engine.sockaddrs.encode(ANY[4], 0);
    this.engine.sockaddrs.writeFamily(name, platform.constants.AF_UNSPEC);
    const failed = syscalls.connect(this.fd, name);
    const { EAFNOSUPPORT, EINVAL } = platform.errno;
    if (failed < 0 && failed !== -EAFNOSUPPORT && failed !== -EINVAL) return failed;
    return this.learnName();
  }

  /** Its own address, or -errno. */
  localName(): AddressInfo | number {
    return this.#name((fd, name) => this.engine.host.syscalls.getsockname(fd, name));
  }

  /** Its peer's address, or -errno. */
  peerName(): AddressInfo | number {
    return this.#name((fd, name) => this.engine.host.syscalls.getpeername(fd, name));
  }

  /** Idempotent. Whoever waits for the descriptor has to stop before. */
  close(): void {
    if (this.fd < 0) return;
    const release = this.#release;
    if (release !== undefined) release();
    else this.engine.host.syscalls.close(this.fd);
    this.#release = undefined;
    this.fd = -1;
  }

  #reuse(wishes: Wishes): number {
    const { constants, quirks } = this.engine.host.platform;
    return this.setInt(constants.SOL_SOCKET, wishes.reusePort ? quirks.reusePort : quirks.reuseAddr, 1);
  }

  /**
   * The default of some systems takes no large datagram, or never becomes writable for one (P34, P37). A refusal is no
   * failure: the send then says what is too large.
   */
  #makeRoom(): void {
    const { constants, quirks } = this.engine.host.platform;
    const { SOL_SOCKET, SO_SNDBUF } = constants;
    if (this.getInt(SOL_SOCKET, SO_SNDBUF) >= quirks.minSendBuffer) return;
    this.setInt(SOL_SOCKET, SO_SNDBUF, quirks.minSendBuffer);
  }

  /** For what the kernel is asked to tell beside each datagram, which it takes out of the same queue. */
  #giveRoomBack(): void {
    const { SOL_SOCKET, SO_RCVBUF } = this.engine.host.platform.constants;
    const bytes = this.getInt(SOL_SOCKET, SO_RCVBUF);
    if (bytes > 0) this.setInt(SOL_SOCKET, SO_RCVBUF, Math.ceil(bytes * TOLD));
  }

  #setUp(wishes: Wishes): number {
    const refusal = setUp(this, wishes);
    this.because = refusal?.because;
    return refusal?.result ?? 0;
  }

  /** Dual-stack or not is never left to the system's default. */
  #chooseStack(): number {
    const { constants, quirks } = this.engine.host.platform;
    const only = this.kind === 'udp6' || !quirks.dualStack;
    const result = this.setInt(constants.IPPROTO_IPV6, constants.IPV6_V6ONLY, only ? 1 : 0);
    return quirks.dualStack ? result : 0; // OpenBSD has no other way than 1, and does not like to be told
  }

  #ask(requests: readonly Request[], wishes: Wishes): number {
    const { platform } = this.engine.host;
    for (const request of requests) {
      const result = this.setInt(request.level, request.name, request.value ?? 1);
      if (result < 0 && request.optional !== true) return result;
    }
    for (const wish of wishes.asked) {
      const asked = platform.carried[wish];
      // An OS that does not know an option leaves the field out of rinfo; capabilities() says so.
      if ('because' in asked) continue;
      for (const { level, name, value } of asked[this.kind]) this.setInt(level, name, value ?? 1);
    }
    const overflow = wishes.asked.includes('recvDrops') ? platform.settings.overflow : undefined;
    if (overflow !== undefined && !missing(overflow)) {
      for (const { level, name, value } of overflow.ask[this.kind]) this.setInt(level, name, value ?? 1);
    }
    return 0;
  }

  /** Asks where it is bound. */
  learnName(): number {
    const length = this.engine.host.syscalls.getsockname(this.fd, sockname);
    if (length < 0) return length;
    const local = newRemote();
    this.engine.sockaddrs.read(sockname, socknameWords, 0, local);
    const { family, word0, word1, word2, word3, scope, port } = local;
    // Most sockets are bound to all addresses: one object for these.
    const any = (word0 | word1 | word2 | word3) === 0;
    this.#isBound(any ? ANY[family] : { family, word0, word1, word2, word3, scope }, port);
    return 0;
  }

  #isBound(address: SocketAddress, port: number): void {
    const { word0, word1, word2, word3 } = address;
    this.#bound = address;
    this.#port = port;
    this.wildcard = (word0 | word1 | word3) === 0 && (word2 === 0 || word2 === MAPPED); // ::ffff:0.0.0.0 is all of IPv4
  }

  /** What an adopted descriptor is: pktinfo is asked for by family. */
  #learnKind(): void {
    const { constants, quirks } = this.engine.host.platform;
    const name = this.localName();
    if (typeof name === 'number') return;
    this.family = name.family === 'IPv4' ? 4 : 6;
    const only = !quirks.dualStack || this.getInt(constants.IPPROTO_IPV6, constants.IPV6_V6ONLY) === 1;
    this.kind = this.family === 4 ? 'udp4' : only ? 'udp6' : 'dual';
  }

  #name(call: (fd: number, name: Buffer) => number): AddressInfo | number {
    if (this.fd < 0) return -this.engine.host.platform.errno.EBADF;
    const name = block(SOCKADDR_SPACE);
    const length = call(this.fd, name);
    if (length < 0) return length;
    const remote = newRemote();
    this.engine.sockaddrs.read(name, wordsOf(name), 0, remote);
    const address = this.engine.names.endpointOf(remote).text;
    return { address, family: remote.family === 4 ? 'IPv4' : 'IPv6', port: remote.port };
  }
}
