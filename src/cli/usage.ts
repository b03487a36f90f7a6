/** What --help prints. Each fits into 80 columns. */

export type CommandName = 'serve' | 'send' | 'doctor';

const MAIN = `Usage: recvfromto <command> [options]

UDP that knows which address it was asked on, and answers from it.

Commands:
  serve     an echo server on all addresses; a line per datagram
  send      sends a datagram, prints the answer and the address it came from
  doctor    proves on this machine that answers leave from the asked address

Options:
  -h, --help       this, or the help of a command: recvfromto serve --help
  -v, --version    the version

Try: recvfromto serve
     recvfromto send 127.0.0.2 5300 hello      (in another terminal)
`;

const SERVE = `Usage: recvfromto serve [options]

Echoes every datagram from the address that it was sent to, and prints a line
for each: from, to, interface, answered from. Ctrl-C ends it, with a summary.

Options:
  --port PORT    default 5300; 0: any that is free
  --host ADDR    only this address; default any: all addresses, IPv4 and IPv6
  --upper        answers in upper case
  --quiet        no line per datagram
  -h, --help     this

Exit status: 0 ended by a signal or its reader, 1 could not listen, 64 usage.
`;

const SEND = `Usage: recvfromto send <host> <port> [text] [options]

Sends text (default: hello) to host, waits for the answer, and prints it with
the time it took and the address it came from. Like dig, it tells an answer that
comes from another address than was asked.

To a multicast or broadcast address: prints all answers until the timeout.

  host           a name, 192.0.2.7, 2001:db8::7, fe80::1%eth0, 239.1.2.3, …
  port           1 to 65535
  text           may be empty (''); if it begins with -, write -- before it

Options:
  --from ADDR    the address of this host to send from; default: routing decides
  --count N      sends N, one after the other, and prints a summary; default 1
  --timeout MS   how long to wait for each answer; default 2000
  -h, --help     this

Exit status: 0 every datagram was answered, 1 not every one, or an error,
2 an answer came from an unexpected source, 64 usage, 130 ended by Ctrl-C.
`;

const DOCTOR = `Usage: recvfromto doctor [options]

Asks a server on all addresses at every address of this machine, and shows from
which one the answers come: with recvfromto, and with node:dgram. Then checks
broadcast, multicast, bad sources, sizes, and what the kernel reports. Nothing
leaves the machine.

Options:
  --json         the same facts as JSON
  -h, --help     this

Exit status: 0 all is right with recvfromto here, 1 it is not, 64 usage.
`;

const COMMANDS: Readonly<Record<CommandName, string>> = { serve: SERVE, send: SEND, doctor: DOCTOR };

/** Without a command: the help of all. */
export function usage(command?: CommandName): string {
  return command === undefined ? MAIN : COMMANDS[command];
}

/** <sysexits.h> EX_USAGE */
export const EX_USAGE = 64;

/** The command line is wrong; `message` is one line. */
export class UsageError extends Error {
  readonly command: CommandName | undefined;

  constructor(message: string, command?: CommandName) {
    super(message);
    this.name = 'UsageError';
    this.command = command;
  }
}
