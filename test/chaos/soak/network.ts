/** A network namespace to be pestered: the loopback answers for all of 10.0.0.0/8, and a cable leads nowhere. */
import { type ChildProcess, spawn } from 'node:child_process';

/** The changes are made by one ip(8), a moment later: a process for each would cost more than the rest. */
export class Network {
  readonly #ip: ChildProcess;

  constructor() {
    this.#ip = spawn('ip', ['-force', '-batch', '-'], { stdio: ['pipe', 'ignore', 'ignore'] });
    this.#do('link set lo up');
    this.#do('route add local 10.0.0.0/8 dev lo');
    // Whoever is asked for there never answers: what is sent waits for an address until the queue is full.
    this.#do('link add blocked0 type veth peer name blocked1');
    this.#do('link set blocked1 up arp off');
    this.#do('link set blocked0 up');
    this.#do('addr add 192.168.77.1/24 dev blocked0');
  }

  addAddress(address: string): void {
    this.#do(`addr add ${address}/32 dev lo`);
  }

  removeAddress(address: string): void {
    this.#do(`addr del ${address}/32 dev lo`);
  }

  /** → its address */
  addInterface(name: string, subnet: number): string {
    const address = `172.20.${subnet}.1`;
    this.#do(`link add ${name} type veth peer name ${name}p`);
    this.#do(`link set ${name} up`);
    this.#do(`link set ${name}p up`);
    this.#do(`addr add ${address}/24 dev ${name}`);
    return address;
  }

  removeInterface(name: string): void {
    this.#do(`link del ${name}`);
  }

  end(): void {
    this.#ip.stdin?.end();
  }

  #do(command: string): void {
    this.#ip.stdin?.write(`${command}\n`);
  }
}
