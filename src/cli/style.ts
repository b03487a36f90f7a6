/** Colours, or none. Pure. */
import * as util from 'node:util';

export interface Style {
  bold(text: string): string;
  dim(text: string): string;
  red(text: string): string;
  green(text: string): string;
  yellow(text: string): string;
}

type Format = keyof Style;

/** Node.js before 20.12 has no styleText: no colours there. */
const { styleText } = util as Partial<typeof import('node:util')>;

export function style(colour: boolean): Style {
  const paint = (format: Format) => (text: string) =>
    // Whether there are colours is decided here: newer Node.js would ask process.stdout, which may be somebody else's.
    colour && text !== '' && styleText !== undefined ? painted(styleText, format, text) : text;
  return { bold: paint('bold'), dim: paint('dim'), red: paint('red'), green: paint('green'), yellow: paint('yellow') };
}

function painted(paint: typeof util.styleText, format: Format, text: string): string {
  // Node.js 20's types have no third argument, and its styleText leaves it alone.
  return (paint as (format: Format, text: string, options: object) => string)(format, text, { validateStream: false });
}
