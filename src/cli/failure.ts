/** From an error to the one line that a person can do something with. Pure. */
import { getSystemErrorMap } from 'node:util';
import type { CodedError, SystemError } from '../errors';
import { place } from './units';

/** Something went wrong that is nobody's bug: `message` is the whole line. Exit status 1. */
export class Failure extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'Failure';
  }
}

/** Why a server could not listen, with a hint. */
export function listenFailure(error: Error, port: number): Failure {
  const { code, address = 'this address' } = error as Partial<SystemError>;
  if (code?.startsWith('ERR_')) return new Failure(error.message);
  switch (code) {
    case 'EADDRINUSE':
      return new Failure(`port ${port} is in use by another program; choose another one with --port`);
    case 'EACCES':
      return new Failure(`port ${port} needs privileges; choose one above 1023 with --port`);
    case 'EADDRNOTAVAIL':
      return new Failure(
        `cannot listen on ${address}: it is no address of this host; leave --host out for all of them`,
      );
    case 'EINVAL':
      return new Failure(`cannot listen on ${address}: a link-local address needs a zone, as in fe80::1%eth0`);
    default:
      return new Failure(`cannot listen on port ${port}: ${reason(error)}`);
  }
}

/** Why a datagram could not be sent. */
export function sendFailure(error: Error, address: string, port: number, from: string | undefined): Failure {
  const { code } = error as Partial<CodedError>;
  const what = `cannot send to ${place(address, port)}`;
  switch (code) {
    case 'EADDRNOTAVAIL':
      if (from !== undefined) return new Failure(`cannot send from ${from}: it is no address of this host`);
      break;
    case 'ERR_RECVFROMTO_SOURCE_MISMATCH':
      return new Failure(error.message.replace(/^C/, 'c'));
    case 'EACCES':
      return new Failure(`${what}: permission denied; it is a broadcast address, or a firewall forbids it`);
    case 'EPERM':
      return new Failure(`${what}: a firewall forbids it (EPERM)`);
    case 'EMSGSIZE':
      return new Failure(`${what}: the text is too long for one datagram`);
    case 'EINVAL':
      if (/^fe[89ab]/i.test(address))
        return new Failure(`${what}: it needs the zone of an interface, as in fe80::1%eth0`);
      break;
  }
  return new Failure(`${what}: ${reason(error)}`);
}

/** Why a name could not be looked up. */
export function lookupFailure(error: Error, host: string, family: 0 | 4 | 6): Failure {
  const { code } = error as Partial<CodedError>;
  const kind = family === 0 ? '' : ` IPv${family}`;
  if (code === 'ENOTFOUND') return new Failure(`no${kind} address is known for ${host}`);
  if (code === 'EAI_AGAIN') return new Failure(`no name server answers, so ${host} cannot be looked up`);
  return new Failure(`cannot look up ${host}: ${reason(error)}`);
}

/** `network is unreachable (ENETUNREACH)`: what libuv calls a kernel's error; else the error's own words. */
export function reason(error: Error): string {
  const { errno, code } = error as Partial<SystemError>;
  const known = errno === undefined ? undefined : getSystemErrorMap().get(errno);
  return known === undefined ? error.message : `${known[1]} (${code})`;
}
