/**
 * The lines of `serve`: one per datagram, in columns that grow with what they have to hold. Every text in them has
 * come from the network or the kernel, and is made harmless here. Pure.
 */
import { columnsOf, plain, quoted } from './quoted';
import type { Style } from './style';

/** What happened to one datagram. */
export interface Echo {
  readonly from: string;
  readonly to: string;
  readonly via: string;
  /** undefined where the kernel chose it. */
  readonly answeredFrom: string | undefined;
  /** Why it was not answered; undefined when it was. */
  readonly refused: string | undefined;
  readonly msg: Uint8Array;
}

const TITLES = ['FROM', 'TO', 'VIA', 'ANSWERED FROM', 'TEXT'];
/** Room for IPv4 addresses, and for short names of interfaces. */
const LEAST = [21, 15, 4, 15];
const GAP = 2;
/** Columns of text where they are not limited by a screen, and the fewest where they are. */
const MOST_TEXT = 60;
const LEAST_TEXT = 12;
/** Columns of text that a screen keeps: others grow no further then, and long addresses push theirs to the right. */
const KEPT_TEXT = 26;

export class EchoLines {
  readonly #style: Style;
  readonly #widths = [...LEAST];

  constructor(style: Style) {
    this.#style = style;
  }

  head(): string {
    return this.#style.dim(TITLES.map((title, at) => title.padEnd(this.#widths[at] ?? 0)).join(' '.repeat(GAP)));
  }

  /** @param screen columns of the terminal, undefined where there is none */
  line(echo: Echo, screen: number | undefined): string {
    const style = this.#style;
    const refused = echo.refused === undefined ? undefined : `not answered: ${plain(echo.refused)}`;
    const texts = [echo.from, echo.to, echo.via, echo.answeredFrom ?? "(kernel's choice)"].map(plain);
    if (refused !== undefined) texts.pop();
    const cells = this.#align(texts, screen);
    const used = cells.reduce((sum, cell) => sum + columnsOf(cell) + GAP, 0);
    const paint = echo.answeredFrom === echo.to ? style.green : (text: string) => text;
    const painted = cells.map((cell, at) => (at === 2 ? style.dim(cell) : at === 3 ? paint(cell) : cell));
    const columns = screen === undefined ? MOST_TEXT : Math.min(Math.max(screen - used, LEAST_TEXT), MOST_TEXT);
    painted.push(refused === undefined ? style.dim(quoted(echo.msg, columns)) : style.yellow(refused));
    return painted.join(' '.repeat(GAP));
  }

  /** Pads to the columns' ends; one that is too long takes away from the padding of those behind it. */
  #align(texts: readonly string[], screen: number | undefined): string[] {
    let late = 0;
    return texts.map((text, at) => {
      const columns = columnsOf(text);
      this.#grow(at, columns, screen);
      const room = this.#widths[at] ?? 0;
      const padding = Math.max(room - late - columns, 0);
      late = Math.max(late + columns - room, 0);
      return text + ' '.repeat(padding);
    });
  }

  #grow(at: number, columns: number, screen: number | undefined): void {
    const used = this.#widths.reduce((sum, width) => sum + width + GAP, 0);
    const left = screen === undefined ? Number.POSITIVE_INFINITY : Math.max(screen - KEPT_TEXT - used, 0);
    const width = this.#widths[at] ?? 0;
    if (columns - width <= left) this.#widths[at] = Math.max(width, columns);
  }
}
