/** A bounded map from up to seven 32-bit words to a value, for what would otherwise be made once per datagram: see {@link Records}. */
import { Records } from './records';

/** Words of a key. */
const WORDS = 7;
/** Of a record: the key, and its state. */
const STRIDE = 8;

/** Words that a kind of key does not use are 0. */
export class WordMap<Value> {
  readonly #records: Records<Value>;

  /** @param max entries of one generation, at least 1; there are two at most */
  constructor(max: number) {
    this.#records = new Records<Value>(max, WORDS, STRIDE, true);
  }

  get size(): number {
    return this.#records.size;
  }

  /** Never shrinks. */
  growTo(max: number): void {
    this.#records.growTo(max);
  }

  find(a: number, b: number, c: number, d: number, e: number, f = 0, g = 0): Value | undefined {
    this.#write(a, b, c, d, e, f, g);
    const at = this.#records.find(0);
    return at < 0 ? undefined : this.#records.valueAt(at);
  }

  /** → `value` */
  store(value: Value, a: number, b: number, c: number, d: number, e: number, f = 0, g = 0): Value {
    this.#write(a, b, c, d, e, f, g);
    this.#records.setValueAt(this.#records.add(0), value);
    return value;
  }

  clear(): void {
    this.#records.clear();
  }

  #write(a: number, b: number, c: number, d: number, e: number, f: number, g: number): void {
    const { key } = this.#records;
    key[0] = a;
    key[1] = b;
    key[2] = c;
    key[3] = d;
    key[4] = e;
    key[5] = f;
    key[6] = g;
  }
}
