/** From the command line to what a command reads. */
import { invocation } from '../../src/cli/options';
import { UsageError } from '../../src/cli/usage';

const line = (text: string) => invocation(text === '' ? [] : text.split(' '));

test('serve', () => {
  expect(line('serve')).toEqual({
    command: 'serve',
    options: { port: 5300, host: undefined, upper: false, quiet: false },
  });
  expect(line('serve --port 0 --host 127.0.0.2 --upper --quiet')).toEqual({
    command: 'serve',
    options: { port: 0, host: '127.0.0.2', upper: true, quiet: true },
  });
  expect(line('serve --host any')).toEqual(line('serve'));
});

test('send', () => {
  expect(line('send 127.0.0.2 5300')).toEqual({
    command: 'send',
    options: { host: '127.0.0.2', port: 5300, text: 'hello', from: undefined, count: 1, timeout: 2000 },
  });
  expect(line('send --from ::1 ::1 9 x --count 3 --timeout=50')).toEqual({
    command: 'send',
    options: { host: '::1', port: 9, text: 'x', from: '::1', count: 3, timeout: 50 },
  });
});

test('text may be empty, and may begin with a dash behind --', () => {
  expect(invocation(['send', 'h', '9', ''])).toMatchObject({ options: { text: '' } });
  expect(invocation(['send', 'h', '9', '--', '--from'])).toMatchObject({ options: { text: '--from' } });
});

test('doctor, help and version', () => {
  expect(line('doctor --json')).toEqual({ command: 'doctor', options: { json: true } });
  expect(line('doctor')).toEqual({ command: 'doctor', options: { json: false } });
  expect(line('--version')).toEqual({ command: 'version' });
  expect(line('-v')).toEqual({ command: 'version' });
  expect(line('-h')).toEqual({ command: 'help', of: undefined });
  for (const name of ['serve', 'send', 'doctor']) {
    expect(line(`${name} --help`)).toEqual({ command: 'help', of: name });
    expect(line(`${name} -h`)).toEqual({ command: 'help', of: name });
  }
});

test.each([
  ['', undefined, 'no command given: serve, send or doctor'],
  ['--foo', undefined, "unknown option '--foo'"],
  ['listen', undefined, 'unknown command listen'],
  ['serve --foo', 'serve', "unknown option '--foo'"],
  ['serve -p', 'serve', "unknown option '-p'"],
  ['serve 5300', 'serve', "unexpected argument '5300'"],
  ['serve --port', 'serve', '--port needs a value'],
  ['serve --port -1', 'serve', '--port needs a value'],
  ['serve --port=-1', 'serve', '--port needs a whole number from 0 to 65535, not -1'],
  ['serve --port 65536', 'serve', '--port needs a whole number from 0 to 65535, not 65536'],
  ['serve --port 0x10', 'serve', '--port needs a whole number from 0 to 65535, not 0x10'],
  ['serve --port=', 'serve', "--port needs a whole number from 0 to 65535, not ''"],
  ['serve --host=', 'serve', '--host needs an address, or any'],
  ['serve --quiet=yes', 'serve', "option '--quiet' does not take an argument"],
  ['send', 'send', 'needs a host and a port'],
  ['send localhost', 'send', 'needs a host and a port'],
  ['send localhost 0', 'send', 'port needs a whole number from 1 to 65535, not 0'],
  ['send localhost domain', 'send', 'port needs a whole number from 1 to 65535, not domain'],
  ['send localhost 9 two words', 'send', "one text only: quote it, as in 'two words'"],
  ['send localhost 9 --from localhost', 'send', '--from needs an IP address, not localhost'],
  ['send localhost 9 --count 0', 'send', '--count needs a whole number from 1 to 1000000, not 0'],
  ['send localhost 9 --timeout 1e3', 'send', '--timeout needs a whole number from 1 to 3600000, not 1e3'],
  ['doctor --foo', 'doctor', "unknown option '--foo'"],
  ['doctor now', 'doctor', "unexpected argument 'now'"],
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
