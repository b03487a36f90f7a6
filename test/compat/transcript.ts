/**
 * What a scenario saw, as lines that can be compared. Values are spelled so that everything a program can act on shows
 * (an error's code, message, errno, syscall, address, port and own keys; a Buffer's bytes), and nothing that differs
 * from run to run: ports that the kernel chose are numbered in order of appearance.
 */

/** Below this the kernel chooses none. */
const FIRST_EPHEMERAL = 1024;
const SHOWN_OF_ERRORS = ['code', 'errno', 'syscall', 'address', 'port', 'info', 'name'] as const;

export class Transcript {
  readonly #lines: string[] = [];
  readonly #ports = new Map<number, string>();

  log(label: string, ...values: unknown[]): void {
    this.#lines.push([label, ...values.map((value) => this.spell(value))].join(' '));
  }

  /** Logs what `action` returns or throws. → what it returned */
  attempt<Result>(label: string, action: () => Result): Result | undefined {
    try {
      const result = action();
      this.log(`${label} →`, result);
      return result;
    } catch (error) {
      this.log(`${label} throws`, error);
      return undefined;
    }
  }

  /** From now on this port is told by this name. */
  namePort(port: number, name: string): void {
    if (port !== 0 && !this.#ports.has(port)) this.#ports.set(port, name);
  }

  /** With the ports' names in the place of their numbers, also inside of messages. */
  get lines(): string[] {
    const numbers = [...this.#ports.keys()];
    if (numbers.length === 0) return this.#lines;
    const pattern = new RegExp(`(?<![\\w.])(?:${numbers.join('|')})(?![\\w.])`, 'g');
    return this.#lines.map((line) => line.replace(pattern, (port) => this.#ports.get(Number(port)) ?? port));
  }

  spell(value: unknown): string {
    if (value instanceof Error) return this.#error(value);
    if (Buffer.isBuffer(value)) return `Buffer(${JSON.stringify(value.toString('latin1'))})`;
    if (typeof value === 'function') return `function ${value.name}`;
    if (typeof value === 'string') return JSON.stringify(value);
    if (typeof value === 'bigint') return `${value}n`;
    if (typeof value === 'symbol' || value === null || typeof value !== 'object') return String(value);
    if (Array.isArray(value)) return `[${value.map((each) => this.spell(each)).join(', ')}]`;
    const name = value.constructor?.name ?? 'null';
    if (name !== 'Object' && name !== 'null') return `<${name}>`;
    const { port } = value as { port?: unknown };
    if (typeof port === 'number' && port >= FIRST_EPHEMERAL) this.namePort(port, `PORT${this.#ports.size + 1}`);
    const entries = Object.entries(value).map(([key, each]) => `${key}: ${this.spell(each)}`);
    return `{ ${entries.join(', ')} }`;
  }

  #error(error: Error): string {
    const shown = SHOWN_OF_ERRORS.filter((key) => key in error).map(
      (key) => `${key}: ${this.spell((error as unknown as Record<string, unknown>)[key])}`,
    );
    const kind = error instanceof TypeError ? 'TypeError' : error instanceof RangeError ? 'RangeError' : 'Error';
    return `${kind} <${String(error)}> keys ${Object.keys(error).join(',')} { ${shown.join(', ')} }`;
  }
}
