/**
 * Errors in Node's own forms: misuse with dgram's ERR_* codes and messages (lib/internal/errors.js), kernel errors as
 * ErrnoException and ExceptionWithHostPort make them. Imports nothing of ours.
 */
import { inspect } from 'node:util';

/** An error that programs tell by its code. */
export interface CodedError extends Error {
  /** `'ERR_…'` for misuse, errno's name (`'EADDRINUSE'`) from the kernel. */
  code: string;
}

/** A kernel error: `code` is errno's name, `errno` negative as in libuv, `syscall` what was tried. */
export interface SystemError extends CodedError {
  /** Negative, libuv's number on this OS. */
  errno: number;
  /** What was tried: `'bind'`, `'send'`, … */
  syscall: string;
  /** Where to, or what was to be bound. */
  address?: string;
  /** Its port. */
  port?: number;
  /** The source that was asked for. */
  localAddress?: string;
}

/** Where a call was aimed at; what is present goes into message and properties. */
export interface ErrorPlace {
  readonly address?: string | undefined;
  readonly port?: number | undefined;
  readonly localAddress?: string | undefined;
}

/**
 * As ErrnoException makes one, or with a place ExceptionWithHostPort.
 * @param errno negative, libuv's number on this OS
 */
export function systemError(code: string, errno: number, syscall: string, place?: ErrorPlace): SystemError {
  const { address, port, localAddress } = place ?? {};
  const at = port && port > 0 ? ` ${address}:${port}` : address ? ` ${address}` : '';
  const from = localAddress === undefined ? '' : ` from ${localAddress}`;
  const error = new Error(`${syscall} ${code}${at}${from}`) as SystemError;
  error.errno = errno;
  error.code = code;
  error.syscall = syscall;
  if (place !== undefined) error.address = address as string; // dgram's has one even where the user gave none
  if (port) error.port = port;
  if (localAddress !== undefined) error.localAddress = localAddress;
  return error;
}

type ErrorConstructor = new (message: string) => Error;

/** As Node makes its coded errors: the code stands in the stack's first line and in toString(), not in the name. */
function coded(Base: ErrorConstructor, code: string, message: string, name = Base.name): CodedError {
  const error = new Base(message) as CodedError;
  error.name = `${name} [${code}]`;
  void error.stack; // captured with the code in it
  delete (error as { name?: string }).name;
  error.code = code;
  return withCodeInText(error);
}

function withCodeInText(error: CodedError): CodedError {
  const value = () => `${error.name} [${error.code}]: ${error.message}`;
  return Object.defineProperty(error, 'toString', { value, configurable: true, writable: true });
}

export const badType = () =>
  coded(TypeError, 'ERR_SOCKET_BAD_TYPE', 'Bad socket type specified. Valid types are: udp4, udp6');
export const alreadyBound = () => coded(Error, 'ERR_SOCKET_ALREADY_BOUND', 'Socket is already bound');
export const notRunning = () => coded(Error, 'ERR_SOCKET_DGRAM_NOT_RUNNING', 'Not running');
export const alreadyConnected = () => coded(Error, 'ERR_SOCKET_DGRAM_IS_CONNECTED', 'Already connected');
export const notConnected = () => coded(Error, 'ERR_SOCKET_DGRAM_NOT_CONNECTED', 'Not connected');
export const unsendable = () =>
  coded(
    TypeError,
    'ERR_INVALID_HANDLE_TYPE',
    'This handle type cannot be sent: a socket of recvfromto has no handle of libuv. Hand its descriptor over by stdio, or let the child bind',
  );
export const badBufferSize = () =>
  coded(TypeError, 'ERR_SOCKET_BAD_BUFFER_SIZE', 'Buffer size must be a positive integer');
export const invalidFdType = (type: string) => coded(TypeError, 'ERR_INVALID_FD_TYPE', `Unsupported fd type: ${type}`);
export const missingArgs = (name: string) =>
  coded(TypeError, 'ERR_MISSING_ARGS', `The "${name}" argument must be specified`);
export const outOfBounds = (name: 'offset' | 'length') =>
  coded(RangeError, 'ERR_BUFFER_OUT_OF_BOUNDS', `"${name}" is outside of buffer bounds`);
export const invalidAddress = (address: unknown) =>
  coded(TypeError, 'ERR_INVALID_IP_ADDRESS', `Invalid IP address: ${String(address)}`);
export const ipBlocked = (address: string) =>
  coded(Error, 'ERR_IP_BLOCKED', `IP(${address}) is blocked by net.BlockList`);
export const outOfRange = (name: string, range: string, value: unknown) =>
  coded(
    RangeError,
    'ERR_OUT_OF_RANGE',
    `The value of "${name}" is out of range. It must be ${range}. Received ${separated(value)}`,
  );
