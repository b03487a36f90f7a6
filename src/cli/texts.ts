/** What --help and the man page say besides names and options. */
import type { CommandName } from './usage';

export const DESCRIPTIONS: Readonly<Record<CommandName, string>> = {
  serve:
    'Echoes every datagram from the address that it was sent to, and prints a line for each: from, to, interface, ' +
    'answered from. Ctrl-C ends it, with a summary.',
  send:
    'Sends a text, waits for the answer, and prints it with the time it took and the address it came from. Like dig, it ' +
    'tells an answer that comes from another address than was asked.',
  probe:
    'Asks any UDP server, in whatever language, on each address of this machine or at the hosts given, and says from ' +
    'which address it answers.',
  audit:
    'Lists the UDP sockets of this machine that are bound to all addresses, with their programs, and which of them ' +
    'could answer from a wrong address. Linux.',
  doctor:
    'Asks a server on all addresses at every address of this machine, and shows from which one the answers come: with ' +
    'recvfromto, with node:dgram, and what clients on the network would get from node:dgram. Then checks broadcast, ' +
    'multicast, bad sources, sizes, and what the kernel reports.',
};

export const EXAMPLES = `
Try: recvfromto serve
     recvfromto send 127.0.0.2 5300 hello (another terminal)
     recvfromto probe 53`;

/** Paragraphs below the options; the last one is the exit status. */
export const NOTES: Readonly<Record<CommandName, readonly string[]>> = {
  serve: ['Exit status: 0 ended by a signal or its reader, 1 could not listen, 64 usage.'],
  send: [
    'To a multicast or broadcast address: prints all answers until the timeout. A text that begins with - stands ' +
      'behind --. Of a pipe, the line end at its end is not sent.',
    'Exit status: 0 every datagram was answered, 1 not every one, or an error, 2 an answer came from an unexpected ' +
      'source, 64 usage, 130 ended by Ctrl-C.',
  ],
  probe: [
    'A server that is bound to all addresses and leaves it to the kernel from which one to answer shows when it is ' +
      'asked on one address by a client on another one. Nothing is sent but questions, at most --tries for each address; ' +
      'where the port does not say of which protocol, one of each, which not every server bears: name it with --protocol.',
    'Exit status: 0 every answer came from the asked address, 1 no answer came, or an error, 2 an answer came from ' +
      'elsewhere, 64 usage.',
  ],
  audit: [
    'Reads /proc. Programs of other users are named to root only.',
    'Exit status: 0 listed, 1 could not, 64 usage.',
  ],
  doctor: ['Nothing leaves the machine.', 'Exit status: 0 all is right with recvfromto here, 1 it is not, 64 usage.'],
};
