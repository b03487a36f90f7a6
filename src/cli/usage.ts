/** What is wrong with a command line. Pure. */

export type CommandName = 'serve' | 'send' | 'probe' | 'audit' | 'doctor';

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
