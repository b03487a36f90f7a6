// The limit: the same servers as servers/*, in C, with recvmmsg and sendmmsg, which learn each datagram's destination
// (IP_PKTINFO, IPV6_PKTINFO) and answer from it. Arguments and commands are those of servers/control.mjs.
#include "common.h"
#include <sys/epoll.h>
#include <sys/resource.h>

// IPV6_PKTINFO and IP_PKTINFO both come on a dual-stack socket: 40 and 32 bytes.
#define CONTROL 128
#define MAX_SOCKETS 4096

static struct mmsghdr msg[BATCH];
static struct iovec iov[BATCH];
static struct sockaddr_in6 name[BATCH];
static char control[BATCH][CONTROL], payload[BATCH][MAX_PAYLOAD];
static int fds[MAX_SOCKETS], opened, epoll, counting, plain, gro;
static long received;

static int open_socket(const char *family) {
  int on = 1, six = strcmp(family, "4") != 0, only = strcmp(family, "6") == 0, port;
  struct sockaddr_storage any;
  socklen_t length = address_of(&any, six ? "::" : "0.0.0.0", 0);
  int fd = fds[opened++] = socket(any.ss_family, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (fd < 0) die("socket");
  if (six) setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &only, sizeof only);
  if (!plain && six) setsockopt(fd, IPPROTO_IPV6, IPV6_RECVPKTINFO, &on, sizeof on);
  if (!plain && !only) setsockopt(fd, IPPROTO_IP, IP_PKTINFO, &on, sizeof on);
  if (gro && setsockopt(fd, IPPROTO_UDP, UDP_GRO, &on, sizeof on)) die("UDP_GRO");
  if (bind(fd, (void *)&any, length) || getsockname(fd, (void *)&any, &length)) die("bind");
  port = ntohs(six ? ((struct sockaddr_in6 *)&any)->sin6_port : ((struct sockaddr_in *)&any)->sin_port);
  struct epoll_event wanted = {.events = EPOLLIN, .data.fd = fd};
  epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &wanted);
  return port;
}

/** The control message that came becomes the one that goes: the source set, no interface, IP_PKTINFO alone if both came. */
static void answer_from(struct msghdr *m) {
  struct cmsghdr *keep = NULL;
  for (struct cmsghdr *c = CMSG_FIRSTHDR(m); c; c = CMSG_NXTHDR(m, c))
    if (c->cmsg_level == IPPROTO_IP || keep == NULL) keep = c;
  if (keep == NULL) { m->msg_controllen = 0; return; }
  if (keep->cmsg_level == IPPROTO_IP) ((struct in_pktinfo *)CMSG_DATA(keep))->ipi_ifindex = 0;
  else ((struct in6_pktinfo *)CMSG_DATA(keep))->ipi6_ifindex = 0;
  memmove(m->msg_control, keep, keep->cmsg_len);
  m->msg_controllen = CMSG_ALIGN(keep->cmsg_len);
}

/** How many datagrams the kernel has made one of; with UDP_GRO it says how long each was. */
static int datagrams_of(struct mmsghdr *m) {
  if (gro)
    for (struct cmsghdr *c = CMSG_FIRSTHDR(&m->msg_hdr); c; c = CMSG_NXTHDR(&m->msg_hdr, c))
      if (c->cmsg_level == IPPROTO_UDP) return (m->msg_len + *(int *)CMSG_DATA(c) - 1) / *(int *)CMSG_DATA(c);
  return 1;
}

static void serve(int fd) {
  int n;
  do {
    for (int i = 0; i < BATCH; i++) {
      iov[i].iov_len = sizeof payload[i];
      msg[i].msg_hdr.msg_namelen = sizeof name[i];
      msg[i].msg_hdr.msg_controllen = plain ? 0 : CONTROL;
    }
    n = recvmmsg(fd, msg, BATCH, 0, NULL);
    if (n <= 0) return;
    for (int i = 0; i < n; i++) received += datagrams_of(&msg[i]);
    if (counting) continue;
    for (int i = 0; i < n; i++) {
      iov[i].iov_len = msg[i].msg_len;
      if (!plain) answer_from(&msg[i].msg_hdr);
    }
    for (int sent = 0; sent < n;) {
      int k = sendmmsg(fd, msg + sent, n - sent, 0);
      sent += k > 0 ? k : 1;
    }
  } while (n == BATCH);
}

