/**
 * Where a command writes: results to stdout, complaints and progress to stderr, one line at a time. A reader who has gone
 * (EPIPE: `recvfromto serve | head`) is no error; the command hears of it once and may end.
 */
import { WriteStream } from 'node:tty';
import { columnsOf, plain } from './quoted';
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

/** ECMA-48: to the start of the line, and erase it. */
const ERASE = '\r\x1b[K';
/** ms between two states of progress; people read no faster. */
const PROGRESS = 100;

export class Terminal {
  readonly style: Style;
  readonly #stdout: Output;
  readonly #stderr: Output;
  #closed = false;
  #whenClosed: (() => void) | undefined;
  /** When progress was shown last; undefined while none is on the screen. */
  #shown: number | undefined;

  constructor(stdout: Output = process.stdout, stderr: Output = process.stderr, env = process.env) {
    this.#stdout = stdout;
    this.#stderr = stderr;
    this.style = style(hasColours(stdout, env));
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
    this.clear();
    if (!this.#closed) this.#stdout.write(`${line}\n`);
  }

  /** One line on stderr. @param who says it */
  complain(line: string, who = 'recvfromto'): void {
    this.clear();
    this.#stderr.write(`${who}: ${plain(line)}\n`);
  }

  /** How far something has come, for people who watch: on stderr where it is a terminal, over what stood there before. */
  progress(text: string): void {
    const now = performance.now();
    if (this.#stderr.isTTY !== true || (this.#shown !== undefined && now - this.#shown < PROGRESS)) return;
    this.#shown = now;
    const { columns = 80 } = this.#stderr;
    const line = plain(text);
    this.#stderr.write(`${ERASE}${columnsOf(line) < columns ? line : `${line.slice(0, Math.max(columns - 2, 0))}…`}`);
  }

  /** Takes the progress away. */
  clear(): void {
    if (this.#shown === undefined) return;
    this.#shown = undefined;
    this.#stderr.write(ERASE);
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

/** As Node.js' own programs decide: FORCE_COLOR holds, for pipes too; else a terminal that has them. */
function hasColours(stdout: Output, env: NodeJS.ProcessEnv): boolean {
  if (env.FORCE_COLOR !== undefined) return WriteStream.prototype.getColorDepth.call({}, env) > 1;
  return stdout.isTTY === true && stdout.hasColors?.() === true;
}
