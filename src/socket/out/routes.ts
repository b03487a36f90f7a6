/**
 * `stickySource: { follow: 'route' }`: does the route to a remote leave through another interface than its last request came
 * in by? WireGuard asks the same before it sends, and forgets the source then: a host that roams from one network to another
 * must not go on sending from an address of the one that it has left.
 */
import type { Endpoint } from '../../datagram/endpoint';
import type { Engine } from '../../datagram/engine';

/** ms between two looks at the route to one remote: each is a socket that is opened, connected and closed. */
const LOOK_AGAIN = 1000;

/** What is known of the way to one remote. */
export interface Way {
  /** The interface that its last request came in by; 0: not told. */
  ifindex: number;
  /** Those that have the address which the kernel would send to it from; undefined: that says nothing. */
  through: readonly number[] | undefined;
  /** When that was asked, in ms. */
  looked: number;
}

export class Routes {
  readonly #engine: Engine;

  constructor(engine: Engine) {
    this.#engine = engine;
  }

  /** Where it cannot be known it is said to be the same. @param now ms, on the engine's clock */
  isAnother(way: Way, remote: Endpoint, now: number): boolean {
    if (way.ifindex === 0) return false;
    if (now - way.looked >= LOOK_AGAIN) {
      way.looked = now;
      way.through = this.#towards(remote);
    }
    return way.through !== undefined && !way.through.includes(way.ifindex);
  }

  #towards(remote: Endpoint): readonly number[] | undefined {
    const { interfaces } = this.#engine.names;
    const to = this.#plain(remote);
    // What is sent to this host itself comes in by the loopback interface, from whichever address. A zone is an interface.
    if (to.scope !== 0 || to.loopback || interfaces.isLocal(to.text)) return undefined;
    const source = this.#engine.sourceFor(to);
    if (typeof source === 'number') return undefined; // no route at all: the kernel says so when it is sent
    const through = interfaces.indexesOf(this.#engine.names.endpointOf(source).text);
    return through.length === 0 ? undefined : through;
  }

  /** Not mapped. */
  #plain(end: Endpoint): Endpoint {
    return end.mapped ? this.#engine.names.endpointIPv4(end.word3) : end;
  }
}
