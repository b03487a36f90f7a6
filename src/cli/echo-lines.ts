/**
 * The lines of `serve`: one per datagram, in columns that keep their places. A datagram that does not fit into them, and
 * every one on a narrow screen, is stacked: two lines instead. A pipe has no width, and gets one line for each. Every text
 * has come from the network or the kernel, and is made harmless here. Pure.
 */
import { columnsOf, padded, plain, quoted } from './quoted';
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

/** The addresses and interfaces that may come, so that columns are as wide as they need. */
export interface Expected {
  readonly addresses: readonly string[];
  readonly interfaces: readonly string[];
}

const TITLES = ['FROM', 'TO', 'VIA', 'ANSWERED FROM'];
/** Room for IPv4 addresses, and for short names of interfaces. */
const LEAST = [21, 15, 4, 15];
/** `#65535` */
const PORT = 6;
const GAP = 2;
/** Columns of text where they are not limited by a screen, and the fewest where they are. */
const MOST_TEXT = 60;
const LEAST_TEXT = 12;

export class EchoLines {
  readonly #style: Style;
  readonly #wanted: readonly number[];

  constructor(style: Style, { addresses, interfaces }: Expected = { addresses: [], interfaces: [] }) {
    this.#style = style;
    const address = longest(addresses, 15);
    this.#wanted = [Math.max(address + PORT, 21), address, longest(interfaces, 4), address];
  }

  /** Titles of the columns; none where rows are stacked. */
  head(screen: number | undefined): string[] {
    const widths = this.#widths(screen);
    if (widths === undefined) return [];
    const titles = TITLES.map((title, at) => padded(title, widths[at] ?? 0));
    return [this.#style.dim([...titles, 'TEXT'].join(' '.repeat(GAP)))];
  }

  /** @param screen columns of the terminal, undefined where there is none */
  lines(echo: Echo, screen: number | undefined): string[] {
    const { from, to, via, refused, answeredFrom = "(kernel's choice)" } = echo;
    const texts = [from, to, via, ...(refused === undefined ? [answeredFrom] : [])].map(plain);
    const widths = this.#widths(screen);
    if (widths === undefined || (screen !== undefined && texts.some((text, at) => columnsOf(text) > widths[at]!))) {
      return this.#stacked(echo, texts, screen ?? MOST_TEXT);
    }
    const cells = aligned(texts, widths);
    const used = cells.reduce((sum, cell) => sum + columnsOf(cell) + GAP, 0);
    const painted = cells.map((cell, at) => this.#painted(cell, at, echo));
    return [[...painted, this.#end(echo, screen === undefined ? MOST_TEXT : screen - used)].join(' '.repeat(GAP))];
  }

  /** As wide as wanted, or as the screen allows; undefined where not even the least fits. */
  #widths(screen: number | undefined): readonly number[] | undefined {
    if (screen === undefined) return this.#wanted;
    const room = screen - LEAST_TEXT - GAP * LEAST.length;
    const sum = (widths: readonly number[]) => widths.reduce((total, width) => total + width, 0);
    if (sum(this.#wanted) <= room) return this.#wanted;
    return sum(LEAST) <= room ? LEAST : undefined;
  }

  #stacked(echo: Echo, [from, to, via, answered = '']: readonly string[], screen: number): string[] {
    const answer = answered === '' ? '' : `answered from ${this.#painted(answered, 3, echo)}  `;
    const used = answered === '' ? 2 : columnsOf(answered) + 18;
    return [`${from} → ${to} ${this.#style.dim(`via ${via}`)}`, `  ${answer}${this.#end(echo, screen - used)}`];
  }

  #painted(cell: string, at: number, { answeredFrom, to }: Echo): string {
    if (at === 2) return this.#style.dim(cell);
    return at === 3 && answeredFrom === to ? this.#style.green(cell) : cell;
  }

  /** The text, or why it was not answered. */
  #end({ refused, msg }: Echo, columns: number): string {
    if (refused !== undefined) return this.#style.yellow(`not answered: ${plain(refused)}`);
    return this.#style.dim(quoted(msg, Math.min(Math.max(columns, LEAST_TEXT), MOST_TEXT)));
  }
}

/** Pads to the columns' ends; one that is too long takes away from the padding of those behind it. */
function aligned(texts: readonly string[], widths: readonly number[]): string[] {
  let late = 0;
  return texts.map((text, at) => {
    const room = (widths[at] ?? 0) - late;
    late = Math.max(columnsOf(text) - room, 0);
    return padded(text, room);
  });
}

function longest(texts: readonly string[], least: number): number {
  return Math.max(least, ...texts.map((text) => columnsOf(plain(text))));
}
