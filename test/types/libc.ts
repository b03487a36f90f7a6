/** Never run: what a TypeScript program may write with recvfromto/libc, and what it may not. Checked by tsc. */
import * as libc from '../../src/libc';

const fd: number = libc.socket(libc.AF_INET6, libc.SOCK_DGRAM);
libc.bind(fd, { port: 5300 });
libc.bind(fd, new libc.structs.sockaddr_in({ sin_port: 53, sin_addr: '0.0.0.0' }));
// @ts-expect-error a port is a number
libc.bind(fd, { port: '53' });
libc.connect(fd, null);
// @ts-expect-error to somebody or to nobody
libc.connect(fd, {});

const { msg, from, to } = libc.recvfromto(fd);
libc.sendfromto(fd, [msg, 'more', new Uint16Array(2)], { to: from, from: to, interface: 'eth0' });
const local: string | undefined = to?.localAddress;
// @ts-expect-error it may not have come in time
libc.recvfromto(fd, { timeout: 5 }).msg;
libc.recvfromto(fd, { dontwait: true })?.timestamp?.toString();
// @ts-expect-error there is no such option
libc.recvfromto(fd, { wait: true });

const ttl: number = libc.getsockopt(fd, libc.IPPROTO_IP, libc.constants.IP_TTL);
const bytes: Buffer = libc.getsockopt(fd, libc.IPPROTO_IP, libc.constants.IP_TTL, 4);
libc.setsockopt(fd, libc.SOL_SOCKET, libc.constants.SO_RCVTIMEO, new libc.structs.timeval({ tv_sec: 1 }));

const { iovec, msghdr, in_pktinfo, sockaddr_storage, sockaddr_in6 } = libc.structs;
const message = new msghdr({ msg_name: new sockaddr_storage(), msg_iov: [new iovec({ iov_base: Buffer.alloc(9) })] });
message.msg_control = Buffer.alloc(libc.CMSG_SPACE(in_pktinfo.size));
const received: number = libc.recvmsg(fd, message, libc.constants.MSG_DONTWAIT);
for (let cmsg = libc.CMSG_FIRSTHDR(message); cmsg !== null; cmsg = libc.CMSG_NXTHDR(message, cmsg)) {
  const { ipi_addr }: { ipi_addr: string } = new in_pktinfo(libc.CMSG_DATA(cmsg));
  void ipi_addr;
}
// @ts-expect-error a pointer is no number
message.msg_control = 0x7fff_0000;
// @ts-expect-error C has no such field
new in_pktinfo({ ipi_address: '127.0.0.1' });
const { sin6_scope_id }: { sin6_scope_id: number } = new sockaddr_in6(new sockaddr_storage());
const entries = [{ fd, events: libc.constants.POLLIN, revents: 0 }];
const ready: number = libc.poll(entries, 100);
libc.close(fd);
void [local, ttl, bytes, received, sin6_scope_id, ready];
