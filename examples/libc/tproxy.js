/**
 * An echo for every address and every port that a firewall hands over, on a router, say. Linux. The answer leaves from the
 * address and the port that the client asked, which are not this host's: IP_TRANSPARENT allows that, and IP_ORIGDSTADDR
 * tells them. As root:
 *
 *     nft -f - <<< 'table inet divert { chain in { type filter hook prerouting priority mangle
 *         iifname "eth0" meta l4proto udp tproxy to :5300 meta mark set 1 accept
 *         }
 *     }'
 *     for v in -4 -6; do ip $v rule add fwmark 1 lookup 100; ip $v route add local default dev lo table 100; done
 *     node examples/libc/tproxy.js 5300
 */
const libc = require('recvfromto/libc');
const { CMSG_DATA, CMSG_FIRSTHDR, CMSG_NXTHDR, constants: c, structs } = libc;

const families = [
  {
    domain: c.AF_INET,
    level: c.IPPROTO_IP,
    transparent: c.IP_TRANSPARENT,
    ask: c.IP_RECVORIGDSTADDR,
    sockaddr: structs.sockaddr_in,
  },
  {
    domain: c.AF_INET6,
    level: c.IPPROTO_IPV6,
    transparent: c.IPV6_TRANSPARENT,
    ask: c.IPV6_RECVORIGDSTADDR,
    sockaddr: structs.sockaddr_in6,
  },
];

/** May be bound to addresses that are not ours. EPERM without CAP_NET_ADMIN or CAP_NET_RAW. */
function open({ domain, level, transparent }) {
  const fd = libc.socket(domain, c.SOCK_DGRAM);
  if (domain === c.AF_INET6) libc.setsockopt(fd, c.IPPROTO_IPV6, c.IPV6_V6ONLY, 1);
  libc.setsockopt(fd, level, transparent, 1);
  libc.setsockopt(fd, c.SOL_SOCKET, c.SO_REUSEADDR, 1); // two clients may ask one address
  return fd;
}

const port = Number(process.argv[2] ?? 5300);
const listeners = families.map((family) => {
  const fd = open(family);
  libc.setsockopt(fd, family.level, family.ask, 1);
  libc.bind(fd, { port });
  return { fd, events: c.POLLIN, revents: 0, family };
});
console.log(`listening on port ${port}`);

const data = Buffer.alloc(65535);
for (;;) {
  libc.poll(listeners);
  for (const { fd, revents, family } of listeners) {
    try {
      if (revents !== 0) answer(fd, family);
    } catch (error) {
      console.error(error.message); // one client's
    }
  }
}

function answer(fd, family) {
  const from = new family.sockaddr();
  const message = { msg_name: from, msg_iov: new structs.iovec({ iov_base: data }), msg_control: Buffer.alloc(256) };
  const request = new structs.msghdr(message);
  const size = libc.recvmsg(fd, request, c.MSG_DONTWAIT);
  const asked = original(request, family);
  if (asked === undefined) return;
  console.log(`${from}\n  asked ${asked}`);
  const source = open(family);
  try {
    libc.bind(source, asked);
    libc.sendfromto(source, data.subarray(0, size), { to: from });
  } finally {
    libc.close(source);
  }
}

/** Where it was sent to before the firewall handed it over. */
function original(request, { level, ask, sockaddr }) {
  for (let cmsg = CMSG_FIRSTHDR(request); cmsg !== null; cmsg = CMSG_NXTHDR(request, cmsg)) {
    if (cmsg.cmsg_level === level && cmsg.cmsg_type === ask) return new sockaddr(CMSG_DATA(cmsg));
  }
  return undefined;
}
