/** What poll(2) and WSAPoll look at. */
import { declare } from './struct';

/** <poll.h> of every Unix that we know. */
export const pollfd = declare(({ int32, int16 }) => ({ fd: int32, events: int16, revents: int16 }));

/** <winsock2.h>: a SOCKET is as wide as a pointer. */
export const wsapollfd = declare(({ size_t, int16 }) => ({ fd: size_t, events: int16, revents: int16 }));
