/**
 * Where a command writes: results to stdout, complaints to stderr, one line at a time. A reader who has gone (EPIPE:
 * `recvfromto serve | head`) is no error; the command hears of it once and may end.
 */
import { plain } from './quoted';
import { type Style, style } from './style';

/** What is needed of process.stdout; a tty.WriteStream has more. */
export interface Output {
  readonly isTTY?: boolean;
  readonly columns?: number;
  readonly writableNeedDrain?: boolean;
  /** tty.WriteStream: heeds NO_COLOR, FORCE_COLOR, NODE_DISABLE_COLORS and TERM. */
  hasColors?(): boolean;
  write(text: string): unknown;
  on(event: 'error', listener: (error: Error) => void): unknown;
}

export class Terminal {
  readonly style: Style;
  readonly #stdout: Output;
  readonly #stderr: Output;
  #closed = false;
  #whenClosed: (() => void) | undefined;

  constructor(stdout: Output = process.stdout, stderr: Output = process.stderr) {
    this.#stdout = stdout;
    this.#stderr = stderr;
    this.style = style(stdout.isTTY === true && stdout.hasColors?.() === true);
    stdout.on('error', () => this.#close());
    stderr.on('error', () => {});
  }

  /** Width of the screen; undefined when the output is a pipe or a file. */
  get columns(): number | undefined {
    return this.#stdout.isTTY === true ? this.#stdout.columns : undefined;
  }

  /** May a line be written without piling up behind others? Pipes on Windows are asynchronous. */
  get ready(): boolean {
    return this.#stdout.writableNeedDrain !== true;
  }

  /** Every piece of it that came from outside has been made harmless by the caller: colours come this way, too. */
  print(line = ''): void {
    if (!this.#closed) this.#stdout.write(`${line}\n`);
  }

  /** One line on stderr. @param who says it */
  complain(line: string, who = 'recvfromto'): void {
    this.#stderr.write(`${who}: ${plain(line)}\n`);
  }

  /** `callback` is called when nobody reads stdout any more. */
  onClosed(callback: () => void): void {
    this.#whenClosed = callback;
    if (this.#closed) callback();
  }

  #close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#whenClosed?.();
  }
}
