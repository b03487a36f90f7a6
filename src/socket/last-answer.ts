/**
 * The answer that was sent last: whoever asks again from the same address, at the same one, is answered without another
 * look at what may be answered. It holds until interfaces may have changed, or the socket is connected.
 */
import type { Endpoint } from '../datagram/endpoint';
import type { Extras } from '../datagram/envelopes';
import type { RemoteInfo } from '../types';

export class LastAnswer {
  from: Endpoint | undefined;
  extras: Extras | undefined;
  port = 0;
  #remote: Endpoint | undefined;
  #address = '';
  #localAddress: string | undefined;
  #ifindex = 0;
  #generation = 0;

  /** @param generation of Names */
  learn(
    rinfo: RemoteInfo,
    generation: number,
    remote: Endpoint,
    from: Endpoint | undefined,
    extras: Extras | undefined,
  ): void {
    this.#remote = remote;
    this.from = from;
    this.extras = extras;
    this.#address = rinfo.address;
    this.port = rinfo.port;
    this.#localAddress = rinfo.localAddress;
    this.#ifindex = rinfo.destination?.ifindex ?? 0;
    this.#generation = generation;
  }

  forget(): void {
    this.#remote = undefined;
  }

  /** → the peer, if it is as an answer to `rinfo` would be */
  peerOf({ address, port, localAddress, destination }: RemoteInfo, generation: number): Endpoint | undefined {
    const fits =
      address === this.#address &&
      port === this.port &&
      localAddress === this.#localAddress &&
      (destination?.ifindex ?? 0) === this.#ifindex &&
      generation === this.#generation;
    return fits ? this.#remote : undefined;
  }
}
