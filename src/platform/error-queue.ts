/** What stands in Linux's error queue: IP_RECVERR and IPV6_RECVERR messages. ip(7), <linux/errqueue.h> */
import type { sock_extended_err } from '../structs/errqueue';
import type { sockaddr_in, sockaddr_in6 } from '../structs/sockaddr';
import type { ArrivedError, ControlView, ErrorArrival } from './platform';

interface Message {
  readonly level: number;
  readonly type: number;
}

type ExtendedErr = ReturnType<typeof sock_extended_err>;

/** An IPv4 socket's: behind the error a sockaddr_in, whose family is 0 where no host complained. */
export function errorArrival(
  message: Message,
  error: ExtendedErr,
  offender: ReturnType<typeof sockaddr_in>,
  AF_INET: number,
): ErrorArrival {
  const readError = errorReader(error);
  const family = error.size + offender.fields.sin_family.offset;
  const address = error.size + offender.fields.sin_addr.offset;
  return {
    ...message,
    size: address + offender.fields.sin_addr.type.size,
    read(control, at, arrived) {
      readError(control, at, arrived);
      if (control.bytes[at + family] !== AF_INET) return;
      arrived.offenderFamily = 4;
      arrived.offender0 = control.words[(at + address) >> 2];
    },
  };
}

/** An IPv6 socket's; an IPv4 host that complained to a dual-stack socket is mapped. */
export function error6Arrival(
  message: Message,
  error: ExtendedErr,
  offender: ReturnType<typeof sockaddr_in6>,
  AF_INET6: number,
): ErrorArrival {
  const readError = errorReader(error);
  const family = error.size + offender.fields.sin6_family.offset;
  const address = error.size + offender.fields.sin6_addr.offset;
  return {
    ...message,
    size: address + offender.fields.sin6_addr.type.size,
    read(control, at, arrived) {
      readError(control, at, arrived);
      if (control.bytes[at + family] !== AF_INET6) return;
      const word = (at + address) >> 2;
      arrived.offenderFamily = 6;
      arrived.offender0 = control.words[word];
      arrived.offender1 = control.words[word + 1];
      arrived.offender2 = control.words[word + 2];
      arrived.offender3 = control.words[word + 3];
    },
  };
}

function errorReader({ fields }: ExtendedErr) {
  const [errno, info, data] = [fields.ee_errno, fields.ee_info, fields.ee_data].map(({ offset }) => offset >> 2);
  const [origin, type, code] = [fields.ee_origin, fields.ee_type, fields.ee_code].map(({ offset }) => offset);
  return ({ bytes, words }: ControlView, at: number, arrived: ArrivedError): void => {
    const word = at >> 2;
    arrived.errno = words[word + errno];
    arrived.origin = bytes[at + origin];
    arrived.type = bytes[at + type];
    arrived.code = bytes[at + code];
    arrived.info = words[word + info] >>> 0;
    arrived.data = words[word + data] >>> 0;
    arrived.offenderFamily = 0;
  };
}
