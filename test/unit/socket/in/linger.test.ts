import { Linger, NEVER, QUICK } from '../../../../src/socket/in/linger';

/** µs that it takes until a loop that sleeps is awake. */
const WAKE = 25;

/** A loop whose looks take 1 µs each, and whose work takes 5. */
function setUp() {
  let now = 0;
  let due = Number.POSITIVE_INFINITY;
  let looks = 0;
  const immediates: (() => void)[] = [];
  const linger = new Linger(
    () => now / 1000,
    () => {
      now += 1;
      looks++;
      if (now < due) return false;
      handle();
      return true;
    },
    (look) => void immediates.push(look),
  );
  let answered = true;
  function handle(): void {
    due = Number.POSITIVE_INFINITY;
    // It is told of what matters to it, as the loop does.
    if (linger.lingers || now / 1000 - linger.answered < QUICK) linger.came(now / 1000);
    now += 5;
    if (linger.told) linger.ended(answered, now / 1000);
    else linger.answered = answered ? now / 1000 : NEVER;
  }
  /** The next request is sent at `at`. → looks that it took; 0 where the loop slept */
  const request = (at: number, isAnswered = true): number => {
    due = at;
    looks = 0;
    answered = isAnswered;
    while (due !== Number.POSITIVE_INFINITY && immediates.length > 0) immediates.shift()?.();
    const spent = looks;
    if (due !== Number.POSITIVE_INFINITY) {
      now = Math.max(now, due) + WAKE;
      handle();
    }
    return spent;
  };
  return {
    request,
    immediates,
    /** A client that asks `pause` µs after each answer. */
    turns: (times: number, pause: number, isAnswered = true) =>
      Array.from({ length: times }, () => request(now + pause, isAnswered)),
    /** Requests every `interval` µs, whatever becomes of them. */
    rate: (times: number, interval: number) => {
      const start = now;
      return Array.from({ length: times }, (_, i) => request(start + (i + 1) * interval));
    },
    now: () => now,
  };
}

const sum = (numbers: readonly number[]) => numbers.reduce((a, b) => a + b, 0);

test('a client that takes turns is waited for with open eyes, after a few of its requests', () => {
  const { turns } = setUp();
  expect(sum(turns(9, 15))).toBe(0);
  const all = turns(500, 15);
  expect(all.filter((looks) => looks === 0 || looks > 20)).toEqual([]);
});

test('it is answered sooner', () => {
  const { turns, now } = setUp();
  turns(10, 15);
  const start = now();
  turns(100, 15);
  expect((now() - start) / 100).toBeLessThan(15 + WAKE);
});

test('requests that come at a rate of their own are not waited for, but for trials', () => {
  const { rate } = setUp();
  const looks = rate(20_000, 30);
  expect(looks.filter((one) => one > 0).length).toBeLessThan(500);
});

test('clients that let a while pass are not waited for', () => {
  const { turns } = setUp();
  expect(sum(turns(1000, 100))).toBe(0);
});

test('nobody is waited for who was not answered', () => {
  const { turns } = setUp();
  expect(sum(turns(1000, 15, false))).toBe(0);
});

test('it ends after 50 µs, and each time in vain it begins later', () => {
  const { turns } = setUp();
  const kept = (times: number) => turns(times, 54).filter((looks) => looks > 0).length;
  turns(10, 54);
  // After 8, 16, 32, … quick ones that it had slept before.
  expect(kept(1000)).toBeLessThan(9);
  expect(kept(10_000)).toBeLessThan(9);
});

test('it begins earlier again where it pays', () => {
  const { turns } = setUp();
  turns(1000, 54);
  const before = turns(5000, 15).findIndex((looks) => looks > 0);
  expect(before).toBeGreaterThan(8);
  turns(100, 15);
  turns(1, 1000);
  expect(turns(40, 15).findIndex((looks) => looks > 0)).toBeLessThan(20); // 16, after one in vain
});

test('a clock that stands still keeps no loop awake for ever', () => {
  const immediates: (() => void)[] = [];
  const linger = new Linger(
    () => 0,
    () => false,
    (look) => void immediates.push(look),
  );
  for (let i = 0; i < 9; i++) {
    linger.came(0);
    linger.ended(true, 0);
  }
  let turns = 0;
  for (let look = immediates.shift(); look !== undefined; look = immediates.shift()) {
    look();
    turns++;
  }
  expect(turns).toBeLessThan(100);
});

test('quick requests count in a row: one that was not quick begins the row anew', () => {
  const { turns, request, now } = setUp();
  for (let i = 0; i < 20; i++) {
    expect(sum(turns(7, 15))).toBe(0);
    request(now() + 1000);
  }
  expect(sum(turns(8, 15))).toBe(0);
  expect(sum(turns(3, 15))).toBeGreaterThan(0);
});
