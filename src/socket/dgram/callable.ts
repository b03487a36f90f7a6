/**
 * dgram's Socket is a function from before there were classes, and programs use it so: `Socket.call(this, 'udp4')` with
 * util.inherits, `for (const name in socket)`. This gives a class of ours that face. Libraries that are handed a socket
 * ask `socket instanceof dgram.Socket`, so its objects inherit from dgram's as well, but nothing that they use.
 */
import { EventEmitter } from 'node:events';

type Constructor = abstract new (...args: never[]) => EventEmitter;

/**
 * @param initialise what Class's constructor does to a new object after super()
 * @param ancestor what the objects are to be instances of, too; it inherits from EventEmitter
 * @returns a function that makes one of `this`, with new and without. Its prototype has all
 * members of Class and of the classes below EventEmitter as its own, enumerable as dgram's are.
 */
export function callable<Class extends Constructor>(
  name: string,
  Class: Class,
  initialise: (self: InstanceType<Class>, args: Iterable<unknown>) => void,
  ancestor: { readonly prototype: EventEmitter },
): Class {
  // Named parameters only for the sake of `length`, which is dgram's 2.
  function Socket(this: InstanceType<Class>, _type: unknown, _listener: unknown): void {
    // In place, with new and without: an object that Class made would not have the hidden class that V8 keeps for ours, and a
    // thousand sockets would be a thousand shapes.
    (EventEmitter as unknown as () => void).call(this);
    // biome-ignore lint/complexity/noArguments: the number of arguments is part of what is passed on
    initialise(this, arguments);
  }
  const members: PropertyDescriptorMap = {};
  for (let level = Class.prototype; level !== EventEmitter.prototype; level = Object.getPrototypeOf(level)) {
    for (const key of Reflect.ownKeys(level)) {
      if (key === 'constructor' || Object.hasOwn(members, key)) continue;
      const member = Object.getOwnPropertyDescriptor(level, key) as PropertyDescriptor;
      member.enumerable = typeof key === 'string';
      members[key as string] = member;
    }
  }
  const made = { value: Socket, writable: true, configurable: true, enumerable: false };
  Object.defineProperties(Class.prototype, { ...members, constructor: made });
  Object.setPrototypeOf(Class.prototype, ancestor.prototype);
  Socket.prototype = Class.prototype;
  Object.defineProperty(Socket, 'name', { value: name });
  return Object.setPrototypeOf(Socket, EventEmitter);
}
