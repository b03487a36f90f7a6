/** The text of `send`: from the command line, or what a pipe or a file holds. */
import { fstatSync } from 'node:fs';
import { buffer } from 'node:stream/consumers';

/** What is sent where nobody says what. */
const DEFAULT = 'hello';

/** @param text of the command line; `-`: all of stdin, byte by byte */
export async function message(text: string | undefined): Promise<Uint8Array> {
  if (text === '-') return buffer(process.stdin);
  if (text !== undefined) return Buffer.from(text);
  return isPiped() ? withoutLineEnd(await buffer(process.stdin)) : Buffer.from(DEFAULT);
}

/**
 * A pipe of a shell, or a file. Sockets are none: child processes of Node.js get one as stdin, which nobody may ever
 * write to or close.
 */
function isPiped(): boolean {
  try {
    const stats = fstatSync(0);
    return stats.isFIFO() || stats.isFile();
  } catch {
    return false; // closed
  }
}

/** The one that echo(1) adds. */
function withoutLineEnd(bytes: Buffer): Buffer {
  if (bytes.at(-1) !== 0x0a) return bytes;
  return bytes.subarray(0, bytes.at(-2) === 0x0d ? -2 : -1);
}
