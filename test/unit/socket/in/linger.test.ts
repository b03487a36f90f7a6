import { Linger } from '../../../../src/socket/in/linger';

/** A loop whose turns take 2 µs each, and requests that come some µs after an answer. */
function setUp() {
  let now = 0;
  const immediates: (() => void)[] = [];
  const linger = new Linger(
    () => now / 1000,
    (look) => immediates.push(look),
  );
  /** → µs that the loop was kept awake for while nothing came */
  const request = (pause: number, answered = true): number => {
    const due = now + pause;
    let awake = 0;
    for (let look = immediates.shift(); look !== undefined && now < due; look = immediates.shift()) {
      now += 2;
      awake += 2;
      look();
    }
    immediates.length = 0; // what is left finds that a batch has come
    now = Math.max(now, due);
    linger.came(now / 1000);
    now += 10;
    linger.ended(answered, now / 1000);
    return awake;
  };
  const requests = (times: number, pause: number, answered = true) =>
    Array.from({ length: times }, () => request(pause, answered));
  return { linger, request, requests, immediates };
}

const sum = (numbers: readonly number[]) => numbers.reduce((a, b) => a + b, 0);

test('a client that takes turns is waited for with open eyes, after a few of its requests', () => {
  const { requests } = setUp();
  expect(sum(requests(9, 20))).toBe(0);
  expect(requests(5, 20)).toEqual([20, 20, 20, 20, 20]);
});

test('clients that let a while pass are not waited for', () => {
  const { requests } = setUp();
  expect(sum(requests(1000, 60))).toBe(0);
});

test('nobody is waited for who was not answered', () => {
  const { requests } = setUp();
  expect(sum(requests(1000, 20, false))).toBe(0);
});

test('it ends after 30 µs, and each time in vain it begins later', () => {
  const { requests } = setUp();
  const kept = (times: number) => requests(times, 45).filter((awake) => awake > 0).length;
  requests(10, 45);
  // After 8, 16, 32, … quick ones that it had slept before.
  expect(kept(1000)).toBeLessThan(8);
  expect(kept(10_000)).toBeLessThan(8);
  expect(sum(requests(10_000, 45))).toBeLessThan(100);
});

test('it begins earlier again where it pays', () => {
  const { requests } = setUp();
  requests(1000, 45);
  const before = requests(5000, 20).findIndex((awake) => awake > 0);
  expect(before).toBeGreaterThan(8);
  requests(100, 20);
  requests(1, 1000);
  expect(requests(30, 20).findIndex((awake) => awake > 0)).toBeLessThan(20); // 16, after one in vain
});

test('a socket that is closed keeps no loop awake', () => {
  const { linger, requests, immediates } = setUp();
  requests(20, 20);
  expect(immediates.length).toBe(1);
  linger.stop();
  immediates.shift()!();
  expect(immediates).toEqual([]);
});

test('a clock that stands still keeps no loop awake for ever', () => {
  const immediates: (() => void)[] = [];
  const linger = new Linger(
    () => 0,
    (look) => immediates.push(look),
  );
  for (let i = 0; i < 9; i++) {
    linger.came(0);
    linger.ended(true, 0);
  }
  let looks = 0;
  for (let look = immediates.shift(); look !== undefined; look = immediates.shift()) {
    look();
    looks++;
  }
  expect(looks).toBeLessThan(100);
});
