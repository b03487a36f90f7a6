/**
 * `recvfromto send`: what dig is for DNS, for datagrams. The address that an answer comes from is the point of it: one
 * that was not asked is told, and is exit status 2.
 */
import { isIPv6 } from 'node:net';
import type { SendOptions } from './options';
import { type Answer, ask, type Question } from './question';
import { plain, quoted } from './quoted';
import { RoundTrips } from './round-trips';
import { type Target, target } from './target';
import type { Terminal } from './terminal';
import { Throttle } from './throttle';
import { duration, place } from './units';

const TEXT_COLUMNS = 200;
const EXIT = { answered: 0, unanswered: 1, unexpectedSource: 2, interrupted: 130 } as const;

export async function send(options: SendOptions, terminal: Terminal): Promise<number> {
  const { from, text, timeout, count } = options;
  const to = await target(options.host, options.port, from === undefined ? 0 : isIPv6(from) ? 6 : 4);
  const stop = new AbortController();
  let interrupted = false;
  const interrupt = () => {
    interrupted = true;
    stop.abort();
  };
  process.once('SIGINT', interrupt);
  terminal.onClosed(() => stop.abort());
  const reporter = new Reporter(to, timeout, terminal);
  try {
    const question = { target: to, text, from, timeout, signal: stop.signal };
    for (let left = count; left > 0 && !stop.signal.aborted; left--) await reporter.ask(question);
    return reporter.end(count > 1, interrupted);
  } finally {
    process.off('SIGINT', interrupt);
  }
}

/** Asks, and tells what comes of it. */
class Reporter {
  readonly #target: Target;
  readonly #timeout: number;
  readonly #terminal: Terminal;
  readonly #lines: Throttle;
  readonly #complaints: Throttle;
  readonly #trips = new RoundTrips();

  constructor(to: Target, timeout: number, terminal: Terminal) {
    this.#target = to;
    this.#timeout = timeout;
    this.#terminal = terminal;
    this.#lines = new Throttle(
      (line) => terminal.print(line),
      () => terminal.ready,
    );
    this.#complaints = new Throttle((line) => terminal.complain(line));
  }

  async ask(question: Question): Promise<void> {
    let expected = 0;
    let unexpected = 0;
    this.#trips.sent++;
    await ask(question, (answer) => {
      this.#tell(answer);
      this.#trips.add(answer.time);
      if (answer.expected) expected++;
      else unexpected++;
    });
    if (expected > 0) this.#trips.received++;
    this.#trips.unexpected += unexpected;
    if (expected + unexpected > 0) return;
    // Not a loss: nobody has waited for it long enough to know.
    if (question.signal.aborted) this.#trips.sent--;
    else this.#complaints.add(() => `no answer from ${this.#asked} within ${duration(this.#timeout)}`);
  }

  /** → exit status */
  end(many: boolean, interrupted: boolean): number {
    this.#lines.end();
    this.#complaints.end();
    if (many) this.#terminal.print(String(this.#trips));
    if (this.#trips.unexpected > 0) return EXIT.unexpectedSource;
    if (interrupted) return EXIT.interrupted;
    return this.#trips.lost > 0 ? EXIT.unanswered : EXIT.answered;
  }

  #tell({ msg, address, port, time, expected }: Answer): void {
    const { style } = this.#terminal;
    const from = plain(place(address, port));
    this.#lines.add(() => {
      const text = style.bold(quoted(msg, TEXT_COLUMNS));
      return `${text} from ${expected ? style.green(from) : style.red(from)} in ${duration(time)}`;
    });
    if (!expected) this.#complaints.add(() => `answer from unexpected source ${from}, expected ${this.#asked}`);
  }

  get #asked(): string {
    return place(this.#target.address, this.#target.port);
  }
}
