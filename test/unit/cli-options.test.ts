/** From the command line to what a command reads, and what --help says. */
import type { ProbeOptions, SendOptions, ServeOptions } from '../../src/cli/options';
import { invocation } from '../../src/cli/program';
import { UsageError } from '../../src/cli/usage';

const call = (words: readonly string[], width?: number) => invocation(words, '1.2.3', width);
const line = (text: string) => call(text === '' ? [] : text.split(' '));
const help = (text: string, width?: number): string => {
  const { command, ...rest } = call(text === '' ? [] : text.split(' '), width);
  expect(command).toBe('help');
  return (rest as { text: string }).text;
};

const serve: ServeOptions = { port: 5300, host: undefined, groups: [], upper: false, quiet: false, json: false };
const send: SendOptions = {
  host: '127.0.0.2',
  port: 5300,
  text: undefined,
  from: undefined,
  count: 1,
  timeout: 2000,
  json: false,
};

test('serve', () => {
  expect(line('serve')).toEqual({ command: 'serve', options: serve });
  expect(line('serve --port 0 --host 127.0.0.2 --upper --quiet --json')).toEqual({
    command: 'serve',
    options: { ...serve, port: 0, host: '127.0.0.2', upper: true, quiet: true, json: true },
  });
  expect(line('serve --host any')).toEqual(line('serve'));
  expect(line('serve --host [::1] -p 9')).toMatchObject({ options: { host: '::1', port: 9 } });
});

test('serve --join takes groups, with the interface or without', () => {
  expect(line('serve --join 239.1.2.3 --join 224.0.0.9@eth0 --join ff02::1:5300%eth1')).toMatchObject({
    options: {
      groups: [
        { address: '239.1.2.3', via: undefined },
        { address: '224.0.0.9', via: 'eth0' },
        { address: 'ff02::1:5300', via: 'eth1' },
      ],
    },
  });
});

test('send', () => {
  expect(line('send 127.0.0.2 5300')).toEqual({ command: 'send', options: send });
  expect(line('send --from ::1 ::1 9 x --count 3 --timeout=50 --json')).toEqual({
    command: 'send',
    options: { host: '::1', port: 9, text: 'x', from: '::1', count: 3, timeout: 50, json: true },
  });
});

test.each([
  ['127.0.0.2:5300', '127.0.0.2', 5300, undefined],
  ['127.0.0.2#5300 text', '127.0.0.2', 5300, 'text'],
  ['localhost:53 text', 'localhost', 53, 'text'],
  ['[::1]:5300', '::1', 5300, undefined],
  ['[fe80::1%eth0]:5300 text', 'fe80::1%eth0', 5300, 'text'],
  ['fe80::1%eth0#5300', 'fe80::1%eth0', 5300, undefined],
  ['[::1] 53 text', '::1', 53, 'text'],
  ['::1 53', '::1', 53, undefined],
])('send %s', (words, host, port, text) => {
  expect(line(`send ${words}`)).toMatchObject({ options: { host, port, text } });
});

test('text may be empty, a dash, and may begin with a dash behind --', () => {
  expect(call(['send', 'h', '9', ''])).toMatchObject({ options: { text: '' } });
  expect(call(['send', 'h', '9', '-'])).toMatchObject({ options: { text: '-' } });
  expect(call(['send', 'h', '9', '--', '--from'])).toMatchObject({ options: { text: '--from' } });
});

test('probe', () => {
  const options: ProbeOptions = {
    port: 53,
    protocol: undefined,
    hosts: [],
    from: [],
    timeout: 500,
    tries: 3,
    json: false,
  };
  expect(line('probe 53')).toEqual({ command: 'probe', options });
  expect(
    line('probe 53 192.0.2.1 [::1] --protocol dns --from 10.0.0.1 --from ::1 --tries 1 --timeout 9 --json'),
  ).toEqual({
    command: 'probe',
    options: {
      port: 53,
      protocol: 'dns',
      hosts: ['192.0.2.1', '::1'],
      from: ['10.0.0.1', '::1'],
      timeout: 9,
      tries: 1,
      json: true,
    },
  });
});

