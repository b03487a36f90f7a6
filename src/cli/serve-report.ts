/** What `serve` tells: to a person, in columns and a summary at the end; or a JSON object per line (docs/command.md). */
import type { CodedError } from '../errors';
import type { RemoteInfo, ServerAddress } from '../index';
import { banner } from './banner';
import { contents } from './contents';
import { type Echo, EchoLines } from './echo-lines';
import { reason } from './failure';
import { ownAddresses } from './own-address';
import { summary } from './summary';
import { Tally } from './tally';
import type { Terminal } from './terminal';
import { Throttle } from './throttle';
import { place } from './units';

export interface Report {
  listening(server: ServerAddress): void;
  /** One datagram; `error`: why it was not answered. */
  datagram(msg: Buffer, rinfo: RemoteInfo, error: Error | null): void;
  failed(error: Error): void;
  /** @param dropped by the kernel @param time ms */
  end(dropped: number, time: number): void;
}

const UNKNOWN = 'unknown';

abstract class Counting {
  readonly destinations = new Tally();
  readonly refused = new Tally();
  readonly terminal: Terminal;
  readonly quiet: boolean;

  constructor(terminal: Terminal, quiet: boolean) {
    this.terminal = terminal;
    this.quiet = quiet;
  }

  /** → why it was not answered */
  count(rinfo: RemoteInfo, error: Error | null): string | undefined {
    this.destinations.add(rinfo.destination?.address ?? UNKNOWN);
    const why = error === null ? undefined : because(error, rinfo);
    if (why !== undefined) this.refused.add(why);
    return why;
  }
}

export class TextReport extends Counting implements Report {
  readonly #example: string;
  readonly #lines: EchoLines;
  readonly #throttle: Throttle;

  /** @param example an address to try: 127.0.0.2 shows more, where this machine has it */
  constructor(terminal: Terminal, quiet: boolean, example: string) {
    super(terminal, quiet);
    this.#example = example;
    const own = ownAddresses();
    const expected = { addresses: own.map(({ address }) => address), interfaces: own.map((one) => one.interface) };
    this.#lines = new EchoLines(terminal.style, expected);
    this.#throttle = new Throttle((line) => terminal.print(line), { ready: () => terminal.ready });
  }

  listening(server: ServerAddress): void {
    const { terminal } = this;
    const lines = banner(server, this.#example, terminal.style, terminal.columns);
    for (const line of [...lines, ...(this.quiet ? [] : this.#lines.head(terminal.columns))]) terminal.print(line);
  }

  datagram(msg: Buffer, rinfo: RemoteInfo, error: Error | null): void {
    const refused = this.count(rinfo, error);
    if (this.quiet) return;
    const { terminal } = this;
    this.#throttle.add(() => this.#lines.lines(echo(msg, rinfo, refused), terminal.columns));
  }

  failed(error: Error): void {
    this.#throttle.add(() => this.terminal.style.red(`error: ${reason(error)}`));
  }

  end(dropped: number, time: number): void {
    this.#throttle.end();
    const { terminal, destinations, refused } = this;
    for (const line of summary({ destinations, refused, dropped, time }, terminal.style)) terminal.print(line);
  }
}

/** Every datagram, as long as the reader keeps up; what is left out is counted. */
export class JsonReport extends Counting implements Report {
  readonly #throttle: Throttle;

  constructor(terminal: Terminal, quiet: boolean) {
    super(terminal, quiet);
    const more = (count: number) => JSON.stringify({ event: 'skipped', count });
    const ready = () => terminal.ready;
    this.#throttle = new Throttle((line) => terminal.print(line), { ready, limit: Number.POSITIVE_INFINITY, more });
  }

  listening({ port, ipv4, ipv6 }: ServerAddress): void {
    const addresses = [ipv4, ipv6].flatMap((one) => (one === undefined ? [] : [one.address]));
    this.#print({ event: 'listening', port, addresses });
  }

  datagram(msg: Buffer, rinfo: RemoteInfo, error: Error | null): void {
    const notAnswered = this.count(rinfo, error) ?? null;
    if (this.quiet) return;
    const { address, port, destination, localAddress } = rinfo;
    this.#throttle.add(() =>
      JSON.stringify({
        event: 'datagram',
        from: { address, port },
        to: destination === undefined ? null : { address: destination.address, port: destination.port },
        interface: destination?.interface ?? null,
        answeredFrom: notAnswered === null ? (localAddress ?? null) : null,
        notAnswered,
        ...contents(msg),
      }),
    );
  }

  failed(error: Error): void {
    this.#print({ event: 'error', code: (error as CodedError).code ?? null, message: reason(error) });
  }

  end(dropped: number, time: number): void {
    this.#throttle.end();
    const of = (tally: Tally) => Object.fromEntries(tally.top(Number.POSITIVE_INFINITY).entries);
    const { destinations, refused } = this;
    this.#print({
      event: 'summary',
      datagrams: destinations.total,
      destinations: of(destinations),
      notAnswered: of(refused),
      droppedByKernel: dropped,
      milliseconds: Math.round(time),
    });
  }

  #print(event: object): void {
    this.terminal.print(JSON.stringify(event));
  }
}

function echo(msg: Buffer, rinfo: RemoteInfo, refused: string | undefined): Echo {
  const { address, port, destination, localAddress: answeredFrom } = rinfo;
  const to = destination?.address ?? UNKNOWN;
  return { from: place(address, port), to, via: destination?.interface ?? '?', answeredFrom, refused, msg };
}

/** The reason alone, where the line says the rest. */
function because(error: Error, { address, port }: RemoteInfo): string {
  const { code, message } = error as CodedError;
  if (code === 'EADDRNOTAVAIL') return 'the address it was sent to is gone';
  const start = `Cannot reply to ${address}:${port}: `;
  return message.startsWith(start) ? message.slice(start.length) : reason(error);
}
