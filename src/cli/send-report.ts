/** What `send` tells: to a person, or a JSON object per line (docs/command.md). */
import { contents } from './contents';
import type { Answer } from './question';
import { plain, quoted } from './quoted';
import type { RoundTrips } from './round-trips';
import type { Target } from './target';
import type { Terminal } from './terminal';
import { Throttle } from './throttle';
import { duration, place } from './units';

export interface Report {
  answer(answer: Answer): void;
  /** Nobody listens there. */
  refused(): void;
  timeout(): void;
  end(trips: RoundTrips): void;
}

const TEXT_COLUMNS = 200;

export class TextReport implements Report {
  readonly #asked: string;
  readonly #timeout: number;
  readonly #terminal: Terminal;
  readonly #many: boolean;
  readonly #lines: Throttle;
  readonly #complaints: Throttle;

  constructor(to: Target, timeout: number, terminal: Terminal, many: boolean) {
    this.#asked = place(to.address, to.port);
    this.#timeout = timeout;
    this.#terminal = terminal;
    this.#many = many;
    this.#lines = new Throttle((line) => terminal.print(line), { ready: () => terminal.ready });
    this.#complaints = new Throttle((line) => terminal.complain(line));
  }

  answer({ msg, address, port, time, expected }: Answer): void {
    const { style } = this.#terminal;
    const from = plain(place(address, port));
    this.#lines.add(() => {
      const text = style.bold(quoted(msg, TEXT_COLUMNS));
      return `${text} from ${expected ? style.green(from) : style.red(from)} in ${duration(time)}`;
    });
    if (!expected) this.#complaints.add(() => `answer from unexpected source ${from}, expected ${this.#asked}`);
  }

  refused(): void {
    this.#complaints.add(() => `connection refused: no program listens on ${this.#asked}`);
  }

  timeout(): void {
    this.#complaints.add(() => `no answer from ${this.#asked} within ${duration(this.#timeout)}`);
  }

  end(trips: RoundTrips): void {
    this.#lines.end();
    this.#complaints.end();
    if (this.#many) this.#terminal.print(String(trips));
  }
}

export class JsonReport implements Report {
  readonly #asked: { readonly address: string; readonly port: number };
  readonly #timeout: number;
  readonly #terminal: Terminal;

  constructor({ address, port }: Target, timeout: number, terminal: Terminal) {
    this.#asked = { address, port };
    this.#timeout = timeout;
    this.#terminal = terminal;
  }

  answer({ msg, address, port, time, expected }: Answer): void {
    const from = { address, port };
    this.#print({ event: 'answer', asked: this.#asked, from, expected, milliseconds: time, ...contents(msg) });
  }

  refused(): void {
    this.#print({ event: 'refused', asked: this.#asked });
  }

  timeout(): void {
    this.#print({ event: 'timeout', asked: this.#asked, milliseconds: this.#timeout });
  }

  end(trips: RoundTrips): void {
    const { sent, received, lost, unexpected, times } = trips;
    this.#print({ event: 'summary', sent, received, lost, unexpected, milliseconds: times });
  }

  #print(event: object): void {
    this.#terminal.print(JSON.stringify(event));
  }
}