export const badPort = (port: unknown, zero: boolean, name = 'Port') =>
  coded(
    RangeError,
    'ERR_SOCKET_BAD_PORT',
    `${name} should be ${zero ? '>=' : '>'} 0 and < 65536. Received ${received(port)}.`,
  );
export const invalidArgValue = (name: string, value: unknown, reason: string) =>
  coded(
    TypeError,
    'ERR_INVALID_ARG_VALUE',
    `The ${name.includes('.') ? 'property' : 'argument'} '${name}' ${reason}. Received ${inspect(value).slice(0, 128)}`,
  );

/** `expected`: the words after "must be". */
export const invalidArgType = (name: string, expected: string, value: unknown) =>
  coded(TypeError, 'ERR_INVALID_ARG_TYPE', `The ${argument(name)} must be ${expected}. Received ${received(value)}`);

/** Node's "Buffer, TypedArray, …" message for something that is no message. */
export const invalidMessage = (name: string, value: unknown) =>
  invalidArgType(name, 'of type string or an instance of Buffer, TypedArray, or DataView', value);

/** In the form of Node's SystemError, whose `errno` and `syscall` read and write `info`, and which is printed with that. */
export function bufferSizeError(code: string, errno: number, message: string, syscall: string): CodedError {
  const info: Record<string, unknown> = { errno, code, message, syscall };
  const error = coded(
    Error,
    'ERR_SOCKET_BUFFER_SIZE',
    `Could not get or set buffer size: ${syscall} returned ${code} (${message})`,
    'SystemError',
  );
  const ofInfo = (name: string): PropertyDescriptor => ({
    get: () => info[name],
    set: (value) => {
      info[name] = value;
    },
    enumerable: true,
    configurable: true,
  });
  return Object.defineProperties(error, {
    name: { value: 'SystemError', configurable: true, writable: true },
    info: { value: info, enumerable: true, configurable: true },
    errno: ofInfo('errno'),
    syscall: ofInfo('syscall'),
    [inspect.custom]: {
      value: (_: unknown, options: object) => inspect(error, { ...options, getters: true, customInspect: false }),
      configurable: true,
      writable: true,
    },
  });
}

/** Ours: this OS, CPU or runtime is not supported. */
export const unsupportedPlatform = (message: string) => coded(Error, 'ERR_RECVFROMTO_UNSUPPORTED_PLATFORM', message);

/** Ours: an option that this OS has nothing for. `because`: the end of the sentence. */
export const unsupportedOption = (name: string, because: string) =>
  coded(Error, 'ERR_RECVFROMTO_UNSUPPORTED_OPTION', `${name} cannot be had here: ${because}`);

/** Ours: a source and a destination that do not fit each other; the kernel would ignore it or leak the packet. */
export const sourceMismatch = (localAddress: string, address: string, why: string) =>
  Object.assign(
    coded(Error, 'ERR_RECVFROMTO_SOURCE_MISMATCH', `Cannot send from ${localAddress} to ${address}: ${why}`),
    { address, localAddress },
  );

/** Ours: macOS routes by the interface of the source, and that one has no way to the peer. */
export const sourceUnreachable = (localAddress: string, address: string) =>
  Object.assign(
    coded(
      Error,
      'ERR_RECVFROMTO_SOURCE_UNREACHABLE',
      `Cannot send from ${localAddress} to ${address}: the interface that has this address has no route to the peer`,
    ),
    { address, localAddress },
  );

/** Ours: a datagram whose sender cannot be answered (port 0, multicast, broadcast or unspecified address). */
export const unanswerable = (address: string, port: number, why: string) =>
  Object.assign(coded(Error, 'ERR_RECVFROMTO_UNANSWERABLE', `Cannot reply to ${address}:${port}: ${why}`), {
    address,
    port,
  });

function argument(name: string): string {
  if (name.endsWith(' argument')) return name;
  return name.includes('.') ? `"${name}" property` : `"${name}" argument`;
}

/** ERR_OUT_OF_RANGE tells large integers with separators: 4_294_967_297. */
function separated(value: unknown): string {
  const large = Number.isInteger(value) && Math.abs(value as number) > 2 ** 32;
  return large ? String(value).replace(/\B(?=(\d{3})+$)/g, '_') : inspect(value);
}

/** determineSpecificType of lib/internal/errors.js. */
function received(value: unknown): string {
  if (value === null || value === undefined) return String(value);
  if (typeof value === 'function') return `function ${value.name}`;
  if (typeof value === 'object') {
    const name = value.constructor?.name;
    return name ? `an instance of ${name}` : inspect(value, { depth: -1 });
  }
  if (typeof value === 'string') {
    const text = value.length > 28 ? `${value.slice(0, 25)}...` : value;
    return `type string (${text.includes("'") ? JSON.stringify(text) : `'${text}'`})`;
  }
  return `type ${typeof value} (${inspect(value, { colors: false })})`;
}
