/** `serve --upper`. Pure. */

/**
 * Upper case, of UTF-8 where it is UTF-8, else of ASCII. Never longer than what was asked: a letter that would grow
 * stays as it is, or the answers of an open server would be larger than the requests of whoever forged their source.
 */
export function upper(msg: Uint8Array): Buffer {
  const bytes = Buffer.from(msg);
  const text = bytes.toString('utf8');
  if (text.length === bytes.length && !text.includes('\ufffd')) return Buffer.from(text.toUpperCase()); // ASCII
  const isText = bytes.equals(Buffer.from(text));
  if (isText) return Buffer.from(Array.from(text, upperCharacter).join(''));
  return Buffer.from(bytes.map((byte) => (byte >= 0x61 && byte <= 0x7a ? byte - 0x20 : byte)));
}

function upperCharacter(character: string): string {
  const large = character.toUpperCase();
  return Buffer.byteLength(large) <= Buffer.byteLength(character) ? large : character;
}
