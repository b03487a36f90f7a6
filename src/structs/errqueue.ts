/** What Linux's error queue says of a datagram that could not be sent or came back as an ICMP message. */
import { declare } from './struct';

/** <linux/errqueue.h>. SO_EE_OFFENDER, the address of the host that complained, follows it at once. */
export const sock_extended_err = declare(({ uint32, uint8 }) => ({
  ee_errno: uint32,
  ee_origin: uint8,
  ee_type: uint8,
  ee_code: uint8,
  ee_pad: uint8,
  ee_info: uint32,
  ee_data: uint32,
}));
