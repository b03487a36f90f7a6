/**
 * Walks and builds control messages, for any OS: the layouts and the meaning of each message come from the Platform.
 * Lengths are checked here and nowhere else; readers only ever see payloads that are long enough.
 *
 *   cmsghdr        payload          cmsghdr        payload
 *   ┌────────┬────┬───────────┬────┬────────┬────┬──────────┬───┐
 *   │len lv t│pad │           │pad │len lv t│pad │          │pad│
 *   └────────┴────┴───────────┴────┴────────┴────┴──────────┴───┘
 *   0      CMSG_DATA     CMSG_LEN(n) CMSG_SPACE(n)          msg_controllen
 */
import type { Arrival, Arrived, ControlLayout, ControlView } from '../platform/platform';

/** A record for {@link readControl} to fill. */
export function newArrived(): Arrived {
  return {
    family: 0,
    destination0: 0,
    destination1: 0,
    destination2: 0,
    destination3: 0,
    specDst: 0,
    ifindex: 0,
    ttl: -1,
    tos: -1,
    drops: -1,
    seconds: -1,
    nanoseconds: 0,
    segment: 0,
    originalFamily: 0,
    original0: 0,
    original1: 0,
    original2: 0,
    original3: 0,
    originalPort: 0,
    mark: undefined,
  };
}

/** cmsg_len of a message with `size` bytes of payload. */
export function CMSG_LEN(layout: ControlLayout, size: number): number {
  return layout.data + size;
}

/** What one message with `size` bytes of payload takes up, padding included. */
export function CMSG_SPACE(layout: ControlLayout, size: number): number {
  return CMSG_ALIGN(layout, layout.data) + CMSG_ALIGN(layout, size);
}

export function CMSG_ALIGN(layout: ControlLayout, length: number): number {
  return (length + layout.align - 1) & -layout.align;
}

/**
 * Reads the control messages in `length` bytes from `start` on. Whatever the bytes are, it reads nothing outside them,
 * ends, and does not throw; a message that is unknown, too short or runs past the end says nothing.
 * @param start a multiple of 8
 */
export function readControl(
  layout: ControlLayout,
  arrivals: readonly Arrival[],
  control: ControlView,
  start: number,
  length: number,
  arrived: Arrived,
): void {
  arrived.family = 0;
  arrived.specDst = 0;
  arrived.ifindex = 0;
  arrived.ttl = -1;
  arrived.tos = -1;
  arrived.drops = -1;
  arrived.seconds = -1;
  arrived.segment = 0;
  arrived.originalFamily = 0;
  arrived.originalPort = 0;
  arrived.mark = undefined;
  walk(layout, arrivals, control, start, length, arrived);
}

/** A kind of control message, and what reads it. */
interface Reader<Into> {
  readonly level: number;
  readonly type: number;
  readonly size: number;
  read(control: ControlView, at: number, into: Into): void;
}

/** Has each control message in `length` bytes from `start` on read by whoever knows it. Safe as {@link readControl} is. */
export function walk<Into>(
  layout: ControlLayout,
  readers: readonly Reader<Into>[],
  control: ControlView,
  start: number,
  length: number,
  into: Into,
): void {
  const { words } = control;
  const end = Math.min(start + length, control.bytes.length);
  let at = start;
  while (at + layout.headerSize <= end) {
    const len = words[(at + layout.cmsg_len) >>> 2];
    if (len < layout.headerSize || len > end - at) return; // corrupt, or macOS' endless zero header (P20)
    const level = words[(at + layout.cmsg_level) >>> 2];
    const type = words[(at + layout.cmsg_type) >>> 2];
    for (let i = 0; i < readers.length; i++) {
      const arrival = readers[i];
      if (arrival.type !== type || arrival.level !== level) continue;
      if (len - layout.data >= arrival.size) arrival.read(control, at + layout.data, into);
      break;
    }
    at += CMSG_ALIGN(layout, len);
  }
}

/**
 * Writes a header at `at`; the payload belongs at the returned offset. What stood there before is gone: the upper half
 * of a 64-bit cmsg_len would otherwise be some byte of an earlier, longer message, and the kernel says EINVAL.
 */
export function writeHeader(
  layout: ControlLayout,
  control: ControlView,
  at: number,
  message: { readonly level: number; readonly type: number; readonly size: number },
): number {
  const { words } = control;
  for (let part = at; part < at + layout.data; part += 4) words[part >>> 2] = 0;
  words[(at + layout.cmsg_len) >>> 2] = CMSG_LEN(layout, message.size);
  words[(at + layout.cmsg_level) >>> 2] = message.level;
  words[(at + layout.cmsg_type) >>> 2] = message.type;
  return at + layout.data;
}
