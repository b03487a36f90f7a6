// The limit: the same servers as servers/*, in C, with recvmmsg and sendmmsg, which learn each datagram's destination
// (IP_PKTINFO, IPV6_PKTINFO) and answer from it. Arguments and commands are those of servers/control.mjs, and
//   gso=1   answers to one peer of one size leave as one message (UDP_SEGMENT)
//   gro=1   what the kernel coalesced (UDP_GRO) is answered without being cut
//   awake=1 never sleeps: whoever asks it wakes nobody, which costs a virtual machine more than the question
#include "commands.h"
#include <sys/epoll.h>
#include <sys/resource.h>

// IPV6_PKTINFO and IP_PKTINFO both come on a dual-stack socket: 40 and 32 bytes.
#define CONTROL 128
#define MAX_SOCKETS 4096

static struct mmsghdr msg[BATCH];
static struct iovec iov[BATCH];
static struct sockaddr_in6 name[BATCH];
static char control[BATCH][CONTROL], payload[BATCH][MAX_PAYLOAD];
static struct mmsghdr answer[BATCH];
static int fds[MAX_SOCKETS], opened, epoll, counting, plain, gro, gso;
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
    if (c->cmsg_level != IPPROTO_UDP && (c->cmsg_level == IPPROTO_IP || keep == NULL)) keep = c;
  if (keep == NULL) { m->msg_controllen = 0; return; }
  if (keep->cmsg_level == IPPROTO_IP) ((struct in_pktinfo *)CMSG_DATA(keep))->ipi_ifindex = 0;
  else ((struct in6_pktinfo *)CMSG_DATA(keep))->ipi6_ifindex = 0;
  size_t length = keep->cmsg_len;
  memmove(m->msg_control, keep, length);
  m->msg_controllen = CMSG_ALIGN(length);
}

/** With UDP_GRO the kernel says how long each of the datagrams was that it made one of; 0: it is one. */
static int segment_of(struct mmsghdr *m) {
  if (gro)
    for (struct cmsghdr *c = CMSG_FIRSTHDR(&m->msg_hdr); c; c = CMSG_NXTHDR(&m->msg_hdr, c))
      if (c->cmsg_level == IPPROTO_UDP) return *(int *)CMSG_DATA(c);
  return 0;
}

static void cut_into(struct msghdr *m, int size) {
  struct cmsghdr *c = (void *)((char *)m->msg_control + m->msg_controllen);
  *c = (struct cmsghdr){.cmsg_len = CMSG_LEN(sizeof(uint16_t)), .cmsg_level = IPPROTO_UDP, .cmsg_type = UDP_SEGMENT};
  *(uint16_t *)CMSG_DATA(c) = size;
  m->msg_controllen += CMSG_SPACE(sizeof(uint16_t));
}

/** How many from `i` on are of one size, to one peer, from one address: they leave as one message. */
static int run_at(int i, int n) {
  const struct msghdr *first = &msg[i].msg_hdr;
  size_t size = iov[i].iov_len;
  int run = 1;
  while (gso && i + run < n && (run + 1) * size < 65000 && iov[i + run].iov_len == size &&
         msg[i + run].msg_hdr.msg_controllen == first->msg_controllen && memcmp(&name[i], &name[i + run], first->msg_namelen) == 0 &&
         memcmp(control[i], control[i + run], first->msg_controllen) == 0)
    run++;
  return run;
}

static void serve(int fd) {
  int n;
  do {
    for (int i = 0; i < BATCH; i++) {
      iov[i].iov_len = sizeof payload[i];
      msg[i].msg_hdr.msg_namelen = sizeof name[i];
      msg[i].msg_hdr.msg_control = control[i];
      msg[i].msg_hdr.msg_controllen = plain && !gro ? 0 : CONTROL;
    }
    n = recvmmsg(fd, msg, BATCH, 0, NULL);
    if (n <= 0) return;
    int segment[BATCH], out = 0;
    for (int i = 0; i < n; i++) {
      segment[i] = segment_of(&msg[i]);
      received += segment[i] > 0 ? (msg[i].msg_len + segment[i] - 1) / segment[i] : 1;
    }
    if (counting) continue;
    for (int i = 0; i < n; i++) {
      iov[i].iov_len = msg[i].msg_len;
      if (plain) msg[i].msg_hdr.msg_controllen = 0;
      else answer_from(&msg[i].msg_hdr);
    }
    for (int i = 0, run; i < n; i += run) {
      run = segment[i] > 0 ? 1 : run_at(i, n);
      if (segment[i] > 0 || run > 1) cut_into(&msg[i].msg_hdr, segment[i] > 0 ? segment[i] : (int)iov[i].iov_len);
      answer[out] = msg[i];
      answer[out++].msg_hdr.msg_iovlen = run;
    }
    for (int sent = 0; sent < out;) {
      int k = sendmmsg(fd, answer + sent, out - sent, 0);
      sent += k > 0 ? k : 1;
    }
  } while (n == BATCH);
}

static void obey(char *line) {
  char *words[16];
  int n = 0;
  for (char *w = strtok(line, " \n"); w && n < 16; w = strtok(NULL, " \n")) words[n++] = w;
  if (n == 0 || strcmp(words[0], "quit") == 0) exit(0);
  if (strcmp(words[0], "send") == 0) send_for(fds[0], n, words);
  else if (strcmp(words[0], "query") == 0 || strcmp(words[0], "binds") == 0) query(n, words, words[0][0] == 'q');
  else printf("{\"received\":%ld}\n", received);
  fflush(stdout);
}

int main(int argc, char **argv) {
  const char *family = text(argc, argv, "family", "4");
  counting = strcmp(text(argc, argv, "mode", "echo"), "count") == 0;
  gro = number(argc, argv, "gro", 0);
  gso = number(argc, argv, "gso", 0);
  struct rlimit files = {0};
  if (getrlimit(RLIMIT_NOFILE, &files) == 0 && (files.rlim_cur = files.rlim_max)) setrlimit(RLIMIT_NOFILE, &files);
  plain = strcmp(text(argc, argv, "answer", "reply"), "send") == 0;
  epoll = epoll_create1(EPOLL_CLOEXEC);
  for (int i = 0; i < BATCH; i++) {
    iov[i].iov_base = payload[i];
    msg[i].msg_hdr = (struct msghdr){.msg_name = &name[i], .msg_iov = &iov[i], .msg_iovlen = 1};
  }
  printf("{\"ports\":[");
  for (long i = 0, n = number(argc, argv, "sockets", 1); i < n && i < MAX_SOCKETS; i++) printf("%s%d", i ? "," : "", open_socket(family));
  printf("]}\n");
  fflush(stdout);
  struct epoll_event commands = {.events = EPOLLIN, .data.fd = 0}, ready[BATCH];
  epoll_ctl(epoll, EPOLL_CTL_ADD, 0, &commands);
  int timeout = number(argc, argv, "awake", 0) ? 0 : -1;
  for (;;) {
    int n = epoll_wait(epoll, ready, BATCH, timeout);
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
