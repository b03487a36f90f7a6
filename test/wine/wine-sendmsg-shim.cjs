'use strict';
// TEST-ONLY.  Wine (8 and 10 alike) drops WSAMSG.Control in WSASendMsg.  This preload (node -r ./wine-sendmsg-shim.cjs ...)
// puts the missing half in place: it patches the first bytes of ws2_32!WSASendMsg with a jump to a JS callback which
//   1. reads the caller's WSAMSG / WSABUF / WSACMSGHDR bytes strictly, by koffi's own struct layout (not the library's offsets),
//   2. translates IN_PKTINFO / IN6_PKTINFO to Linux control messages,
//   3. performs the real Linux sendmsg(2) on the socket's Unix descriptor, by a raw syscall stub (17 bytes + return).
// Nothing is compiled.  x86_64 only; does nothing when not under Wine.
const koffi = require('koffi');
const fs = require('node:fs');
const ntdll = koffi.load('ntdll.dll');
let wineVersion = null;
try {
  wineVersion = ntdll.func('__cdecl', 'wine_get_version', 'str', [])();
} catch {
  /* real Windows */
}
exports.wineVersion = wineVersion;
exports.calls = [];
exports.strictErrors = [];
if (wineVersion && process.arch === 'x64') install();

function install() {
  const k32 = koffi.load('kernel32.dll');
  const VirtualAlloc = k32.func('__stdcall', 'VirtualAlloc', 'uintptr_t', ['uintptr_t', 'size_t', 'uint32', 'uint32']);
  const VirtualProtect = k32.func('__stdcall', 'VirtualProtect', 'int', ['uintptr_t', 'size_t', 'uint32', 'void *']);
  const SetLastError = k32.func('__stdcall', 'SetLastError', 'void', ['uint32']);
  const GetProcAddress = k32.func('__stdcall', 'GetProcAddress', 'uintptr_t', ['uintptr_t', 'str']);
  const GetModuleHandleA = k32.func('__stdcall', 'GetModuleHandleA', 'uintptr_t', ['str']);
  const handleToFd = ntdll.func('__cdecl', 'wine_server_handle_to_fd', 'uint32', [
    'uintptr_t',
    'uint32',
    'void *',
    'void *',
  ]);

  // long sys(nr, a1, a2, a3): win64 -> Linux syscall ABI
  const stub = Buffer.from(
    '5756' /*push rdi; push rsi*/ +
      '4889c8' /*mov rax,rcx*/ +
      '4889d7' /*mov rdi,rdx*/ +
      '4c89c6' /*mov rsi,r8*/ +
      '4c89ca' /*mov rdx,r9*/ +
      '0f05' /*syscall*/ +
      '5e5f' /*pop rsi; pop rdi*/ +
      'c3',
    'hex',
  );
  const page = BigInt(VirtualAlloc(0, 4096, 0x3000, 0x40));
  Buffer.from(koffi.view(page, 4096)).set(stub);
  const SysProto = koffi.proto('int64 WineShimSyscall(int64 nr, int64 a1, void *a2, int64 a3)');
  const sys = (nr, a1, a2, a3) => Number(koffi.call(page, SysProto, nr, a1, a2, a3));

  const WSABUF = koffi.struct({ len: 'uint32', buf: 'uintptr_t' });
  const WSAMSG = koffi.struct({
    name: 'uintptr_t',
    namelen: 'int',
    lpBuffers: 'uintptr_t',
    dwBufferCount: 'uint32',
    Control: WSABUF,
    dwFlags: 'uint32',
  });
  const HDR = koffi.struct({ cmsg_len: 'size_t', cmsg_level: 'int', cmsg_type: 'int' });
  const bytes = (p, n) => Buffer.from(koffi.decode(BigInt(p), koffi.array('uint8', n, 'Typed')));
  const blk = (n) => Buffer.from(new ArrayBuffer(Math.max(128, n)));
  const put = (b, o, buf) => b.writeBigUInt64LE(koffi.address(buf), o);
  const ERR = {
    1: 10013,
    11: 10035,
    13: 10013,
    14: 10014,
    22: 10022,
    90: 10040,
    97: 10047,
    99: 10049,
    100: 10050,
    101: 10051,
    105: 10055,
    107: 10057,
    111: 10061,
    113: 10065,
    88: 10038,
    9: 10038,
    19: 10022,
  };
  const fail = (code, why) => {
    if (why) exports.strictErrors.push(why);
    SetLastError(code);
    return -1;
  };

  let _keep; // eslint-disable-line
  function impl(s, msgPtr, _flags, nOut, ov, cr) {
    if (!msgPtr) return fail(10014);
    if (ov || cr) return fail(10045, 'overlapped send is not modelled');
    const m = koffi.decode(msgPtr, WSAMSG);
    if (m.dwFlags !== 0) exports.strictErrors.push('WSAMSG.dwFlags is not 0 on send');
    // address
    let name = null;
    if (m.name) {
      name = bytes(m.name, m.namelen);
      const f = name.readUInt16LE(0);
      if ((f === 2 && m.namelen < 16) || (f === 23 && m.namelen < 28) || (f !== 2 && f !== 23))
        return fail(10014, `sockaddr family ${f} with namelen ${m.namelen}`);
      if (f === 23) name.writeUInt16LE(10, 0);
      name = f === 2 ? name.subarray(0, 16) : name.subarray(0, 28);
    }
    const cm = [];
    const seen = { level: m.Control.len, cmsgs: [] };
    if (m.Control.len) {
      if (!m.Control.buf) return fail(10014, 'Control.len without a buffer');
      if (BigInt(m.Control.buf) & 7n) return fail(10022, 'control buffer is not 8-aligned');
      const c = bytes(m.Control.buf, m.Control.len);
      let o = 0;
      while (o < c.length) {
        if (o + koffi.sizeof(HDR) > c.length)
          return fail(10022, `Control.len leaves a fragment of a header: ${m.Control.len}`);
        const h = koffi.decode(c.subarray(o), HDR),
          len = Number(h.cmsg_len);
        if (len < 16 || o + len > c.length) return fail(10022, `cmsg_len ${len} at ${o} of ${c.length}`);
        const d = c.subarray(o + 16, o + len);
        seen.cmsgs.push({ level: h.cmsg_level, type: h.cmsg_type, data: d.toString('hex') });
        if (h.cmsg_level === 0 && h.cmsg_type === 19) {
          // IN_PKTINFO {addr, ifindex} -> {ifindex, spec_dst, addr}
          if (d.length !== 8) return fail(10022, `IN_PKTINFO length ${d.length}`);
          const l = Buffer.alloc(12);
          d.copy(l, 0, 4, 8);
          d.copy(l, 4, 0, 4);
          cm.push([0, 8, l]);
        } else if (h.cmsg_level === 41 && h.cmsg_type === 19) {
          // IN6_PKTINFO has the same members
          if (d.length !== 20) return fail(10022, `IN6_PKTINFO length ${d.length}`);
          cm.push([41, 50, Buffer.from(d)]);
        } else return fail(10022, `control message ${h.cmsg_level}/${h.cmsg_type} is not modelled`);
        o += (len + 7) & ~7;
      }
    }
    exports.calls.push(seen);
    // Linux msghdr
    const space = (n) => 16 + ((n + 7) & ~7);
    const ctrl = blk(cm.reduce((a, x) => a + space(x[2].length), 0));
    let co = 0;
    for (const [lv, ty, d] of cm) {
      ctrl.writeBigUInt64LE(BigInt(16 + d.length), co);
      ctrl.writeInt32LE(lv, co + 8);
      ctrl.writeInt32LE(ty, co + 12);
      d.copy(ctrl, co + 16);
      co += space(d.length);
    }
    const iov = blk(16 * m.dwBufferCount);
    const bufs = koffi.decode(BigInt(m.lpBuffers), koffi.array(WSABUF, m.dwBufferCount));
    bufs.forEach((b, i) => {
      iov.writeBigUInt64LE(BigInt(b.buf), 16 * i);
      iov.writeBigUInt64LE(BigInt(b.len), 16 * i + 8);
    });
    const mh = blk(56),
      nm = blk(128);
    if (name) {
      name.copy(nm);
      put(mh, 0, nm);
      mh.writeUInt32LE(name.length, 8);
    }
    put(mh, 16, iov);
    mh.writeBigUInt64LE(BigInt(m.dwBufferCount), 24);
    if (co) {
      put(mh, 32, ctrl);
      mh.writeBigUInt64LE(BigInt(co), 40);
    }
    const fd = blk(4),
      opt = blk(4);
    const st = handleToFd(s, 0, fd, opt);
    if (st) return fail(10038);
    const ufd = fd.readInt32LE(0);
    _keep = [mh, nm, iov, ctrl, name, fd, opt]; // raw addresses are not references
    const r = sys(46 /* sendmsg */, ufd, mh, 0x40 /* MSG_DONTWAIT */);
    sys(3 /* close */, ufd, null, 0);
    if (r < 0) return fail(ERR[-r] || 10022);
    if (nOut) koffi.encode(nOut, 'uint32', r);
    SetLastError(0);
    return 0;
  }
  const Proto = koffi.proto('__stdcall', 'WineShimSendMsg', 'int', [
    'uintptr_t',
    'void *',
    'uint32',
    'void *',
    'void *',
    'void *',
  ]);
  const cb = koffi.register((...a) => {
    try {
      return impl(...a);
    } catch (e) {
      fs.writeSync(2, `shim: ${e.stack}\n`);
      return fail(10022);
    }
  }, koffi.pointer(Proto));
  koffi.load('ws2_32.dll');
  const target = BigInt(GetProcAddress(GetModuleHandleA('ws2_32.dll'), 'WSASendMsg'));
  const old = Buffer.alloc(128);
  if (!VirtualProtect(target, 16, 0x40, old)) throw new Error('VirtualProtect');
  const jmp = Buffer.from('48b80000000000000000ffe0', 'hex');
  jmp.writeBigUInt64LE(BigInt(cb), 2); // mov rax, imm64; jmp rax
  Buffer.from(koffi.view(target, 16)).set(jmp);
  exports.installed = true;
  exports.target = target;
}
