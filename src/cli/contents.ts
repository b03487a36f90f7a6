/** The bytes of a message as the JSON of `serve` and `send` has them. Pure. */

export interface Contents {
  /** bytes */
  readonly size: number;
  /** undefined where it is not UTF-8. */
  readonly text?: string;
  readonly base64: string;
}

export function contents(msg: Uint8Array): Contents {
  const bytes = Buffer.from(msg.buffer, msg.byteOffset, msg.length);
  const text = bytes.toString('utf8');
  const whole = bytes.equals(Buffer.from(text));
  return { size: bytes.length, ...(whole ? { text } : {}), base64: bytes.toString('base64') };
}
