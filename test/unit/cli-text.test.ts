/** What the command prints, as pure functions of what happened. */
import { banner } from '../../src/cli/banner';
import { type Echo, EchoLines } from '../../src/cli/echo-lines';
import { listenFailure, lookupFailure, reason, sendFailure } from '../../src/cli/failure';
import { columnsOf, plain, quoted } from '../../src/cli/quoted';
import { RoundTrips } from '../../src/cli/round-trips';
import { style } from '../../src/cli/style';
import { summary } from '../../src/cli/summary';
import { Tally } from '../../src/cli/tally';
import { duration } from '../../src/cli/units';
import { upper } from '../../src/cli/upper';
import { systemError } from '../../src/errors';
import { uvErrno } from '../../src/ffi/uv-errno';

const none = style(false);
const bytes = (text: string, encoding: BufferEncoding = 'utf8') => Buffer.from(text, encoding);
/** What must never reach a terminal: C0, DEL, C1, directions, line ends. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: they are the point
const HARMFUL = /[\x00-\x1f\x7f-\x9f\u061c\u200b-\u200f\u2028-\u202e\u2066-\u2069\ufeff]/;

describe('quoted', () => {
  test.each([
    ['', '""'],
    ['hello', '"hello"'],
    ['grüße, 世界 🙂', '"grüße, 世界 🙂"'],
    ['a\nb\r\tc', '"a\\nb\\r\\tc"'],
    ['say "hi" \\', '"say \\"hi\\" \\\\"'],
    ['\x1b]0;owned\x07\x1b[2J', '"\\x1b]0;owned\\x07\\x1b[2J"'],
    ['\x7f\x80\x9b31m', '"\\x7f\\u{80}\\u{9b}31m"'],
    ['\u202egnp.exe', '"\\u{202e}gnp.exe"'],
    ['one\u2028two\ufeff', '"one\\u{2028}two\\u{feff}"'],
  ])('%j', (text, expected) => {
    expect(quoted(bytes(text), 60)).toBe(expected);
  });

  test('what is not UTF-8 is shown byte by byte', () => {
    expect(quoted(Buffer.from([0x61, 0xff, 0x00, 0x9b, 0x22]), 60)).toBe('"a\\xff\\x00\\x9b\\""');
    expect(quoted(bytes('c3', 'hex'), 60)).toBe('"\\xc3"');
  });

  test('what is long is cut, and its size is told', () => {
    expect(quoted(Buffer.alloc(1400, 'a'), 40)).toBe(`"${'a'.repeat(25)}…" 1,400 bytes`);
    expect(quoted(Buffer.alloc(1400, 'a'), 12)).toBe('"aaaaaaaaa…"');
    expect(quoted(Buffer.alloc(10, 'a'), 12)).toBe('"aaaaaaaaaa"');
    // cut inside of a character of four bytes
    expect(quoted(bytes('🙂'.repeat(9)), 12)).toBe('"🙂🙂🙂🙂…"');
  });

  test('every byte and many characters are harmless, and never wider than asked for', () => {
    const all = Buffer.from(Array.from({ length: 256 }, (_, byte) => byte));
    for (const msg of [
      all,
      bytes(all.toString('latin1')),
      bytes('\u200b\u2066\u{e0041}\u{1f600}\ud7ff\uffff'.repeat(9)),
    ]) {
      for (const columns of [12, 40, 100, 2000]) {
        const text = quoted(msg, columns);
        expect(text).not.toMatch(HARMFUL);
        expect(columnsOf(text)).toBeLessThanOrEqual(columns);
      }
    }
  });
});

test('plain leaves good text alone and escapes the rest', () => {
  expect(plain('fe80::1%eth0')).toBe('fe80::1%eth0');
  expect(plain('a\nb\x1b[0m\u202e')).toBe('a\\x0ab\\x1b[0m\\u{202e}');
});

test('colours only when asked for, and never around nothing', () => {
  expect(style(true).red('x')).toBe('\x1b[31mx\x1b[39m');
  expect(style(true).red('')).toBe('');
  expect(none.bold('x')).toBe('x');
});

test.each([
  [0.0412, '0.041 ms'],
  [1.234, '1.23 ms'],
  [12.34, '12.3 ms'],
  [123.4, '123 ms'],
  [50, '50 ms'],
  [2000, '2 s'],
  [1500, '1.5 s'],
  [12_345, '12 s'],
  [300_000, '5 min'],
  [8_640_000, '2.4 h'],
])('duration of %d ms', (ms, expected) => {
  expect(duration(ms)).toBe(expected);
});

describe('upper', () => {
  test.each([
    ['hello', 'HELLO'],
    ['grüße', 'GRÜSSE'],
    ['ΐ and ŉ grow, and stay', 'ΐ AND ŉ GROW, AND STAY'],
    ['\ufffd real', '\ufffd REAL'],
    ['', ''],
  ])('%s', (text, expected) => {
    expect(upper(bytes(text)).toString()).toBe(expected);
  });

  test('only ASCII where it is not UTF-8', () => {
    expect(upper(Buffer.from([0x61, 0xff, 0x7a, 0xe4, 0x5b]))).toEqual(Buffer.from([0x41, 0xff, 0x5a, 0xe4, 0x5b]));
  });

  test('never longer than what was asked', () => {
    for (let code = 0; code < 0x11000; code++) {
      if (code >= 0xd800 && code < 0xe000) continue;
      const msg = bytes(String.fromCodePoint(code));
      if (upper(msg).length > msg.length) throw new Error(`U+${code.toString(16)} grows`);
    }
  });
});

describe('the lines of serve', () => {
  const echo: Echo = {
    from: '127.0.0.1#45021',
    to: '127.0.0.2',
    via: 'lo',
    answeredFrom: '127.0.0.2',
    refused: undefined,
    msg: bytes('hello'),
  };
  const long: Echo = {
    ...echo,
    from: '2001:db8:1234:5678:9abc:def0:1234:5678#65535',
    to: '2001:db8:1234:5678:9abc:def0:1234:1',
    answeredFrom: '2001:db8:1234:5678:9abc:def0:1234:1',
  };

  const one = (lines: EchoLines, given: Echo, screen?: number) => lines.lines(given, screen).join('\n');

  test('stand in columns, under their heads', () => {
    const lines = new EchoLines(none);
    expect([...lines.head(undefined), ...lines.lines(echo, undefined)]).toEqual([
      'FROM                   TO               VIA   ANSWERED FROM    TEXT',
      '127.0.0.1#45021        127.0.0.2        lo    127.0.0.2        "hello"',
    ]);
  });

  test('why something was not answered stands in the place of the answer', () => {
    const refused = { ...echo, refused: 'port 0 takes no datagrams' };
    expect(one(new EchoLines(none), refused, 80)).toBe(
      '127.0.0.1#45021        127.0.0.2        lo    not answered: port 0 takes no datagrams',
    );
  });

  test('what the kernel does not tell is said', () => {
    expect(one(new EchoLines(none), { ...echo, answeredFrom: undefined }, 120)).toContain("(kernel's choice)");
  });

  test('columns are as wide as the addresses of this machine from the start, and keep their places', () => {
    const lines = new EchoLines(none, {
      addresses: [long.from.split('#')[0] as string, '127.0.0.1'],
      interfaces: ['wlp0s20f3'],
    });
    const before = one(lines, echo);
    const wide = one(lines, long);
    expect(wide).not.toContain('\n');
    expect(one(lines, echo)).toBe(before);
    expect(before.indexOf('lo ')).toBe(wide.indexOf('lo '));
    expect(before.indexOf('"hello"')).toBe(wide.indexOf('"hello"'));
    expect(lines.head(undefined)[0]?.indexOf('TEXT')).toBe(wide.indexOf('"hello"'));
  });

  test('what does not fit into the columns of a screen is stacked, and the others stay where they were', () => {
    const lines = new EchoLines(none);
    const before = one(lines, echo, 80);
    expect(lines.lines({ ...long, msg: Buffer.alloc(500, 'x') }, 80)).toEqual([
      `${long.from} → ${long.to} via lo`,
      expect.stringMatching(/^ {2}answered from 2001:db8:\S+ {2}"x+…"$/),
    ]);
    expect(one(lines, echo, 80)).toBe(before);
    const fits = one(lines, { ...echo, msg: Buffer.alloc(500, 'x') }, 80);
    expect(columnsOf(fits)).toBeLessThanOrEqual(80);
  });

  test('on a screen of 60 columns every one is stacked, in lines that fit', () => {
    const lines = new EchoLines(none);
    expect(lines.head(60)).toEqual([]);
    const stacked = lines.lines({ ...echo, msg: Buffer.alloc(500, 'x') }, 60);
    expect(stacked).toEqual([
      '127.0.0.1#45021 → 127.0.0.2 via lo',
      expect.stringMatching(/^ {2}answered from 127\.0\.0\.2 {2}"x+…"/),
    ]);
    for (const line of stacked) expect(columnsOf(line)).toBeLessThanOrEqual(60);
  });

  test('a pipe gets one line for each datagram, whatever it holds', () => {
    expect(new EchoLines(none).lines(long, undefined)).toHaveLength(1);
  });

  test('nothing from the network gets through', () => {
    const evil = { ...echo, from: 'fe80::1%\x1b[2J#1', to: '\u202e', via: '\x07', msg: bytes('\x1b]0;x\x07\n') };
    for (const screen of [undefined, 80, 40]) {
      for (const line of new EchoLines(none).lines(evil, screen)) expect(line).not.toMatch(HARMFUL);
      for (const line of new EchoLines(none).lines({ ...evil, refused: 'a\nb' }, screen))
        expect(line).not.toMatch(HARMFUL);
    }
  });

  test('colours do not move columns', () => {
    // biome-ignore lint/suspicious/noControlCharactersInRegex: SGR
    const bare = (text: string) => text.replace(/\x1b\[\d+m/g, '');
    for (const screen of [80, 60]) {
      expect(bare(one(new EchoLines(style(true)), echo, screen))).toBe(one(new EchoLines(none), echo, screen));
    }
  });
});

describe('banner', () => {
  const at = (address: string, family: 'IPv4' | 'IPv6') => ({ address, family, port: 5300 });

  test('says where it listens, and what to paste for each family', () => {
    const server = { port: 5300, ipv4: at('0.0.0.0', 'IPv4'), ipv6: at('::', 'IPv6') };
    expect(banner(server, '127.0.0.2', none)).toEqual([
      'recvfromto answers on all addresses, port 5300',
      '',
      '  IPv4  0.0.0.0#5300      try  npx recvfromto send 127.0.0.2 5300 hello',
      '  IPv6  ::#5300           try  npx recvfromto send ::1 5300 hello',
      '',
    ]);
  });

  test('on a narrow screen the commands stand below', () => {
    const server = { port: 5300, ipv4: at('0.0.0.0', 'IPv4') };
    expect(banner(server, '127.0.0.2', none, 60).slice(2)).toEqual([
      '  IPv4  0.0.0.0#5300',
      '    try npx recvfromto send 127.0.0.2 5300 hello',
      '',
    ]);
  });

  test('of one address: that one', () => {
    expect(banner({ port: 5300, ipv6: at('fe80::1%eth0', 'IPv6') }, '127.0.0.1', none).join('\n')).toBe(
      'recvfromto answers on one address, port 5300\n\n' +
        '  IPv6  fe80::1%eth0#5300  try  npx recvfromto send fe80::1%eth0 5300 hello\n',
    );
  });
});

describe('summary', () => {
  test('of nothing', () => {
    const empty = { destinations: new Tally(), refused: new Tally(), dropped: 0, time: 1500 };
    expect(summary(empty, none)).toEqual(['', '0 datagrams in 1.5 s']);
  });

  test('counts by destination, refusals by reason, and what the kernel dropped', () => {
    const destinations = new Tally();
    for (let i = 0; i < 1200; i++) destinations.add('127.0.0.2');
    destinations.add('::1');
    const refused = new Tally();
    refused.add('port 0 takes no datagrams');
    expect(summary({ destinations, refused, dropped: 7, time: 12_345 }, none)).toEqual([
      '',
      '1,201 datagrams in 12 s',
      '  1,200  to 127.0.0.2',
      '      1  to ::1',
      '1 not answered',
      '  1  port 0 takes no datagrams',
      '7 dropped by the kernel, because the queue was full',
    ]);
  });

  test('many destinations take few lines and little memory', () => {
    const destinations = new Tally(100);
    for (let i = 0; i < 5000; i++) destinations.add(`10.0.${i >> 8}.${i & 255}`);
    destinations.add('10.0.0.1');
    const lines = summary({ destinations, refused: new Tally(), dropped: 0, time: 1 }, none);
    expect(lines).toHaveLength(2 + 20 + 1);
    expect(lines[2]).toBe('      2  to 10.0.0.1');
    expect(lines.at(-1)).toBe('  4,980  to other addresses');
  });
});

test('round trips', () => {
  const trips = new RoundTrips();
  trips.sent = 3;
  expect(String(trips)).toBe('3 sent, 0 received, 3 lost');
  for (const time of [0.1, 0.2, 0.6]) trips.add(time);
  trips.received = 2;
  trips.unexpected = 1;
  expect(String(trips)).toBe(
    '3 sent, 2 received, 1 lost, 1 from an unexpected source, rtt min/avg/max 0.100/0.300/0.600 ms',
  );
});

describe('failures are one line that says what to do', () => {
  const bind = (code: string, errno: number) => systemError(code, errno, 'bind', { address: '192.0.2.9', port: 53 });

  test.each([
    ['EADDRINUSE', -98, 'port 53 is in use by another program; choose another one with --port'],
    ['EACCES', -13, 'port 53 needs privileges; choose one above 1023 with --port'],
    [
      'EADDRNOTAVAIL',
      -99,
      'cannot listen on 192.0.2.9: it is no address of this host; leave --host out for all of them',
    ],
  ])('listening: %s', (code, errno, message) => {
    expect(listenFailure(bind(code, errno), 53).message).toBe(message);
  });

  test('sending', () => {
    const gone = systemError('EADDRNOTAVAIL', -99, 'send');
    expect(sendFailure(gone, '127.0.0.1', 9, '203.0.113.7').message).toBe(
      'cannot send from 203.0.113.7: it is no address of this host',
    );
    const place = 'cannot send to 192.0.2.9#9:';
    const message = (code: string) => sendFailure(systemError(code, -1, 'send'), '192.0.2.9', 9, undefined).message;
    expect(message('EMSGSIZE')).toBe(`${place} the text is too long for one datagram`);
    expect(message('EACCES')).toMatch(/^cannot send to 192.0.2.9#9: permission denied; it is a broadcast address/);
  });

  test('looking up', () => {
    const error = (code: string) => Object.assign(new Error(`getaddrinfo ${code} x`), { code });
    expect(lookupFailure(error('ENOTFOUND'), 'x', 0).message).toBe('no address is known for x');
    expect(lookupFailure(error('ENOTFOUND'), 'x', 6).message).toBe('no IPv6 address is known for x');
    expect(lookupFailure(error('EAI_AGAIN'), 'x', 0).message).toMatch(/^no name server answers/);
  });

  test('any other kernel error in libuv’s words, any other error in its own', () => {
    expect(reason(systemError('ENETUNREACH', uvErrno('ENETUNREACH', 0), 'send'))).toBe(
      'network is unreachable (ENETUNREACH)',
    );
    expect(reason(new Error('no luck'))).toBe('no luck');
  });
});
