/** Where the command writes: how many lines, in which colours, and to nobody when nobody reads. */
import { EventEmitter } from 'node:events';
import { type Output, Terminal } from '../../src/cli/terminal';
import { Throttle } from '../../src/cli/throttle';

class Screen extends EventEmitter implements Output {
  text = '';
  readonly writableNeedDrain = false;
  readonly columns = 100;
  readonly isTTY: boolean;
  readonly colours: boolean;

  constructor(isTTY = false, colours = false) {
    super();
    this.isTTY = isTTY;
    this.colours = colours;
  }

  hasColors(): boolean {
    return this.colours;
  }

  write(text: string): void {
    this.text += text;
  }
}

describe('Terminal', () => {
  test('colours on a terminal that has them only', () => {
    const red = (screen: Screen) => new Terminal(screen, new Screen(), {}).style.red('x');
    expect(red(new Screen(true, true))).toBe('\x1b[31mx\x1b[39m');
    expect(red(new Screen(true, false))).toBe('x');
    expect(red(new Screen(false, true))).toBe('x');
  });

  test.each([
    ['1', 'colours'],
    ['3', 'colours'],
    ['', 'colours'],
    ['0', 'none'],
    ['false', 'none'],
  ])('FORCE_COLOR=%s holds for pipes and terminals: %s', (FORCE_COLOR, expected) => {
    for (const isTTY of [true, false]) {
      const terminal = new Terminal(new Screen(isTTY, !isTTY), new Screen(), { FORCE_COLOR });
      expect(terminal.style.red('x') === 'x' ? 'none' : 'colours').toBe(expected);
    }
  });

  test('progress stands on stderr where it is a terminal, and is taken away before anything is printed', () => {
    const [stdout, stderr] = [new Screen(), new Screen(true)];
    const terminal = new Terminal(stdout, stderr, {});
    terminal.progress('1 of 2');
    terminal.progress('2 of 2'); // too soon
    expect(stderr.text).toBe('\r\x1b[K1 of 2');
    terminal.print('result');
    terminal.print('another');
    expect(stderr.text).toBe('\r\x1b[K1 of 2\r\x1b[K');
    const piped = new Screen(false);
    new Terminal(stdout, piped, {}).progress('nobody sees it');
    expect(piped.text).toBe('');
  });

  test('a pipe has no width', () => {
    expect(new Terminal(new Screen(true), new Screen()).columns).toBe(100);
    expect(new Terminal(new Screen(false), new Screen()).columns).toBeUndefined();
  });

  test('results and complaints go different ways, one line each', () => {
    const [stdout, stderr] = [new Screen(), new Screen()];
    const terminal = new Terminal(stdout, stderr);
    terminal.print('result');
    terminal.complain('no\nluck\x1b[2J');
    terminal.complain('wrong', 'recvfromto send');
    expect(stdout.text).toBe('result\n');
    expect(stderr.text).toBe('recvfromto: no\\x0aluck\\x1b[2J\nrecvfromto send: wrong\n');
  });

  test('a reader who has gone is told once, before or after somebody asks', () => {
    const stdout = new Screen();
    const terminal = new Terminal(stdout, new Screen());
    const closed = jest.fn();
    terminal.onClosed(closed);
    stdout.emit('error', new Error('write EPIPE'));
    stdout.emit('error', new Error('write EPIPE'));
    terminal.print('lost');
    expect(closed).toHaveBeenCalledTimes(1);
    expect(stdout.text).toBe('');
    const late = jest.fn();
    terminal.onClosed(late);
    expect(late).toHaveBeenCalledTimes(1);
  });
});

describe('Throttle', () => {
  beforeEach(() => jest.useFakeTimers());
  afterEach(() => jest.useRealTimers());

  function throttle(limit: number, ready = () => true) {
    const lines: string[] = [];
    return { lines, throttle: new Throttle((line) => lines.push(line), { ready, limit }) };
  }

  test('prints so many lines a second, and how many it left out', () => {
    const { lines, throttle: some } = throttle(3);
    const made = jest.fn((n: number) => `line ${n}`);
    for (let n = 1; n <= 1500; n++) some.add(() => made(n));
    expect(lines).toEqual(['line 1', 'line 2', 'line 3']);
    expect(made).toHaveBeenCalledTimes(3);
    jest.advanceTimersByTime(1000);
    expect(lines.slice(3)).toEqual(['… and 1,497 more']);
    some.add(() => 'next second');
    expect(lines.at(-1)).toBe('next second');
  });

  test('says nothing when nothing was left out', () => {
    const { lines, throttle: some } = throttle(3);
    some.add(() => 'one');
    jest.advanceTimersByTime(5000);
    some.end();
    expect(lines).toEqual(['one']);
  });

  test('at its end it says what was left out, and leaves no timer', () => {
    const { lines, throttle: some } = throttle(1);
    some.add(() => 'one');
    some.add(() => 'two');
    some.end();
    expect(lines).toEqual(['one', '… and 1 more']);
    expect(jest.getTimerCount()).toBe(0);
  });

  test('nothing piles up before an output that waits for its reader', () => {
    let ready = false;
    const { lines, throttle: some } = throttle(10, () => ready);
    for (let n = 0; n < 5; n++) some.add(() => 'lost');
    expect(lines).toEqual([]);
    ready = true;
    jest.advanceTimersByTime(1000);
    expect(lines).toEqual(['… and 5 more']);
  });
});
