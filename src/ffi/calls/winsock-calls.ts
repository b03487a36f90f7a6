/**
 * The functions of Windows that winsock.ts calls, with the prototypes from Microsoft's headers beside them. All are
 * __stdcall, which matters on ia32 only. Knows no socket.
 */
import type { Koffi, Library, NativeFunction } from '../koffi';

/** A SOCKET is an unsigned pointer, but INVALID_SOCKET is easier seen as -1; its values fit 32 bits like all handles. */
export function declareWinsock(ws2_32: Library) {
  return {
    // int WSAAPI WSAStartup(WORD wVersionRequested, LPWSADATA lpWSAData);
    WSAStartup: ws2_32.func('int __stdcall WSAStartup(uint16_t, void *)'),
    // int WSAAPI WSAGetLastError();
    WSAGetLastError: ws2_32.func('int __stdcall WSAGetLastError()'),
    // SOCKET WSAAPI WSASocketW(int af, int type, int protocol, LPWSAPROTOCOL_INFOW lpProtocolInfo, GROUP g, DWORD dwFlags);
    WSASocketW: ws2_32.func('intptr_t __stdcall WSASocketW(int, int, int, void *, unsigned int, uint32_t)'),
    // int WSAAPI closesocket(SOCKET s);
    closesocket: ws2_32.func('int __stdcall closesocket(intptr_t)'),
    // int WSAAPI ioctlsocket(SOCKET s, long cmd, u_long *argp);
    ioctlsocket: ws2_32.func('int __stdcall ioctlsocket(intptr_t, int, void *)'),
    // int WSAAPI bind(SOCKET s, const struct sockaddr *name, int namelen);
    bind: ws2_32.func('int __stdcall bind(intptr_t, const void *, int)'),
    // int WSAAPI connect(SOCKET s, const struct sockaddr *name, int namelen);
    connect: ws2_32.func('int __stdcall connect(intptr_t, const void *, int)'),
    // int WSAAPI getsockname(SOCKET s, struct sockaddr *name, int *namelen);
    getsockname: ws2_32.func('int __stdcall getsockname(intptr_t, void *, void *)'),
    // int WSAAPI getpeername(SOCKET s, struct sockaddr *name, int *namelen);
    getpeername: ws2_32.func('int __stdcall getpeername(intptr_t, void *, void *)'),
    // int WSAAPI setsockopt(SOCKET s, int level, int optname, const char *optval, int optlen);
    setsockopt: ws2_32.func('int __stdcall setsockopt(intptr_t, int, int, const void *, int)'),
    // int WSAAPI getsockopt(SOCKET s, int level, int optname, char *optval, int *optlen);
    getsockopt: ws2_32.func('int __stdcall getsockopt(intptr_t, int, int, void *, void *)'),
    // int WSAAPI WSAPoll(LPWSAPOLLFD fdArray, ULONG fds, INT timeout);
    WSAPoll: ws2_32.func('int __stdcall WSAPoll(void *, uint32_t, int)'),
    // int WSAAPI WSAIoctl(SOCKET s, DWORD dwIoControlCode, LPVOID lpvInBuffer, DWORD cbInBuffer, LPVOID lpvOutBuffer,
    //   DWORD cbOutBuffer, LPDWORD lpcbBytesReturned, LPWSAOVERLAPPED, LPWSAOVERLAPPED_COMPLETION_ROUTINE);
    WSAIoctl: ws2_32.func(
      'int __stdcall WSAIoctl(intptr_t, uint32_t, void *, uint32_t, void *, uint32_t, void *, void *, void *)',
    ),
  };
}

