/**
 * Offsets for the hot path, all read off struct types: what rings and the control walker compute with.
 * Called by the files of the operating systems when a Platform is built.
 */
import type { CmsghdrField } from '../structs/cmsghdr';
import type { MsghdrField } from '../structs/msghdr';
import type { Abi } from '../structs/ref';
import type { StructType } from '../structs/struct';
import type { ControlLayout, MessageLayout } from './platform';

/** One element of the array. */
interface Element {
  readonly size: number;
  readonly fields: Readonly<Record<'msg_hdr' | 'msg_len', { readonly offset: number }>>;
}

/** POSIX: `mmsghdr` around `msghdr`, scattered by `iovec`. */
export function messageLayout(
  abi: Abi,
  mmsghdr: Element,
  msghdr: Pick<StructType<MsghdrField>, 'fields'>,
  iovec: StructType<'iov_base' | 'iov_len'>,
): MessageLayout {
  const at = (field: MsghdrField) => mmsghdr.fields.msg_hdr.offset + msghdr.fields[field].offset;
  return {
    size: mmsghdr.size,
    name: at('msg_name'),
    namelen: at('msg_namelen'),
    iov: at('msg_iov'),
    iovlen: at('msg_iovlen'),
    control: at('msg_control'),
    controllen: at('msg_controllen'),
    flags: at('msg_flags'),
    len: mmsghdr.fields.msg_len.offset,
    iovec: { size: iovec.size, base: iovec.fields.iov_base.offset, len: iovec.fields.iov_len.offset },
    pointerSize: abi.pointerSize,
    littleEndian: abi.endianness === 'LE',
  };
}

/** recvmsg_x, macOS: the length is a field of the header. */
export function privateBatchLayout(
  abi: Abi,
  msghdr_x: StructType<MsghdrField | 'msg_datalen'>,
  iovec: StructType<'iov_base' | 'iov_len'>,
): MessageLayout {
  const { fields, size } = msghdr_x;
  const element = { size, fields: { msg_hdr: { offset: 0 }, msg_len: fields.msg_datalen } };
  return messageLayout(abi, element, msghdr_x, iovec);
}

type WSAMSGField = 'name' | 'namelen' | 'lpBuffers' | 'dwBufferCount' | 'Control' | 'dwFlags';

/** Winsock: a WSAMSG and the length that we keep beside it, scattered by WSABUF. */
export function winsockMessageLayout(
  abi: Abi,
  message: StructType<'msg_hdr' | 'msg_len'>,
  WSAMSG: StructType<WSAMSGField>,
  WSABUF: StructType<'len' | 'buf'>,
): MessageLayout {
  const at = (field: WSAMSGField) => message.fields.msg_hdr.offset + WSAMSG.fields[field].offset;
  return {
    size: message.size,
    name: at('name'),
    namelen: at('namelen'),
    iov: at('lpBuffers'),
    iovlen: at('dwBufferCount'),
    control: at('Control') + WSABUF.fields.buf.offset,
    controllen: at('Control') + WSABUF.fields.len.offset,
    flags: at('dwFlags'),
    len: message.fields.msg_len.offset,
    iovec: { size: WSABUF.size, base: WSABUF.fields.buf.offset, len: WSABUF.fields.len.offset },
    pointerSize: abi.pointerSize,
    littleEndian: abi.endianness === 'LE',
  };
}

/** `align`: what the OS's CMSG_ALIGN rounds up to, a power of two. */
export function controlLayout(cmsghdr: StructType<CmsghdrField>, align: number): ControlLayout {
  return {
    data: (cmsghdr.size + align - 1) & -align,
    align,
    cmsg_len: cmsghdr.fields.cmsg_len.offset,
    cmsg_level: cmsghdr.fields.cmsg_level.offset,
    cmsg_type: cmsghdr.fields.cmsg_type.offset,
    headerSize: cmsghdr.size,
  };
}
