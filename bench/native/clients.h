// The clients that load.c plays: their sockets, their source addresses, the sizes of what they send.
#pragma once
#include "common.h"
#include <stddef.h>

#ifndef IPV6_FREEBIND
#define IPV6_FREEBIND 78
#endif

#define SOCKETS 8
#define MAX_PORTS 2048

/** Sizes of DNS answers as a resolver sees them: most around 100 bytes, a few long ones. `sizes=dns` sends them in this order. */
static const int DNS_SIZES[] = {45,  61,  77, 93,  109, 125, 61,  141, 77,  157, 93,  173, 61, 189, 109,  221,
                                77, 253, 125, 301, 93,  349, 141, 413, 61, 477, 157, 541, 77, 733, 1021, 1232};
#define DNS_COUNT (sizeof DNS_SIZES / sizeof *DNS_SIZES)

static struct {
  struct sockaddr_storage to[MAX_PORTS];
  socklen_t tolen;
  int ports, peers, size, mixed, sockets, fds[SOCKETS];
  struct round peer[SOCKETS];
} net;

/** Every peer keeps to one socket, so that `peers` is the number of (address, port) pairs that the server hears. */
static int peers_of(int socket) { return net.peers / net.sockets + (socket < net.peers % net.sockets); }

static int size_of(uint64_t number) { return net.mixed ? DNS_SIZES[number % DNS_COUNT] : net.size; }

static void open_clients(int argc, char **argv) {
  const char *host = text(argc, argv, "host", "127.0.0.1");
  char *ports = strdup(text(argc, argv, "ports", "0"));
  for (char *p = strtok(ports, ","); p && net.ports < MAX_PORTS; p = strtok(NULL, ",")) net.tolen = address_of(&net.to[net.ports++], host, atoi(p));
  net.peers = number(argc, argv, "peers", 1);
  net.size = number(argc, argv, "size", 100);
  net.mixed = strcmp(text(argc, argv, "sizes", ""), "dns") == 0;
  if (net.size < 16 || net.size > 65507) { fprintf(stderr, "size: 16…65507\n"); exit(64); }
  net.sockets = net.peers >= SOCKETS ? SOCKETS : 1;
  for (int i = 0; i < net.sockets; i++) {
    int fd = net.fds[i] = socket(net.to[0].ss_family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    roomy(fd, SO_RCVBUFFORCE, SO_RCVBUF, 32 << 20);
    roomy(fd, SO_SNDBUFFORCE, SO_SNDBUF, 8 << 20);
    // ../network.ts routes a whole prefix to this host without giving it each address.
    int on = 1;
    if (net.to[0].ss_family == AF_INET6) setsockopt(fd, IPPROTO_IPV6, IPV6_FREEBIND, &on, sizeof on);
    net.peer[i] = round_of(peers_of(i), now_ns());
    if (net.peers == 1 && net.ports == 1 && connect(fd, (void *)&net.to[0], net.tolen)) die("connect");
  }
}

/** Room for a source address, IPv4's or IPv6's. */
#define SOURCE_CONTROL CMSG_SPACE(sizeof(struct in6_pktinfo))

static void lay_out_source(struct msghdr *m, char *control) {
  int six = net.to[0].ss_family == AF_INET6;
  m->msg_control = control;
  m->msg_controllen = six ? CMSG_SPACE(sizeof(struct in6_pktinfo)) : CMSG_SPACE(sizeof(struct in_pktinfo));
  struct cmsghdr *c = CMSG_FIRSTHDR(m);
  *c = six ? (struct cmsghdr){.cmsg_len = CMSG_LEN(sizeof(struct in6_pktinfo)), .cmsg_level = IPPROTO_IPV6, .cmsg_type = IPV6_PKTINFO}
           : (struct cmsghdr){.cmsg_len = CMSG_LEN(sizeof(struct in_pktinfo)), .cmsg_level = IPPROTO_IP, .cmsg_type = IP_PKTINFO};
}

/** The next peer of this socket sends. */
static void choose_source(struct msghdr *m, int socket) {
  int peer = round_next(&net.peer[socket]) * net.sockets + socket;
  void *info = CMSG_DATA(CMSG_FIRSTHDR(m));
  if (net.to[0].ss_family == AF_INET6) ((struct in6_pktinfo *)info)->ipi6_addr = peer_address6(peer);
  else ((struct in_pktinfo *)info)->ipi_spec_dst.s_addr = peer_address(peer);
}

/** As much of a sockaddr as says who it is: family, port, address (and IPv6's flow, which is 0 both times). */
static size_t source_length(void) {
  return net.to[0].ss_family == AF_INET6 ? offsetof(struct sockaddr_in6, sin6_scope_id) : offsetof(struct sockaddr_in, sin_zero);
}