/** kernel32.dll and iphlpapi.dll. */
export function declareSystem(kernel32: Library, iphlpapi: Library) {
  return {
    // BOOL SetHandleInformation(HANDLE hObject, DWORD dwMask, DWORD dwFlags);
    SetHandleInformation: kernel32.func('int __stdcall SetHandleInformation(intptr_t, uint32_t, uint32_t)'),
    // NETIO_STATUS NETIOAPI_API_ ConvertInterfaceIndexToLuid(NET_IFINDEX InterfaceIndex, PNET_LUID InterfaceLuid);
    ConvertInterfaceIndexToLuid: iphlpapi.func('uint32_t __stdcall ConvertInterfaceIndexToLuid(uint32_t, void *)'),
    // NETIO_STATUS NETIOAPI_API_ ConvertInterfaceLuidToIndex(const NET_LUID *InterfaceLuid, PNET_IFINDEX InterfaceIndex);
    ConvertInterfaceLuidToIndex: iphlpapi.func('uint32_t __stdcall ConvertInterfaceLuidToIndex(const void *, void *)'),
    // NETIO_STATUS NETIOAPI_API_ ConvertInterfaceLuidToAlias(const NET_LUID *, PWSTR InterfaceAlias, SIZE_T Length);
    ConvertInterfaceLuidToAlias: iphlpapi.func(
      'uint32_t __stdcall ConvertInterfaceLuidToAlias(const void *, void *, size_t)',
    ),
    // NETIO_STATUS NETIOAPI_API_ ConvertInterfaceAliasToLuid(const WCHAR *InterfaceAlias, PNET_LUID InterfaceLuid);
    ConvertInterfaceAliasToLuid: iphlpapi.func('uint32_t __stdcall ConvertInterfaceAliasToLuid(const void *, void *)'),
    // NET_IFINDEX NETIOAPI_API_ if_nametoindex(PCSTR InterfaceName);
    if_nametoindex: iphlpapi.func('uint32_t __stdcall if_nametoindex(const char *)'),
  };
}

/** <mswsock.h>: what SIO_GET_EXTENSION_FUNCTION_POINTER is asked with, as Windows lays a GUID out in memory. */
const WSAID_WSARECVMSG = 'c8d789f61f6f6b438a53e54fe351c322';
const WSAID_WSASENDMSG = '12e741a44f75ca4384a70dee44cf606d';

/** Functions that ws2_32 does not export (WSARecvMsg), or only with a detour: they belong to a socket's provider. */
export interface Extensions {
  readonly WSARecvMsg: NativeFunction;
  readonly WSASendMsg: NativeFunction;
}

/**
 * @param lookUp asks WSAIoctl for the pointer of a GUID; 0 or negative as `Syscalls` returns it
 * @returns negative where one of them is missing
 */
export function findExtensions(
  koffi: Koffi,
  pointerSize: 4 | 8,
  lookUp: (guid: Buffer, pointer: Buffer) => number,
): Extensions | number {
  const pointer = Buffer.alloc(pointerSize);
  const find = (guid: string, args: readonly string[]): NativeFunction | number => {
    const failed = lookUp(Buffer.from(guid, 'hex'), pointer);
    if (failed < 0) return failed;
    const address = pointerSize === 8 ? pointer.readBigUInt64LE() : pointer.readUInt32LE();
    return koffi.decode(address, koffi.proto('__stdcall', 'int', args));
  };
  // int WSARecvMsg(SOCKET s, LPWSAMSG lpMsg, LPDWORD lpdwNumberOfBytesRecvd, LPWSAOVERLAPPED, routine)
  const WSARecvMsg = find(WSAID_WSARECVMSG, ['intptr_t', 'void *', 'void *', 'void *', 'void *']);
  if (typeof WSARecvMsg === 'number') return WSARecvMsg;
  // int WSASendMsg(SOCKET s, LPWSAMSG lpMsg, DWORD dwFlags, LPDWORD lpNumberOfBytesSent, LPWSAOVERLAPPED, routine)
  const WSASendMsg = find(WSAID_WSASENDMSG, ['intptr_t', 'void *', 'uint32_t', 'void *', 'void *', 'void *']);
  if (typeof WSASendMsg === 'number') return WSASendMsg;
  return { WSARecvMsg, WSASendMsg };
}
