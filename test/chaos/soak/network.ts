/** A network namespace to be pestered: the loopback answers for all of 10.0.0.0/8, and a cable leads nowhere. */
import { spawnSync } from 'node:child_process';

export class Network {
  constructor() {
    this.#ip('link set lo up');
    this.#ip('route add local 10.0.0.0/8 dev lo');
    // Whoever is asked for there never answers: what is sent waits for an address until the queue is full.
    this.#ip('link add blocked0 type veth peer name blocked1');
    this.#ip('link set blocked1 up arp off');
    this.#ip('link set blocked0 up');
    this.#ip('addr add 192.168.77.1/24 dev blocked0');
  }

  addAddress(address: string): void {
    this.#ip(`addr add ${address}/32 dev lo`);
  }

  removeAddress(address: string): void {
    this.#ip(`addr del ${address}/32 dev lo`);
  }

  /** → its address */
  addInterface(name: string, subnet: number): string {
    const address = `172.20.${subnet}.1`;
    this.#ip(`link add ${name} type veth peer name ${name}p`);
    this.#ip(`link set ${name} up`);
    this.#ip(`link set ${name}p up`);
    this.#ip(`addr add ${address}/24 dev ${name}`);
    return address;
  }

  removeInterface(name: string): void {
    this.#ip(`link del ${name}`);
  }

  #ip(command: string): void {
    const { status, stderr } = spawnSync('ip', command.split(' '), { encoding: 'utf8' });
    if (status !== 0) throw new Error(`ip ${command}: ${stderr}`);
  }
}
