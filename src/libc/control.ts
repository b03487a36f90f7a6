/** The CMSG_* macros over structs that hold what they point at. Every step is checked against the control bytes. */
import { CMSG_ALIGN as align, CMSG_LEN as len, CMSG_SPACE as space } from '../datagram/control';
import { invalidArgType, invalidArgValue, outOfRange } from '../errors';
import type { Platform } from '../platform/platform';
import { checkInteger } from './check';
import { headerFields, partOf } from './header';
import { isInstance, type StructBase, view } from './struct';
import type { Cmsghdr, Msghdr, Struct, WsaMsg } from './struct-types';
import { structsOf } from './structs';

/** What CMSG_FIRSTHDR and CMSG_NXTHDR give. */
export type Header = Cmsghdr & Struct;

/** Larger than any control message is. */
const LARGEST = 2 ** 30;

/** Where a header stands, of those that CMSG_FIRSTHDR and CMSG_NXTHDR made. */
interface Place {
  readonly message: StructBase;
  readonly control: Buffer;
  readonly at: number;
}

export class Control {
  readonly #platform: Platform;
  readonly #name: 'cmsghdr' | 'WSACMSGHDR';
  readonly #places = new WeakMap<object, Place>();

  constructor(platform: Platform) {
    this.#platform = platform;
    this.#name = platform.calls === 'winsock' ? 'WSACMSGHDR' : 'cmsghdr';
  }

  CMSG_LEN(length: number): number {
    return len(this.#platform.cmsg, checkInteger('length', length, 0, LARGEST));
  }

  CMSG_SPACE(length: number): number {
    return space(this.#platform.cmsg, checkInteger('length', length, 0, LARGEST));
  }

  /** null where `msg_controllen` has no room for a header. */
  CMSG_FIRSTHDR(message: (Msghdr | WsaMsg) & Struct): Header | null {
    const fields = headerFields(this.#platform);
    const msg = this.#check('msg', message, fields.struct);
    const control = partOf(msg, fields.control, 'control');
    return control === undefined ? null : this.#header({ message: msg, control, at: 0 });
  }

  /**
   * The header behind one of CMSG_FIRSTHDR's or CMSG_NXTHDR's; null behind the last. A header whose `cmsg_len` is still 0
   * is there to be filled in; one whose `cmsg_len` leads out of the control bytes is not.
   */
  CMSG_NXTHDR(message: (Msghdr | WsaMsg) & Struct, header: Header): Header | null {
    const msg = this.#check('msg', message, headerFields(this.#platform).struct);
    const place = this.#places.get(this.#check('cmsg', header, this.#name));
    if (place === undefined || place.message !== msg) {
      throw invalidArgValue('cmsg', header, 'must come from CMSG_FIRSTHDR or CMSG_NXTHDR of the same message');
    }
    const { headerSize } = this.#platform.cmsg;
    const length = header.cmsg_len;
    if (length < headerSize || length > place.control.length - place.at) return null;
    return this.#header({ ...place, at: place.at + align(this.#platform.cmsg, length) });
  }

  #header(place: Place): Header | null {
    const { control, at } = place;
    if (control.length - at < this.#platform.cmsg.headerSize) return null;
    const header = new (structsOf(this.#platform)[this.#name])(control.subarray(at));
    if (header.cmsg_len > control.length - at) return null;
    this.#places.set(header, place);
    return header;
  }

  /**
   * The payload of a control message: the bytes themselves, as many as `cmsg_len` says. While that is 0, all that there
   * is room for, so that the payload may be written first.
   */
  CMSG_DATA(header: Header): Buffer {
    const { data } = this.#platform.cmsg;
    const bytes = view(this.#check('cmsg', header, this.#name));
    const length = header.cmsg_len;
    if (length === 0) return bytes.subarray(data);
    if (length >= data && length <= bytes.length) return bytes.subarray(data, length);
    throw outOfRange('cmsg.cmsg_len', `>= ${data} && <= ${bytes.length}`, length);
  }

  #check(what: string, value: unknown, name: 'msghdr' | 'WSAMSG' | 'cmsghdr' | 'WSACMSGHDR'): StructBase {
    if (isInstance(value, structsOf(this.#platform)[name])) return value;
    throw invalidArgType(what, `an instance of struct ${name}`, value);
  }
}
