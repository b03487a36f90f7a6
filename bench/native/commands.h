// What the C server does on its own account: sends, and asks as a client does that opens a socket for each question.
#pragma once
#include "common.h"
#include <poll.h>

/** `send how=one|many|segments size= port= peers= ms=` */
static void send_for(int fd, int argc, char **argv) {
  int segments = strcmp(text(argc, argv, "how", "many"), "segments") == 0, size = number(argc, argv, "size", 100);
  int peers = number(argc, argv, "peers", 1), whose = 0, run = segments ? 65000 / size : 1;
  if (run > 64) run = 64;
  if (run < 1) run = 1;
  struct sockaddr_in to[BATCH];
  struct mmsghdr out[BATCH];
  struct iovec what[BATCH];
  static char payload[MAX_PAYLOAD];
  long sent = 0;
  if (segments) setsockopt(fd, IPPROTO_UDP, UDP_SEGMENT, &size, sizeof size);
  memset(out, 0, sizeof out);
  memset(payload, 'x', sizeof payload); // pages of its own: never written, all of them would be one page of zeroes
  for (int i = 0; i < BATCH; i++) {
    to[i] = (struct sockaddr_in){.sin_family = AF_INET, .sin_port = htons(number(argc, argv, "port", 0)), .sin_addr = {htonl(INADDR_LOOPBACK)}};
    what[i] = (struct iovec){payload, (size_t)size * run};
    out[i].msg_hdr = (struct msghdr){.msg_name = &to[i], .msg_namelen = sizeof to[i], .msg_iov = &what[i], .msg_iovlen = 1};
  }
  for (int64_t end = now_ns() + number(argc, argv, "ms", 300) * 1000000; now_ns() < end;) {
    for (int i = 0; i < BATCH && peers > 1; i++) to[i].sin_addr.s_addr = peer_address(whose++ % peers);
    int n = sendmmsg(fd, out, segments ? 1 : BATCH, 0);
    if (n > 0) sent += n * run;
  }
  printf("{\"sent\":%ld}\n", sent);
}

static inline int64_t own_cpu_ns(void) {
  struct timespec t;
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
  return t.tv_sec * 1000000000LL + t.tv_nsec;
}

/** `query port= n=`: create, send, receive, close, one after the other. `binds n=`: bind and close. */
static void query(int argc, char **argv, int ask) {
  struct sockaddr_storage to;
  struct sockaddr_in any = {.sin_family = AF_INET};
  socklen_t length = address_of(&to, "127.0.0.1", number(argc, argv, "port", 0));
  long n = number(argc, argv, "n", 1000), done = 0;
  char answer[512] = "question";
  int64_t cpu = own_cpu_ns();
  for (long i = 0; i < n; i++) {
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (!ask) done += bind(fd, (void *)&any, sizeof any) == 0;
    struct pollfd waiting = {fd, POLLIN, 0};
    if (ask && sendto(fd, answer, 32, 0, (void *)&to, length) > 0 && poll(&waiting, 1, 1000) == 1) done += recv(fd, answer, sizeof answer, 0) > 0;
    close(fd);
  }
  printf("{\"done\":%ld,\"cpuNs\":%lld}\n", done, (long long)(own_cpu_ns() - cpu));
}