test('audit, doctor and version', () => {
  expect(line('audit --json')).toEqual({ command: 'audit', options: { json: true } });
  expect(line('doctor --json')).toMatchObject({ command: 'doctor', options: { json: true } });
  expect(line('doctor')).toMatchObject({ command: 'doctor', options: { json: false } });
  for (const word of ['--version', '-v', 'version']) expect(line(word)).toEqual({ command: 'version', text: '1.2.3' });
});

test('help is the same, however it is asked for', () => {
  expect(help('')).toMatch(/^Usage: recvfromto /);
  for (const word of ['-h', '--help', 'help']) expect(help(word)).toBe(help(''));
  for (const name of ['serve', 'send', 'probe', 'audit', 'doctor']) {
    expect(help(`help ${name}`)).toMatch(new RegExp(`^Usage: recvfromto ${name} `));
    for (const word of ['-h', '--help']) expect(help(`${name} ${word}`)).toBe(help(`help ${name}`));
    expect(help('')).toMatch(new RegExp(`^ {2}${name} {2,}\\S`, 'm'));
    expect(help(`help ${name}`)).toMatch(/Exit status: 0 /);
  }
});

test.each([
  [100, 80],
  [80, 80],
  [60, 60],
])('on a screen of %d columns help takes %d', (screen, most) => {
  for (const name of ['', 'serve', 'send', 'probe', 'audit', 'doctor']) {
    for (const text of help(name === '' ? '' : `help ${name}`, screen).split('\n')) {
      expect(text.length).toBeLessThanOrEqual(most);
    }
  }
});

test.each([
  ['--foo', undefined, "unknown option '--foo'"],
  ['listen', undefined, "unknown command 'listen'"],
  ['sevre', undefined, "unknown command 'sevre'; did you mean serve?"],
  ['help sevre', undefined, 'there is no command sevre'],
  ['serve --foo', 'serve', "unknown option '--foo'"],
  ['serve --qiet', 'serve', "unknown option '--qiet'; did you mean --quiet?"],
  ['serve 5300', 'serve', "too many arguments for 'serve'. Expected 0 arguments but got 1"],
  ['serve --port', 'serve', '--port needs a value'],
  ['serve --port -1', 'serve', '--port needs a whole number from 0 to 65535, not -1'],
  ['serve --port=-1', 'serve', '--port needs a whole number from 0 to 65535, not -1'],
  ['serve --port 65536', 'serve', '--port needs a whole number from 0 to 65535, not 65536'],
  ['serve --port 0x10', 'serve', '--port needs a whole number from 0 to 65535, not 0x10'],
  ['serve --port=', 'serve', "--port needs a whole number from 0 to 65535, not ''"],
  ['serve --host=', 'serve', '--host needs an address, or any'],
  ['serve --join 192.0.2.1', 'serve', '--join needs a multicast address, as in 239.1.2.3@eth0, not 192.0.2.1'],
  ['send', 'send', 'needs a host and a port'],
  ['send localhost', 'send', 'needs a host and a port'],
  ['send localhost 0', 'send', 'port needs a whole number from 1 to 65535, not 0'],
  ['send localhost:', 'send', "port needs a whole number from 1 to 65535, not ''"],
  ['send localhost domain', 'send', 'port needs a whole number from 1 to 65535, not domain'],
  ['send localhost 9 two words', 'send', "one text only: quote it, as in 'two words'"],
  ['send localhost:9 two words', 'send', "one text only: quote it, as in 'two words'"],
  ['send localhost 9 --from localhost', 'send', '--from needs an IP address, not localhost'],
  ['send localhost 9 --count 0', 'send', '--count needs a whole number from 1 to 1000000, not 0'],
  ['send localhost 9 --timeout 1e3', 'send', '--timeout needs a whole number from 1 to 3600000, not 1e3'],
  ['probe', 'probe', "missing required argument 'port'"],
  ['probe domain', 'probe', 'port needs a whole number from 1 to 65535, not domain'],
  ['probe 53 --from me', 'probe', '--from needs an IP address, not me'],
  ['doctor --foo', 'doctor', "unknown option '--foo'"],
  ['doctor now', 'doctor', "too many arguments for 'doctor'. Expected 0 arguments but got 1"],
])('refuses: recvfromto %s', (text, command, message) => {
  const refusal = (() => {
    try {
      return line(text);
    } catch (error) {
      return error;
    }
  })();
  expect(refusal).toBeInstanceOf(UsageError);
  expect(refusal).toMatchObject({ message, command });
});
