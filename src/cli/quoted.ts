/**
 * What came from the network, made harmless for a terminal: no byte of a datagram reaches it as a control character,
 * a direction mark or a line end, and nothing is longer than asked for. Pure.
 */
import stringWidth from 'string-width';
import { count } from './units';

/** Control, format (directions, zero width), private and unassigned characters, and the two Unicode line ends. */
const UNPRINTABLE = /[\p{C}\p{Zl}\p{Zp}]/u;
const NAMED: Readonly<Record<string, string>> = { '\n': '\\n', '\r': '\\r', '\t': '\\t', '"': '\\"', '\\': '\\\\' };

/** Below this a cut text says more than its size. */
const ROOM_FOR_SIZE = 30;

/**
 * A message as `"text"`, in at most `columns` columns: UTF-8 where it is UTF-8, else ASCII and `\xNN`. One that does not
 * fit ends in `…`, and its size is told where there is room.
 */
export function quoted(msg: Uint8Array, columns: number): string {
  const whole = cutTo(msg, columns - 2);
  if (!whole.cut) return `"${whole.text}"`;
  const size = columns < ROOM_FOR_SIZE ? '' : ` ${count(msg.length)} bytes`;
  return `"${cutTo(msg, columns - 3 - size.length).text}…"${size}`;
}

/** Text that should hold nothing bad (an address, the name of an interface, an error), in case it does. */
export function plain(text: string): string {
  return Array.from(text, (character) => (UNPRINTABLE.test(character) ? escaped(character) : character)).join('');
}

/** Columns that a text takes in a terminal, as far as one can know; colours take none. */
export function columnsOf(text: string): number {
  return stringWidth(text);
}

/** Fills it up with blanks to so many columns. */
export function padded(text: string, columns: number): string {
  return text + ' '.repeat(Math.max(columns - columnsOf(text), 0));
}

function cutTo(msg: Uint8Array, columns: number): { text: string; cut: boolean } {
  let text = '';
  let left = columns;
  for (const piece of pieces(msg, columns)) {
    left -= columnsOf(piece);
    if (left < 0) return { text, cut: true };
    text += piece;
  }
  return { text, cut: false };
}

/** The shown form of every character, of as many bytes as can matter: none takes more than four. */
function* pieces(msg: Uint8Array, columns: number): Generator<string> {
  const head = msg.subarray(0, 4 * (Math.max(columns, 0) + 1));
  const text = utf8(head, head.length < msg.length);
  if (text === undefined) for (const byte of head) yield byte < 0x80 ? shown(String.fromCharCode(byte)) : hex(byte);
  else for (const character of text) yield shown(character);
}

/** undefined when it is none. `cut`: the last character may be incomplete. */
function utf8(bytes: Uint8Array, cut: boolean): string | undefined {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes, { stream: cut });
  } catch {
    return undefined;
  }
}

function shown(character: string): string {
  return NAMED[character] ?? (UNPRINTABLE.test(character) ? escaped(character) : character);
}

function escaped(character: string): string {
  const code = character.codePointAt(0) ?? 0;
  return code < 0x80 ? hex(code) : `\\u{${code.toString(16)}}`;
}

function hex(byte: number): string {
  return `\\x${byte.toString(16).padStart(2, '0')}`;
}
