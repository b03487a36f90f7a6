/** One host's calls together: the process's own, or a kernel model's. */
import type { Host } from '../ffi';
import type { LibcCalls } from '../ffi/libc-calls';
import { Control } from './control';
import { Datagrams } from './datagrams';
import { Descriptors } from './descriptors';
import { Messages } from './messages';
import type { Structs } from './struct-types';
import { structsOf } from './structs';
import { Waiter } from './wait';

export interface Libc {
  readonly structs: Structs;
  readonly descriptors: Descriptors;
  readonly datagrams: Datagrams;
  readonly messages: Messages;
  readonly control: Control;
}

export function createLibc(host: Host, calls: LibcCalls): Libc {
  const descriptors = new Descriptors(host, calls);
  const waiter = new Waiter(host);
  return {
    structs: structsOf(host.platform),
    descriptors,
    datagrams: new Datagrams(host, descriptors, waiter),
    messages: new Messages(host, descriptors, waiter),
    control: new Control(host.platform),
  };
}