/** `send how=one|many|segments size= port= peers= ms=` */
static void send_for(int argc, char **argv) {
  int segments = strcmp(text(argc, argv, "how", "many"), "segments") == 0, size = number(argc, argv, "size", 100);
  int peers = number(argc, argv, "peers", 1), whose = 0, run = segments ? 65000 / size : 1;
  if (run > 64) run = 64;
  struct sockaddr_in to[BATCH];
  struct mmsghdr out[BATCH];
  struct iovec what[BATCH];
  long sent = 0;
  if (segments) setsockopt(fds[0], IPPROTO_UDP, UDP_SEGMENT, &size, sizeof size);
  memset(out, 0, sizeof out);
  for (int i = 0; i < BATCH; i++) {
    to[i] = (struct sockaddr_in){.sin_family = AF_INET, .sin_port = htons(number(argc, argv, "port", 0)), .sin_addr = {htonl(INADDR_LOOPBACK)}};
    what[i] = (struct iovec){payload[0], (size_t)size * run};
    out[i].msg_hdr = (struct msghdr){.msg_name = &to[i], .msg_namelen = sizeof to[i], .msg_iov = &what[i], .msg_iovlen = 1};
  }
  for (int64_t end = now_ns() + number(argc, argv, "ms", 300) * 1000000; now_ns() < end;) {
    for (int i = 0; i < BATCH && peers > 1; i++) to[i].sin_addr.s_addr = peer_address(whose++ % peers);
    int n = sendmmsg(fds[0], out, segments ? 1 : BATCH, 0);
    if (n > 0) sent += n * run;
  }
  printf("{\"sent\":%ld}\n", sent);
}

static void obey(char *line) {
  char *words[16];
  int n = 0;
  for (char *w = strtok(line, " \n"); w && n < 16; w = strtok(NULL, " \n")) words[n++] = w;
  if (n == 0 || strcmp(words[0], "quit") == 0) exit(0);
  if (strcmp(words[0], "send") == 0) send_for(n, words);
  else printf("{\"received\":%ld}\n", received);
  fflush(stdout);
}

int main(int argc, char **argv) {
  const char *family = text(argc, argv, "family", "4");
  counting = strcmp(text(argc, argv, "mode", "echo"), "count") == 0;
  gro = number(argc, argv, "gro", 0);
  struct rlimit files = {0};
  if (getrlimit(RLIMIT_NOFILE, &files) == 0 && (files.rlim_cur = files.rlim_max)) setrlimit(RLIMIT_NOFILE, &files);
  plain = strcmp(text(argc, argv, "answer", "reply"), "send") == 0;
  epoll = epoll_create1(EPOLL_CLOEXEC);
  for (int i = 0; i < BATCH; i++) {
    iov[i].iov_base = payload[i];
    msg[i].msg_hdr = (struct msghdr){.msg_name = &name[i], .msg_iov = &iov[i], .msg_iovlen = 1, .msg_control = plain ? NULL : control[i]};
  }
  printf("{\"ports\":[");
  for (long i = 0, n = number(argc, argv, "sockets", 1); i < n && i < MAX_SOCKETS; i++) printf("%s%d", i ? "," : "", open_socket(family));
  printf("]}\n");
  fflush(stdout);
  struct epoll_event commands = {.events = EPOLLIN, .data.fd = 0}, ready[BATCH];
  epoll_ctl(epoll, EPOLL_CTL_ADD, 0, &commands);
  for (;;) {
    int n = epoll_wait(epoll, ready, BATCH, -1);
    for (int i = 0; i < n; i++) {
      if (ready[i].data.fd != 0) { serve(ready[i].data.fd); continue; }
      char line[512];
      ssize_t length = read(0, line, sizeof line - 1);
      if (length <= 0) return 0;
      line[length] = 0;
      obey(line);
    }
  }
}
