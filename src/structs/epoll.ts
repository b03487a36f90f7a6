/** What epoll_wait(2) fills. `data` is the caller's own: ffi/wait/epoll.ts keeps a token in its first word. */
import { declare } from './struct';

/** Linux <sys/epoll.h>. */
export const epoll_event = declare(({ uint32, int64 }) => ({ events: uint32, data: int64 }));

/** x64 alone: EPOLL_PACKED, so that the layout is that of ia32. <bits/epoll.h> */
export const epoll_eventPacked = declare(({ uint32, int64 }) => ({ events: uint32, data: int64 }), { packed: true });
